import { leaseKey } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import { type ClockReading, elapsedForObserver } from "../../core/store-time.js";

/**
 * Watches leases of others on the local clock alone (`takeover: "observed"`): one that was seen, unrenewed, for its whole
 * length has ended, whatever any wall clock says. Each is told apart by its holder and the write that it counts from.
 */
export class LeaseWatch {
  readonly #firstSeen = new Map<string, ClockReading>();

  /** The record was seen at this moment. Leases that are not in it any more, or were renewed, start anew. */
  note(record: LockRecord | undefined, reading: ClockReading): void {
    const leases = new Set(record?.holders.map(leaseKey));
    for (const lease of this.#firstSeen.keys()) if (!leases.has(lease)) this.#firstSeen.delete(lease);
    for (const lease of leases) if (!this.#firstSeen.has(lease)) this.#firstSeen.set(lease, reading);
  }

  /** The leases in this record that have been watched to their end, by their keys. */
  ended(record: LockRecord | undefined, reading: ClockReading): ReadonlySet<string> {
    const over = (record?.holders ?? []).filter((holder) => {
      const since = this.#firstSeen.get(leaseKey(holder));
      return since !== undefined && elapsedForObserver(since, reading) >= holder.leaseMs;
    });
    return new Set(over.map(leaseKey));
  }
}
