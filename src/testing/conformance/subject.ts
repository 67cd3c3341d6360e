import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { StoreMutex } from "../../mutex.js";
import type { MutexOptions } from "../../options/mutex-options.js";
import type {
  ObjectStore,
  RequestOptions,
  StoreAdapter,
  WriteCondition,
  WriteOutcome,
} from "../../store/object-store.js";

export const REQUEST: RequestOptions = { timeoutMs: 20_000 };
export const IF_ABSENT: WriteCondition = { kind: "if-absent" };
export const ifMatch = (etag: string): WriteCondition => ({ kind: "if-match", etag });
export const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** A store that speaks S3, reached through one endpoint or several. */
export interface S3Target {
  /** As for `new S3Client(...)`. Of several, which lead to the same objects, each client uses the next. */
  readonly s3ClientConfig: S3ClientConfig | readonly S3ClientConfig[];
  /** Has to exist. */
  readonly bucketName: string;
}

/** A port of one's own: an adapter for something that is not S3. */
export interface PortTarget {
  /** A new instance over the same objects, as another process would have. */
  readonly openStore: () => StoreAdapter | Promise<StoreAdapter>;
}

/** Options of a mutex that do not say where its store is. */
type SubjectOptions = MutexOptions;

/** What one check works with: clients that it makes, and keys of its own. */
export class Subject {
  readonly prefix: string;
  readonly #target: S3Target | PortTarget;
  readonly #closings: Array<() => unknown> = [];
  #opened = 0;

  constructor(target: S3Target | PortTarget, prefix: string) {
    this.#target = target;
    this.prefix = prefix;
  }

  key(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** Opens one more client of the store. */
  async store(): Promise<ObjectStore> {
    if ("openStore" in this.#target) return await this.#target.openStore();
    // Not before they are needed: the server for tests loads neither the SDK nor the library.
    const [{ createS3Client }, { S3Store }, { realEffects }] = await Promise.all([
      import("../../store/s3/client/client.js"),
      import("../../store/s3/s3-store.js"),
      import("../../runtime/base/effects.js"),
    ]);
    const client = createS3Client(this.#nextConfig(this.#target));
    this.#closings.push(() => client.destroy());
    const { bucketName } = this.#target;
    return new S3Store({ client, bucketName, effects: realEffects, keyPrefix: this.prefix });
  }

  stores(count: number): Promise<ObjectStore[]> {
    return Promise.all(Array.from({ length: count }, () => this.store()));
  }

  /** Opens one more instance, as another process would have. */
  async mutex(options: SubjectOptions = {}): Promise<StoreMutex> {
    const mutex = await this.#open({ keyPrefix: this.prefix, clockSkewToleranceMs: 500, verify: "never", ...options });
    this.#closings.push(() => mutex.close({ handles: "release" }));
    // Connections, credentials and code are loaded before a check counts time: it is about the store, not about how cold a client is.
    await mutex.isLocked("warm-up");
    return mutex;
  }

  async #open(options: SubjectOptions): Promise<StoreMutex> {
    if ("openStore" in this.#target) {
      // Without the SDK, which a port of one's own does not need.
      const { StoreMutex } = await import("../../mutex.js");
      return new StoreMutex({ store: await this.#target.openStore(), ...options });
    }
    const { S3Mutex } = await import("../../s3-mutex.js");
    const { bucketName } = this.#target;
    return new S3Mutex({ s3ClientConfig: this.#nextConfig(this.#target), bucketName, ...options });
  }

  async mutexes(count: number, options: SubjectOptions = {}): Promise<StoreMutex[]> {
    return await Promise.all(Array.from({ length: count }, () => this.mutex(options)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#closings.splice(0).map((close) => close()));
  }

  #nextConfig({ s3ClientConfig }: S3Target): S3ClientConfig {
    const configs = [s3ClientConfig].flat() as S3ClientConfig[];
    const config = configs[this.#opened % configs.length] ?? {};
    this.#opened += 1;
    return config;
  }
}

/** Makes a write that has to succeed, and gives its ETag; a store that asks for fewer requests is asked again. */
export async function written(
  store: ObjectStore,
  key: string,
  body: string,
  condition: WriteCondition,
): Promise<string> {
  const outcome = await patiently(() => store.write(key, body, condition, REQUEST));
  if (outcome.kind === "ok") return outcome.etag;
  throw new Error(`a write that should succeed was "${outcome.kind}"${reasonOf(outcome)}`);
}

/**
 * Replaces the version with this ETag, which has to succeed. Some stores want ETags without quotes and refuse the first such
 * write; a client finds that out when it reads that the version which was refused is still there.
 */
export async function replaced(store: ObjectStore, key: string, body: string, etag: string): Promise<string> {
  const outcome = await patiently(() => store.write(key, body, ifMatch(etag), REQUEST));
  if (outcome.kind === "ok") return outcome.etag;
  await store.read(key, REQUEST);
  return await written(store, key, body, ifMatch(etag));
}

/** Makes a write, and again after a second where the store turned it away for coming too soon (429, 503 SlowDown). */
export async function patiently(write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await write();
    const isTurnedAway = outcome.kind === "unknown" && outcome.throttled;
    if (!isTurnedAway || tries === 10) return outcome;
    await sleep(1_100);
  }
}

export async function bodyOf(store: ObjectStore, key: string): Promise<string | undefined> {
  const outcome = await store.read(key, REQUEST);
  if (outcome.kind === "absent") return undefined;
  if (outcome.kind === "ok") return outcome.body;
  throw new Error(`a read that should succeed was "${outcome.kind}"${reasonOf(outcome)}`);
}

export function reasonOf(outcome: object): string {
  return "error" in outcome ? `: ${(outcome.error as Error).message}` : "";
}
