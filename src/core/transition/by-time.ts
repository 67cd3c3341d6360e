import { needsDates } from "../dating.js";
import { type Attempt, isExpired, isWaiting } from "../expiry.js";
import type { LockRecord } from "../record.js";
import type { Change } from "./decision.js";

/**
 * Says whether a decision is only right if it is as late as this client thinks: it may end a lease or drop a waiter that is over by
 * the clock, or tell its caller so; put the end of one right that is too far ahead; or remove an object that was at rest.
 */
export function isByTime(record: LockRecord | undefined, change: Change | undefined, attempt: Attempt): boolean {
  if (change?.kind === "remove") return true;
  if (record === undefined) return false;
  const hasEnded = record.holders.some((holder) => isExpired(holder, attempt));
  return hasEnded || record.queue.some((waiter) => !isWaiting(waiter, attempt)) || needsDates(record, attempt);
}

/** Says whether a lease begins with it, whose end this client's time tells to all others. */
export function publishesLease(change: Change, { writeId }: Attempt): boolean {
  return change.kind === "write" && change.record.holders.some(({ leaseWriteId }) => leaseWriteId === writeId);
}
