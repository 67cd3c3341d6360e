import { type Attempt, ENTRY_LIFE_MS, FAR_AHEAD_MS, isUndated } from "./expiry.js";
import type { Holder, LockRecord, Turn, Waiter } from "./record.js";

/**
 * Times in a record that do not come from store time: a bare wall clock told them, or one answer that was hours off.
 * A client that knows store time puts them right; otherwise waiters would wait until then for a holder that has died.
 */

type Dated = Pick<LockRecord, "holders" | "queue" | "recent" | "freeSinceMs">;

/** Says whether a client that knows store time has to write, even if it has nothing else to say. */
export function needsDates(record: Dated, attempt: Attempt): boolean {
  if (attempt.lacksStoreTime) return false;
  const { holders, queue, recent, freeSinceMs = 0 } = record;
  return (
    isFarAhead(freeSinceMs, attempt) ||
    holders.some((holder) => needsDate(holder, attempt)) ||
    queue.some((waiter) => isBeyondBelief(waiter, attempt)) ||
    recent.some(({ toMs }) => isFarAhead(toMs, attempt))
  );
}

/** Puts those times of a record right. */
export function dated<Some extends Dated>(record: Some, attempt: Attempt): Some {
  if (!needsDates(record, attempt)) return record;
  const { latestMs } = attempt.now;
  const { freeSinceMs = 0 } = record;
  return {
    ...record,
    holders: record.holders.map((holder) => (needsDate(holder, attempt) ? datedHolder(holder, attempt) : holder)),
    queue: record.queue.map((waiter) => (isBeyondBelief(waiter, attempt) ? datedWaiter(waiter, attempt) : waiter)),
    recent: record.recent.map((turn) => (isFarAhead(turn.toMs, attempt) ? datedTurn(turn, attempt) : turn)),
    ...(isFarAhead(freeSinceMs, attempt) ? { freeSinceMs: latestMs } : {}),
  };
}

function isFarAhead(atMs: number, { now }: Attempt): boolean {
  return atMs > now.latestMs + FAR_AHEAD_MS;
}

/**
 * Says whether to date a hold: another client's wall clock is not believed about its end, nor an end further away than the lease is long.
 */
function needsDate(holder: Holder, attempt: Attempt): boolean {
  if (holder.leaseWriteId.startsWith("1.x/")) return false;
  return isUndated(holder, attempt) || isFarAhead(holder.expiresAtMs - holder.leaseMs, attempt);
}

/** Dates a hold anew. Its holder counts it from before it was written, so it is over a whole lease from now at the latest. */
function datedHolder({ undated: _, ...holder }: Holder, { now: { latestMs } }: Attempt): Holder {
  // One that has to last is not to seem older than it is.
  const acquiredAtMs = holder.holdAtLeastMs === undefined ? Math.min(holder.acquiredAtMs, latestMs) : latestMs;
  return { ...holder, acquiredAtMs, renewedAtMs: latestMs, expiresAtMs: latestMs + holder.leaseMs };
}

function isBeyondBelief({ expiresAtMs }: Waiter, attempt: Attempt): boolean {
  return isFarAhead(expiresAtMs - ENTRY_LIFE_MS, attempt);
}

/** Dates an entry anew. A waiter that lives refreshes it; one that has died is waited for no longer than usual. */
function datedWaiter(waiter: Waiter, { now: { latestMs } }: Attempt): Waiter {
  return { ...waiter, sinceMs: Math.min(waiter.sinceMs, latestMs), expiresAtMs: latestMs + ENTRY_LIFE_MS };
}

function datedTurn(turn: Turn, { now: { latestMs } }: Attempt): Turn {
  return { ...turn, fromMs: Math.min(turn.fromMs, latestMs), toMs: latestMs };
}
