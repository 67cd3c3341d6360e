import type { LockRecord } from "../core/record.js";
import { type ClockReading, elapsedForObserver } from "../core/store-time.js";

/**
 * Watches leases of others on the local clock alone (`takeover: "observed"`): one that was seen, unrenewed, for its whole
 * length has ended, whatever any wall clock says. Renewals are told apart by the id of their write.
 */
export class LeaseWatch {
  readonly #firstSeen = new Map<string, ClockReading>();

  /** The record was seen at this moment. Holders that are not in it any more, or were renewed, start anew. */
  note(record: LockRecord | undefined, reading: ClockReading): void {
    const renewals = new Set(record?.holders.map((holder) => holder.renewal));
    for (const renewal of this.#firstSeen.keys()) if (!renewals.has(renewal)) this.#firstSeen.delete(renewal);
    for (const renewal of renewals) if (!this.#firstSeen.has(renewal)) this.#firstSeen.set(renewal, reading);
  }

  /** The renewals in this record whose leases have been watched to their end. */
  ended(record: LockRecord | undefined, reading: ClockReading): ReadonlySet<string> {
    const over = (record?.holders ?? []).filter((holder) => {
      const since = this.#firstSeen.get(holder.renewal);
      return since !== undefined && elapsedForObserver(since, reading) >= holder.leaseMs;
    });
    return new Set(over.map((holder) => holder.renewal));
  }
}
