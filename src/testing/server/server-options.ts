import type { OptionNames } from "../../arguments/option-names.js";
import type { Faults, Latency } from "./faults/faults.js";
import type { StoreQuirks } from "./faults/quirks.js";
import type { RequestCounts, RequestListener, RequestRecord } from "./request-log.js";

/** Everything is optional: `startS3Server()` gives an empty, well-behaved server in memory on a free port. */
export interface S3ServerOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** The address to listen on. Default `"127.0.0.1"`, which no other machine on the network can reach. */
  readonly host?: string;
  /** Buckets to start with. Those that a data folder has already stay as they are. Default: none. */
  readonly buckets?: readonly string[];
  /**
   * Where to keep buckets and objects, so that they outlive the server, a killed one too. Made if it does not exist.
   * For one server at a time. Default: in memory only.
   */
  readonly dataFolder?: string;
  /** Added to every request, half before it is applied and half after. Milliseconds. Default 0. */
  readonly latencyMs?: Latency;
  /** How far the server's clock is ahead of this machine's, negative for behind. Milliseconds. Default 0. */
  readonly clockOffsetMs?: number;
  /** Entries in a page of a listing, at most, from 1 to 1000. Default 1000. */
  readonly pageSize?: number;
  /** Lasting misbehaviour; see {@link StoreQuirks}. Default: none. */
  readonly quirks?: StoreQuirks;
  /**
   * How long a request may take to arrive whole; then its connection is closed. Connections without a request stay open.
   * Milliseconds. Default 60000.
   */
  readonly requestTimeoutMs?: number;
  /** How many requests `recentRequests` goes back. Default 1000; 0 switches it off. */
  readonly recentRequestsMax?: number;
}

export const SERVER_OPTIONS: OptionNames<S3ServerOptions> = {
  port: true,
  host: true,
  buckets: true,
  dataFolder: true,
  latencyMs: true,
  clockOffsetMs: true,
  pageSize: true,
  quirks: true,
  requestTimeoutMs: true,
  recentRequestsMax: true,
};

/** What `new S3Client(...)` needs to reach the server. */
export interface S3ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly forcePathStyle: true;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An object as the server holds it. */
export interface S3ServerObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** The body as UTF-8. */
  readonly text: string;
  /** Quoted. The MD5 of the body: equal bodies have equal ETags. */
  readonly etag: string;
  /** On the server's clock. */
  readonly lastModified: Date;
  /** From `x-amz-meta-*`, without that part of the name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A running server. `await using` closes it at the end of the scope. */
export interface S3Server extends AsyncDisposable {
  /** Such as `"http://127.0.0.1:40123"`. */
  readonly endpoint: string;
  readonly port: number;
  /** Gives the options for `new S3Client({ ...server.clientConfig(), maxAttempts: 1 })`. Any credentials are accepted. */
  clientConfig(): S3ClientSettings;

  /** Things that go wrong now and then, by rule. */
  readonly faults: Faults;
  /** Replaces all quirks; `{}` makes the server behave. */
  setQuirks(quirks: StoreQuirks): void;
  /**
   * Replaces the latency of requests that arrive from now on.
   * @throws S3MutexError `invalid-argument` for a negative number.
   */
  setLatency(latencyMs: Latency): void;
  /** Replaces the offset of the server's clock: `Date` and `Last-Modified` follow. Negative for behind. */
  setClockOffset(clockOffsetMs: number): void;

  /** A snapshot of how many requests there were. */
  readonly requests: RequestCounts;
  /** The last requests that are over, oldest first. */
  readonly recentRequests: readonly RequestRecord[];
  /** Starts counting afresh, and forgets the recent requests. */
  resetRequests(): void;
  /** Calls back after each request, synchronously; the function returned ends that. */
  onRequest(listener: RequestListener): () => void;
  /**
   * Resolves once nothing is under way: every request that arrived was applied and answered, or will never be. Waits
   * for those that `delay-apply` put off; not for clients that `never-answer` keeps waiting.
   */
  settled(): Promise<void>;

  /**
   * Makes a bucket, past HTTP, faults and counters; nothing if there is one already.
   * @throws S3MutexError `invalid-argument` for a name that S3 does not allow.
   */
  createBucket(bucket: string): void;
  /**
   * Lists all objects, in the order of a listing.
   * @throws S3MutexError `no-such-bucket`
   */
  objects(bucket: string): S3ServerObject[];
  /**
   * Finds one object, or `undefined`.
   * @throws S3MutexError `no-such-bucket`
   */
  getObject(bucket: string, key: string): S3ServerObject | undefined;
  /**
   * Creates or replaces an object, whatever is there.
   * @throws S3MutexError `no-such-bucket`
   */
  putObject(bucket: string, key: string, body: string | Uint8Array): S3ServerObject;
  /**
   * Deletes an object; nothing if there is none.
   * @throws S3MutexError `no-such-bucket`
   */
  deleteObject(bucket: string, key: string): void;

  /**
   * Cuts all connections and cancels what was put off. Resolves when the port is free; after that nothing keeps the
   * process alive. Calling it again does no harm.
   */
  close(): Promise<void>;
}
