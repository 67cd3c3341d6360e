import { parseRecord } from "../src/core/codec.js";
import type { LockRecord } from "../src/core/record.js";
import type { S3MutexBaseOptions } from "../src/options/s3-options.js";
import type { Lock } from "../src/primitives/lock.js";
import { S3Mutex } from "../src/s3-mutex.js";
import type { ObjectStore } from "../src/store/object-store.js";
import type { Fate } from "../src/testing/virtual/fate.js";
import { type ClockFaults, SimProcess } from "../src/testing/virtual/process.js";
import { type Operation, SimBucket, type SimStoreOptions } from "../src/testing/virtual/store.js";
import { World } from "../src/testing/virtual/world.js";
import { RecordWatch } from "./invariants.js";

export const NAME = "x";
export const KEY = "locks/x.json";
/** The request is applied, and its answer heard. */
export const FINE: Fate = { kind: "fine" };

/** One request as it left a process. */
export interface Sent {
  readonly operation: Operation;
  readonly key: string;
  readonly process: SimProcess;
  readonly atMs: number;
  /** Which request of its process it is, from 0. */
  readonly index: number;
}

export interface Landed {
  readonly key: string;
  readonly atMs: number;
  readonly record: LockRecord | undefined;
}

export interface SceneOptions extends Partial<Omit<SimStoreOptions, "fate">> {
  readonly seed?: number;
}

export interface ClientOptions extends Partial<S3MutexBaseOptions> {
  readonly clocks?: Partial<ClockFaults>;
  /** Puts something between the mutex and its store. */
  readonly through?: (store: ObjectStore, process: SimProcess) => ObjectStore;
}

export interface Client {
  readonly process: SimProcess;
  readonly mutex: S3Mutex;
}

/** A world with one bucket, whose every version is checked, and the real library in as many processes as a test wants. */
export class Scene {
  readonly world: World;
  readonly bucket: SimBucket;
  readonly sent: Sent[] = [];
  readonly landed: Landed[] = [];
  /** Decides about each request; it may be replaced at any time. */
  fate: (request: Sent) => Fate = () => FINE;
  readonly #watch: RecordWatch;
  readonly #believers = new Map<Lock, SimProcess>();
  readonly #problems: string[] = [];
  readonly #indices = new Map<SimProcess, number>();
  #processes = 0;

  constructor({ seed = 1, ...options }: SceneOptions = {}) {
    this.world = new World(seed);
    this.bucket = new SimBucket(this.world, {
      roundTripMs: () => 20,
      ...options,
      fate: (operation, key, process) => this.#fateOf(operation, key, process),
    });
    this.#watch = new RecordWatch(this.bucket);
    this.bucket.onChange = (key, body) => this.#onChange(key, body);
  }

  get nowMs(): number {
    return this.world.nowMs;
  }

  process(clocks: Partial<ClockFaults> = {}): SimProcess {
    this.#processes += 1;
    return new SimProcess(this.world, `p${this.#processes}`, { wallOffsetMs: 0, drift: 0, ...clocks });
  }

  client({ clocks = {}, ...options }: ClientOptions = {}): Client {
    const process = this.process(clocks);
    return { process, mutex: this.mutex(process, options) };
  }

  mutex(process: SimProcess, { through = (store) => store, ...options }: ClientOptions = {}): S3Mutex {
    // The check of the store is a scene of its own: elsewhere each request is one that the test is about.
    const required = { s3Client: { send() {} } as never, bucketName: "bucket", verify: "never" } as const;
    const store = through(this.bucket.storeFor(process), process);
    return new S3Mutex({ ...required, ...options }, { store, effects: process.effects });
  }

  /** Lets everything go on until this is settled. */
  until<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.until(promise, limitMs);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.until(this.world.sleep(ms), ms + 1);
  }

  /** Lets time pass until true time is this far into a second. */
  async passToFraction(ms: number): Promise<void> {
    await this.pass((((ms - this.nowMs) % 1000) + 1000) % 1000);
  }

  /** Reads what the object says now; undefined where there is none. */
  record(key = KEY): LockRecord | undefined {
    const body = this.bucket.objects.get(key)?.body;
    if (body === undefined) return undefined;
    const parsed = parseRecord(body);
    return parsed.kind === "record" ? parsed.record : undefined;
  }

  /** Checks from now on that, whenever this handle believes that it holds, no other does, and that the record says so. */
  believe(lock: Lock, process: SimProcess): void {
    this.check();
    this.#believers.set(lock, process);
    this.check();
  }

  disbelieve(lock: Lock): void {
    this.check();
    this.#believers.delete(lock);
  }

  /** Lists the requests of one process, or of all. */
  requestsOf(process?: SimProcess): Sent[] {
    return this.sent.filter((request) => process === undefined || request.process === process);
  }

  /** What was wrong so far; a test ends with this being empty. */
  get problems(): readonly string[] {
    this.check();
    return [...this.#problems, ...this.#watch.problems];
  }

  check(): void {
    const held = [...this.#believers].filter(([lock, process]) => !process.isDead && lock.held).map(([lock]) => lock);
    if (held.length > 1)
      this.problem(`${held.length} believe to hold: tokens ${held.map((lock) => lock.fencingToken)}`);
    const tokens = new Set(this.record()?.holders.map(({ token }) => token));
    for (const { fencingToken } of held) {
      if (!tokens.has(fencingToken))
        this.problem(`the holder of token ${fencingToken} believes, but is not in the record`);
    }
  }

  problem(what: string): void {
    this.#problems.push(`${what} (at ${this.nowMs})`);
  }

  /** Lets fresh processes with these clocks try once each, all the time; the one that gets the lock is believed. */
  async probe(forMs: number, everyMs: number, options: ClientOptions): Promise<Lock | undefined> {
    const endMs = this.nowMs + forMs;
    while (this.nowMs < endMs) {
      const { mutex, process } = this.client(options);
      const lock = await this.until(mutex.tryAcquire(NAME));
      if (lock !== null) {
        this.believe(lock, process);
        return lock;
      }
      await this.pass(everyMs);
    }
    return undefined;
  }

  #fateOf(operation: Operation, key: string, process: SimProcess): Fate {
    const index = this.#indices.get(process) ?? 0;
    this.#indices.set(process, index + 1);
    const request = { operation, key, process, atMs: this.nowMs, index };
    this.sent.push(request);
    return this.fate(request);
  }

  #onChange(key: string, body: string | undefined): void {
    this.#watch.note(key, body);
    this.landed.push({ key, atMs: this.nowMs, record: this.record(key) });
    if (key === KEY) this.check();
  }
}

/** Lets nothing that this process sends arrive. */
export function cutOff(process: SimProcess): (request: Sent) => Fate {
  return (request) => (request.process === process ? { kind: "lost" } : FINE);
}

/** Gives the n-th of those requests this fate, counted from 0; all others are fine. */
export function nth(n: number, matches: (request: Sent) => boolean, fate: Fate): (request: Sent) => Fate {
  let seen = 0;
  return (request) => {
    if (!matches(request)) return FINE;
    seen += 1;
    return seen === n + 1 ? fate : FINE;
  };
}

export const writesOf = (process: SimProcess) => (request: Sent) =>
  request.operation === "write" && request.process === process;
