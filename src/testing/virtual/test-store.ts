import { checkFiniteDuration } from "../../arguments.js";
import type { SimBucket } from "./store.js";

/** The store of a test: one bucket in memory, with compare-and-swap as on S3. */
export class TestStore {
  readonly #bucket: SimBucket;
  #roundTripMs = 0;

  /** @internal */
  constructor(bucket: SimBucket) {
    this.#bucket = bucket;
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

  /** The body of an object; undefined where there is none. */
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
