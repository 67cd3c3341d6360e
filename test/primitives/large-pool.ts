import { parseRecord } from "../../src/core/codec.js";
import { type LockRecord, permitsOf } from "../../src/core/record.js";
import type { Client, Scene } from "../../testkit/scene.js";

/** The key of one of the records of the semaphore "pool". */
export const partKey = (part: number) => `semaphores/locks/pool${part === 0 ? "" : `.part${part}`}.json`;

export const poolOf = ({ mutex }: Client, permits: number | "stored" = 1000) => mutex.semaphore("pool", { permits });

/** What all records of "pool" say, looked at whenever one of them changes. */
export class LargePool {
  readonly #records = new Map<string, LockRecord>();
  readonly #numbers: number[] = [];
  readonly problems: string[] = [];
  /** The most permits that were out at any instant. */
  mostOut = 0;

  constructor(scene: Scene) {
    const { onChange } = scene.bucket;
    scene.bucket.onChange = (key, body, by) => {
      onChange(key, body, by);
      if (key.startsWith("semaphores/locks/pool")) this.#note(key, body);
    };
  }

  get records(): readonly LockRecord[] {
    return [...this.#records.values()];
  }

  get limit(): number {
    return this.records.reduce((sum, { limit, shares, sharesVersion }) => {
      const counts = shares !== undefined || sharesVersion !== undefined || this.#records.size === 1;
      return sum + (counts ? limit : 0);
    }, 0);
  }

  get out(): number {
    return permitsOf(this.records.flatMap(({ holders }) => holders));
  }

  get waiting(): number {
    return this.records.flatMap(({ queue }) => queue).length;
  }

  #note(key: string, body: string | undefined): void {
    const parsed = body === undefined ? undefined : parseRecord(body);
    if (parsed?.kind !== "record") return void this.#records.delete(key);
    this.#records.set(key, parsed.record);
    const { shares, limit } = this.#records.get(partKey(0)) ?? parsed.record;
    const number = shares?.permits.reduce((sum, share) => sum + share, 0) ?? limit;
    if (this.#numbers.at(-1) !== number) this.#numbers.push(number);
    const larger = Math.max(...this.#numbers.slice(-2));
    if (this.limit > larger) this.problems.push(`limits of ${this.limit} together, of ${larger}`);
    this.mostOut = Math.max(this.mostOut, this.out);
    if (this.out > Math.max(...this.#numbers)) this.problems.push(`${this.out} permits are out, of ${this.#numbers}`);
  }
}
