import { leaseKey, restKey } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import { type ClockReading, elapsedForObserver } from "../../core/store-time.js";

/**
 * Watches leases of others on the local clock alone (`takeover: "observed"`): one that was seen, unrenewed, for its whole
 * length has ended, whatever any wall clock says. Each is told apart by its holder and the write that it counts from.
 */
export class LeaseWatch {
  readonly #toleranceMs: number;
  /** By lease: for how long it has been watched, in milliseconds. */
  readonly #watchedMs = new Map<string, number>();
  #lastReading: ClockReading | undefined;

  /** @param toleranceMs how long a lock rests that a sweep has freed */
  constructor(toleranceMs: number) {
    this.#toleranceMs = toleranceMs;
  }

  /** Notes that the record was seen at this moment. Leases that are not in it any more, or were renewed, start anew. */
  note(record: LockRecord | undefined, reading: ClockReading): void {
    const elapsedMs = this.#sinceLastMs(reading);
    const watched = this.#lengthsOf(record).map(
      ([lease]) => [lease, (this.#watchedMs.get(lease) ?? -elapsedMs) + elapsedMs] as const,
    );
    this.#watchedMs.clear();
    for (const [lease, ms] of watched) this.#watchedMs.set(lease, ms);
    this.#lastReading = reading;
  }

  /** Finds the leases in this record that have been watched to their end, by their keys. */
  ended(record: LockRecord | undefined, reading: ClockReading): ReadonlySet<string> {
    const elapsedMs = this.#sinceLastMs(reading);
    const over = this.#lengthsOf(record).filter(([lease, lengthMs]) => {
      const watchedMs = this.#watchedMs.get(lease);
      return watchedMs !== undefined && watchedMs + elapsedMs >= lengthMs;
    });
    return new Set(over.map(([lease]) => lease));
  }

  /** Lists what is watched, by its key, and for how long. */
  #lengthsOf({ holders = [], notBeforeMs }: Partial<LockRecord> = {}): readonly (readonly [string, number])[] {
    const leases = holders.map((holder) => [leaseKey(holder), holder.leaseMs] as const);
    return notBeforeMs === undefined ? leases : [...leases, [restKey(notBeforeMs), this.#toleranceMs]];
  }

  /**
   * Measures from one poll to the next: a clock that is set back costs the time between two polls, and not that it has to catch up
   * first, which can take hours.
   */
  #sinceLastMs(reading: ClockReading): number {
    return this.#lastReading === undefined ? 0 : Math.max(0, elapsedForObserver(this.#lastReading, reading));
  }
}
