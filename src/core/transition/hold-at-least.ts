import { type Attempt, isUndated } from "../expiry.js";
import type { Holder, LockRecord } from "../record.js";
import { leaseFrom } from "./decision.js";

type Kept = Pick<Holder, "acquiredAtMs" | "holdAtLeastMs" | "undated">;

/**
 * Says for how much longer a hold has to last, in milliseconds; 0 once it was held for as long as its holder asked
 * for. Where the store tells no time, nothing is known of how long that was: it lasts as long again.
 */
export function owedMs(holder: Kept, attempt: Attempt): number {
  const { acquiredAtMs, holdAtLeastMs = 0 } = holder;
  if (holder.undated || attempt.lacksStoreTime) return holdAtLeastMs;
  return Math.min(Math.max(0, acquiredAtMs + holdAtLeastMs - attempt.now.earliestMs), holdAtLeastMs);
}

/** Gives the lease that begins with this attempt: no shorter than what the hold has to last, so that its end says so whatever happens. */
export function leaseOf(holder: Kept, leaseMs: number, attempt: Attempt) {
  return leaseFrom(Math.max(leaseMs, owedMs(holder, attempt)), attempt);
}

/** Says since when a hold counts that was not dated: from the first moment that is known. */
export function sinceFirstDated(holder: Holder, attempt: Attempt): Pick<Holder, "acquiredAtMs"> {
  const isDatedNow = holder.holdAtLeastMs !== undefined && isUndated(holder, attempt);
  return { acquiredAtMs: isDatedNow ? attempt.now.latestMs : holder.acquiredAtMs };
}

/**
 * Gives what is left of the holders once these have been given back. One that has to last longer stays, so that no
 * other holder comes in: it is not renewed, and ends like a lease.
 */
export function withoutReleased({ holders }: LockRecord, leaving: readonly Holder[], attempt: Attempt) {
  const stays = (holder: Holder) => owedMs(holder, attempt) > 0;
  const after = (holder: Holder) => (stays(holder) ? [released(holder, attempt)] : []);
  return {
    holders: holders.flatMap((holder) => (leaving.includes(holder) ? after(holder) : [holder])),
    gone: leaving.filter((holder) => !stays(holder)),
  };
}

function released(held: Holder, attempt: Attempt): Holder {
  const { undated: _, ...holder } = held;
  return { ...holder, ...leaseFrom(owedMs(held, attempt), attempt), releasedAtMs: attempt.now.latestMs };
}
