import { checkFiniteDuration } from "../../arguments/checks.js";
import type { Faults } from "../server/faults/faults.js";
import type { S3Operation } from "../server/wire/operation.js";
import type { SimBucket } from "./store.js";

/** One request that a mutex of the test has sent. */
export interface TestRequest {
  readonly operation: S3Operation;
  /** Of a listing, the prefix. */
  readonly key: string;
  /** The name of the process that has sent it. */
  readonly process: string;
  /** When it was sent, in epoch milliseconds of the test's clock. */
  readonly atMs: number;
}

/** The store of a test: one bucket in memory, with compare-and-swap as on S3. */
export class TestStore {
  /**
   * What goes wrong with requests, in the words of the server for tests: `store.faults.add({ fault: "never-answer" })` takes the
   * store away, `store.faults.clear()` gives it back.
   */
  readonly faults: Faults;
  readonly #bucket: SimBucket;
  readonly #requests: readonly TestRequest[];
  #roundTripMs = 0;

  /** @internal */
  constructor(bucket: SimBucket, faults: Faults, requests: readonly TestRequest[]) {
    this.#bucket = bucket;
    this.faults = faults;
    this.#requests = requests;
  }

  /** All requests so far, in the order in which they were sent. */
  get requests(): readonly TestRequest[] {
    return [...this.#requests];
  }

  /** How long a request takes there and back, in milliseconds of the test's clock. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  set roundTripMs(roundTripMs: number) {
    this.#roundTripMs = checkFiniteDuration("roundTripMs", roundTripMs);
  }

  /** The keys of all objects, sorted. */
  get keys(): string[] {
    return [...this.#bucket.objects.keys()].sort();
  }

  /** Reads the body of an object; undefined where there is none. */
  get(key: string): string | undefined {
    return this.#bucket.objects.get(key)?.body;
  }

  /** Writes an object past all mutexes, whatever is there. */
  put(key: string, body: string): void {
    this.#bucket.put(key, body);
  }

  /** Deletes an object past all mutexes. */
  delete(key: string): void {
    this.#bucket.delete(key);
  }
}
