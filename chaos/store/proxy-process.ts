import { Agent, createServer, type Server, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { Random } from "../../src/testing/virtual/random.js";
import type { Counts, FromProxies } from "../messages.js";
import { MANNERS, type Manner, retold, toldBy } from "./telling.js";

/** Proxies between some of the workers and the store, one for each manner of telling the time; they change nothing else. */
export interface ProxySettings {
  readonly storePort: number;
  readonly seed: number;
}

const REPORT_EVERY_MS = 200;

const settings = JSON.parse(process.argv[2] ?? "{}") as ProxySettings;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());
let counts: Counts = {};
setInterval(() => {
  if (Object.keys(counts).length > 0) tell({ kind: "counts", counts });
  counts = {};
}, REPORT_EVERY_MS);
const random = new Random(settings.seed);
const ports = await Promise.all(MANNERS.map((manner) => listen(createProxy(manner))));
tell({ kind: "listening", ports });

function createProxy(manner: Manner): Server {
  const agent = new Agent({ keepAlive: true });
  // Its clients keep their connections for as long as they like, as with the store itself.
  const options = { noDelay: true, keepAliveTimeout: 0, requestTimeout: 0 };
  return createServer(options, (request, response) => {
    response.sendDate = false;
    const { method, url: path, rawHeaders: headers, socket } = request;
    const to = { host: "127.0.0.1", port: settings.storePort };
    const forwarded = sendRequest({ ...to, agent, method, path, headers, setHost: false });
    // What breaks on one side breaks on the other.
    forwarded.on("error", () => socket.destroy());
    response.on("close", () => {
      if (!response.writableFinished) forwarded.destroy();
    });
    forwarded.on("response", (answer) => {
      const told = toldBy(manner, random);
      counts[`told ${told}`] = (counts[`told ${told}`] ?? 0) + 1;
      response.writeHead(answer.statusCode ?? 502, { ...retold(answer.headers, told, Date.now(), random) } as never);
      pipeline(answer, response, (error) => {
        if (error) socket.destroy();
      });
    });
    pipeline(request, forwarded, () => {});
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function tell(message: FromProxies): void {
  if (process.connected) process.send?.(message);
}
