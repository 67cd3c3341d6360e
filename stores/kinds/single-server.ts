import { join } from "node:path";
import { freePorts } from "../host/ports.js";
import { answersHttp, Server } from "../host/servers.js";
import type { RunningStore, StartOptions } from "../kind.js";

type Environment = Readonly<Record<string, string>>;

export interface SingleServer {
  readonly command: string;
  args(port: number, dataFolder: string): readonly string[];
  readonly env?: Environment | ((port: number, dataFolder: string) => Environment);
  /** Default: a minute. */
  readonly readyWithinMs?: number;
  /** Default: some that are accepted because they are not checked. */
  readonly credentials?: RunningStore["credentials"];
}

/** Makes what starts a store that is one program: with as many endpoints as it has, one. */
export function starting({ command, args, env, credentials, readyWithinMs = 60_000 }: SingleServer) {
  return async ({ ports, dataFolder }: StartOptions): Promise<RunningStore> => {
    const port = ports[0] ?? (await freePorts(1))[0] ?? 0;
    const logFile = join(dataFolder, "..", `${dataFolder.split("/").at(-1)}.log`);
    let server: Server;
    const restart = async () => {
      const variables = typeof env === "function" ? env(port, dataFolder) : env;
      server = new Server(command, args(port, dataFolder), {
        logFile,
        cwd: dataFolder,
        ...(variables === undefined ? {} : { env: variables }),
      });
      await server
        .ready(() => answersHttp(port), readyWithinMs)
        .catch(async (error: unknown) => {
          await server.stop(0);
          throw error;
        });
    };
    await restart();
    return {
      gateways: [{ endpoint: `http://127.0.0.1:${port}`, kill: () => server.stop(0), restart }],
      credentials: credentials ?? { accessKeyId: "test", secretAccessKey: "test-secret" },
      region: "us-east-1",
      stop: () => server.stop(3_000),
    };
  };
}
