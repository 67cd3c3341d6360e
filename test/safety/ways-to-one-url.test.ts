import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import type { S3Server } from "../../src/testing/index.js";
import { startGate } from "../store/gate.js";
import { BUCKET, open, processOn, serverWith, useOnce } from "./processes.js";

/** Goes to the URL that it is asked for, and to a proxy at this port for it. */
class ByProxy extends Agent {
  readonly #port: number;

  constructor(url: string) {
    super({ keepAlive: true });
    this.#port = Number(new URL(url).port);
  }

  override createConnection(options: object, connected: () => void): Duplex | null | undefined {
    return super.createConnection({ ...options, host: "127.0.0.1", port: this.#port }, connected as never);
  }
}

function processBy(server: S3Server, httpAgent: Agent) {
  const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1, requestHandler: { httpAgent } });
  open.push(async () => s3Client.destroy());
  return processOn(server, { s3Client });
}

it("a client that goes to the same URL by a proxy that drops conditions does not believe one that goes directly", async () => {
  const drops = ({ method }: { readonly method: string }) => (method === "PUT" ? ["if-match", "if-none-match"] : []);
  const proxy = await startGate(() => undefined, { buckets: [BUCKET] }, { drops });
  await useOnce(proxy.server, processOn(proxy.server));
  const proxied = processBy(proxy.server, new ByProxy(proxy.endpoint));
  await expect(proxied.mutex.acquire("a", { timeoutMs: 8000 })).rejects.toMatchObject({ code: "store-unsafe" });
});

it("nor does a client whose middleware drops conditions, though it sends by agents of Node's own", async () => {
  const server = await serverWith();
  await useOnce(server, processOn(server));
  const dropping = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  open.push(async () => dropping.destroy());
  dropping.middlewareStack.add(
    (next) => (args) => {
      const { method, headers } = args.request as { method: string; headers: Record<string, string> };
      if (method === "PUT") for (const name of ["if-match", "if-none-match"]) delete headers[name];
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const { mutex } = processOn(server, { s3Client: dropping });
  await expect(mutex.acquire("a", { timeoutMs: 8000 })).rejects.toMatchObject({ code: "store-unsafe" });
});

it("nor does a client that goes directly believe one with an agent of its own", async () => {
  const server = await serverWith();
  const proxied = processBy(server, new ByProxy(server.endpoint));
  await useOnce(server, proxied);
  const direct = processOn(server);
  await useOnce(server, direct);
  for (const { events } of [proxied, direct]) expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
});

it("a pool of another size is the same way", async () => {
  const server = await serverWith();
  await useOnce(server, processOn(server));
  const pooled = processBy(server, new Agent({ keepAlive: true, maxSockets: 10 }));
  await useOnce(server, pooled);
  expect(pooled.events).toMatchObject([{ verdict: "passed", by: "record" }]);
});
