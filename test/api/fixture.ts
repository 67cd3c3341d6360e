import { HeadBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { parseRecord } from "../../src/core/codec.js";
import { keyOfName } from "../../src/core/names.js";
import {
  type Logger,
  type S3ClientOption,
  S3Mutex,
  type S3MutexBaseOptions,
  S3MutexError,
  type S3MutexErrorCode,
} from "../../src/index.js";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { isRecordKey } from "../../testkit/record-key.js";

// A minute is for machines that have much else to do; what a test waits for comes sooner.
vi.setConfig({ testTimeout: 60_000 });

export const BUCKET = "locks-bucket";

/** A record as it lies in the bucket; what a test does not look at is left out. */
export interface StoredRecord {
  readonly schema: number;
  readonly token: number;
  readonly holders: readonly StoredHolder[];
  readonly queue: ReadonlyArray<{ readonly id: string; readonly owner: string; readonly priority: number }>;
  readonly recent: ReadonlyArray<{ readonly owner: string; readonly token: number; readonly ended: string }>;
  readonly deleted?: true;
  readonly [field: string]: unknown;
}

export interface StoredHolder {
  readonly id: string;
  readonly owner: string;
  readonly via: string;
  readonly token: number;
  readonly priority: number;
  readonly leaseMs: number;
  readonly acquiredAtMs: number;
  readonly renewedAtMs: number;
  readonly expiresAtMs: number;
  readonly leaseWriteId: string;
  readonly [field: string]: unknown;
}

/** A bucket of its own for one test, and the clients that use it. */
export class World {
  readonly server: S3Server;
  readonly #clients: S3Client[] = [];
  readonly #mutexes: S3Mutex[] = [];
  readonly #left = new Set<string>();

  constructor(server: S3Server) {
    this.server = server;
  }

  client(config: S3ClientConfig = {}): S3Client {
    const client = new S3Client({ ...this.server.clientConfig(), ...config });
    this.#clients.push(client);
    return client;
  }

  /** Makes an instance with a client of its own, as another process would have. */
  mutex({ s3Client, s3ClientConfig, ...options }: Partial<S3MutexBaseOptions & S3ClientOption> = {}): S3Mutex {
    const given = s3ClientConfig === undefined ? { s3Client: s3Client ?? this.client() } : { s3ClientConfig };
    // The check of the store has tests of its own: here it would be one more request that faults strike and counts count.
    // One attempt has the time that a busy machine needs; a patience of less than a second gives a store that long to answer, and no longer.
    const usual = { bucketName: BUCKET, maxRetries: 0, retryDelayMs: 20, verify: "never" } as const;
    const mutex = new S3Mutex({ ...usual, ...given, ...options });
    this.#mutexes.push(mutex);
    return mutex;
  }

  key(lockName: string, keyPrefix = "locks/"): string {
    const result = keyOfName(keyPrefix, lockName);
    if (!result.ok) throw new Error(result.problem);
    return result.key;
  }

  /** Reads and parses the body under a lock's key; undefined where there is no object. */
  record(lockName: string, keyPrefix = "locks/"): StoredRecord | undefined {
    const object = this.server.getObject(BUCKET, this.key(lockName, keyPrefix));
    return object === undefined ? undefined : JSON.parse(object.text);
  }

  /** Gives the only holder of a lock, as the record has it. Throws where there are fewer or more. */
  holder(lockName: string): StoredHolder {
    const [holder, ...others] = this.record(lockName)?.holders ?? [];
    if (holder === undefined || others.length > 0) throw new Error(`${lockName} has ${others.length} holders`);
    return holder;
  }

  /** Writes a body under a lock's key, past HTTP. */
  put(lockName: string, body: unknown): void {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    // A record that has been free since long ago landed long ago; what is held is judged by its lease.
    const record =
      isRaw || !body ? {} : (body as { readonly touchedAtMs?: number; readonly holders?: readonly unknown[] });
    const agoMs = record.holders?.length === 0 ? Date.now() - (record.touchedAtMs ?? Date.now()) : 0;
    if (agoMs > LONG_AGO_MS) this.server.setClockOffset(-agoMs);
    this.server.putObject(BUCKET, this.key(lockName), isRaw ? body : JSON.stringify(body));
    if (agoMs > LONG_AGO_MS) this.server.setClockOffset(0);
  }

  /** Says that this test leaves these locks as they are, held, queued for or unreadable; any other that is left is a leak. */
  leaves(...lockNames: readonly string[]): void {
    for (const name of lockNames) this.#left.add(this.key(name));
  }

  /** Ends everything in order, then looks whether anything was left in the bucket. */
  async end(): Promise<void> {
    this.server.faults.clear();
    this.server.setQuirks({});
    this.server.setLatency(0);
    // Handles may be left to this; what was taken by name is released by name, or it is a leak.
    await waitFor(() => this.#namedLeaks().length === 0);
    const named = this.#namedLeaks();
    await Promise.all(this.#mutexes.map((mutex) => mutex.close({ handles: "release" })));
    await this.server.settled();
    const leaks = [...named, ...this.#leaks()];
    for (const client of this.#clients) client.destroy();
    await this.server.close();
    expect(leaks, "holders and waiters that were left in the bucket").toEqual([]);
  }

  #namedLeaks(): string[] {
    return this.#leaks().filter((text) => text.includes('"via":"name"'));
  }

  #leaks(): string[] {
    if (this.server.objects("probe-bucket").length > 0) return ["objects in the wrong bucket"];
    const locks = this.server.objects(BUCKET).filter(({ key }) => isRecordKey(key) && !this.#left.has(key));
    return locks.filter(({ text }) => !isFree(text)).map(({ key, text }) => `${key}: ${text}`);
  }
}

/** Waits for a moment until this is so. */
async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let looks = 0; looks < 20 && !isTrue(); looks += 1) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Says whether a record has neither holder nor waiter: one that 1.x wrote last means what its top level says, as for this library. */
function isFree(body: string): boolean {
  const parsed = parseRecord(body);
  return parsed.kind === "record" && parsed.record.holders.length === 0 && parsed.record.queue.length === 0;
}

/** The SDK takes long for the first request of a process, and some leases here are short. */
let warmUp: Promise<unknown> | undefined;

/** Tests with a world of their own, closed and looked through when they are over. */
export const it = test.extend<{ pageSize: number; world: World }>({
  // As S3 has it.
  pageSize: 1000,
  world: async ({ pageSize }, use) => {
    const world = new World(await startS3Server({ buckets: [BUCKET, "probe-bucket"], pageSize }));
    warmUp ??= world.client().send(new HeadBucketCommand({ Bucket: BUCKET }));
    await warmUp;
    world.server.resetRequests();
    await use(world);
    await world.end();
  },
});

/** Gives the code of the error that a promise rejects with; fails when it does not reject, or with something else. */
export async function codeOf(promise: Promise<unknown>): Promise<S3MutexErrorCode> {
  return (await errorOf(promise)).code;
}

export async function errorOf(promise: Promise<unknown>): Promise<S3MutexError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) throw new Error(`it was expected to reject, but gave ${JSON.stringify(outcome.value)}`);
  const { error } = outcome;
  if (!(error instanceof S3MutexError)) throw error;
  return error;
}

export const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Resolves as soon as the condition holds; fails when it does not within the time. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await sleep(5);
  }
}

/** Stands still with the whole process, as a long garbage collection or a suspended container does. */
export function freeze(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly details: readonly unknown[];
}

export function listeningLogger(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, ...details: unknown[]) => {
      lines.push({ level, message, details });
    };
  return { logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

let serial = 0;

/** Makes a record with one holder, as some other process with this version would have written it. */
export function heldRecord(times: {
  readonly acquiredAtMs: number;
  readonly renewedAtMs?: number;
  readonly expiresAtMs: number;
  readonly owner?: string;
}): StoredRecord {
  serial += 1;
  const { acquiredAtMs, expiresAtMs, renewedAtMs = acquiredAtMs, owner = "another-owner" } = times;
  const holder: StoredHolder = {
    id: `acquisition-${serial}`,
    owner,
    via: "name",
    mode: "exclusive",
    token: acquiredAtMs,
    priority: 0,
    leaseMs: expiresAtMs - renewedAtMs,
    acquiredAtMs,
    renewedAtMs,
    expiresAtMs,
    leaseWriteId: `write-${serial}`,
  };
  return {
    locked: true,
    owner,
    acquiredAt: renewedAtMs,
    expiresAt: expiresAtMs,
    priority: 0,
    schema: 3,
    writeId: `write-${serial}`,
    createdAtMs: acquiredAtMs,
    touchedAtMs: renewedAtMs,
    token: acquiredAtMs,
    limit: 1,
    holders: [holder],
    queue: [],
    recent: [],
  };
}

/** Makes a record without a holder, released at that time. */
export function freeRecord(atMs: number): StoredRecord {
  const { holders: _, ...record } = heldRecord({ acquiredAtMs: atMs, expiresAtMs: atMs + 1000 });
  return { ...record, locked: false, owner: undefined, token: atMs, holders: [], freeSinceMs: atMs } as StoredRecord;
}

const LONG_AGO_MS = 10 * 60_000;
