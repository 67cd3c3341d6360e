import { S3Client } from "@aws-sdk/client-s3";
import type { RequestRecord, S3ClientSettings, StoreQuirks } from "../../src/testing/index.js";
import { type Remote, startRemote } from "../remote.js";
// Types only: importing the module itself would start serving.
import type { serverMethods } from "./process.js";

export type ServerMethods = typeof serverMethods;

/** The embedded server, running in a process of its own. */
export class BenchServer {
  readonly clientConfig: S3ClientSettings;
  readonly #remote: Remote<ServerMethods>;
  readonly #clients: S3Client[] = [];

  private constructor(remote: Remote<ServerMethods>, clientConfig: S3ClientSettings) {
    this.#remote = remote;
    this.clientConfig = clientConfig;
  }

  static async start(latencyMs: number, quirks: StoreQuirks): Promise<BenchServer> {
    const remote = await startRemote<ServerMethods>(new URL("./process.ts", import.meta.url));
    return new BenchServer(remote, await remote.call.start(latencyMs, quirks));
  }

  get call(): Remote<ServerMethods>["call"] {
    return this.#remote.call;
  }

  /** Makes a client as users make it, with the SDK's own defaults and a connection pool of its own. */
  client(): S3Client {
    const client = new S3Client(this.clientConfig);
    this.#clients.push(client);
    return client;
  }

  /** Lists what arrived since the last reset, cancels, probes and 304s included. */
  requests(): Promise<readonly RequestRecord[]> {
    return this.#remote.call.requests();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#remote.kill();
  }
}
