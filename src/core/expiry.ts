import type { Holder, Waiter } from "./record.js";
import type { StoreTime } from "./store-time.js";

/** What one attempt brings along: the store's time, an id for the write, and how leases are judged. */
export interface Attempt {
  readonly now: StoreTime;
  readonly writeId: string;
  /** How long after its expiry a lease is left alone: what two clocks may differ by. */
  readonly toleranceMs: number;
  /**
   * With `takeover: "observed"`: the leases ({@link leaseKey}) that were watched, unrenewed, to their end. Given, only these
   * have ended, whatever any clock says.
   */
  readonly observedEnded?: ReadonlySet<string>;
  /** The store sends no `Date`: `now` is the local wall clock, which may be hours off, and removing rests on more than that. */
  readonly lacksStoreTime?: boolean;
  /** What is known of the store's time rests on one answer, or on answers that contradict each other: one end of `now` may be hours off. */
  readonly isTimeDoubted?: boolean;
  /** When the store took in the version that is judged, where its answer said so: a write may land long after its transition. */
  readonly landedAtMs?: number | undefined;
  /** The bucket keeps versions: an object that was deleted stays as a delete marker, so a tombstone is written instead. */
  readonly keepsVersions?: boolean;
}

/** Says whether another acquisition may take this holder's place. */
export function mayBeTakenOver(holder: Holder, attempt: Attempt): boolean {
  if (attempt.observedEnded !== undefined) return attempt.observedEnded.has(leaseKey(holder));
  if (isUndated(holder, attempt)) return false;
  return attempt.now.earliestMs > holder.expiresAtMs + attempt.toleranceMs;
}

/**
 * Tells one lease from all others: by whose it is, and the write that it counts from. The write alone does not: one
 * write renews all permits that a process holds in a semaphore, and their leases may differ.
 */
export function leaseKey({ id, leaseWriteId }: Pick<Holder, "id" | "leaseWriteId">): string {
  return JSON.stringify([id, leaseWriteId]);
}

/** Tells the rest that a sweep has left to a lock from all others, where it is watched as leases are. */
export function restKey(notBeforeMs: number): string {
  return `rest until ${notBeforeMs}`;
}

/**
 * Says whether the tolerance towards a holder that a sweep has ended has been kept. It was counted by the sweeper's
 * store time; a client that has none, whose wall clock may be hours behind, watches the lock for that long.
 */
export function isRestOver(notBeforeMs: number, { now, lacksStoreTime, observedEnded }: Attempt): boolean {
  if (lacksStoreTime && observedEnded !== undefined) return observedEnded.has(restKey(notBeforeMs));
  return now.earliestMs > notBeforeMs;
}

/**
 * Says whether the entry still counts; no tolerance: dropping one too early costs a place in the queue at worst,
 * and not even that. Where there is no store time, one that would live for longer than any does was written by a
 * wall clock that is far ahead: waiters do not wait for hours for a holder that has died.
 */
export function isWaiting({ expiresAtMs }: Waiter, attempt: Pick<Attempt, "now" | "lacksStoreTime">): boolean {
  const { earliestMs, latestMs } = attempt.now;
  if (attempt.lacksStoreTime && expiresAtMs > latestMs + LONGEST_ENTRY_MS) return false;
  return earliestMs <= expiresAtMs;
}

/**
 * How long a queue entry lives without being refreshed: that of a process that died is dropped after this. A quarter of the usual lease,
 * so that the dead are gone before the lock that they died behind is free; and each waiter costs five writes a minute at most, for a
 * refresh comes with three seconds to spare.
 */
export const ENTRY_LIFE_MS = 15_000;
/** Twice that: an entry that ends later was written by a clock that is ahead by more than all that clocks which are right may differ by. */
export const LONGEST_ENTRY_MS = 2 * ENTRY_LIFE_MS;

/** By less than this clocks that are right may differ, as far as they are known. */
export const FAR_AHEAD_MS = 60_000;

/**
 * Says when a caller began to wait, in store time, as that is known now: it stays what was told first, unless that
 * was hours ahead, which would put the caller behind all who come within those hours.
 */
export function arrivalMs(nowKnownMs: number, toldMs = nowKnownMs): number {
  return toldMs > nowKnownMs + FAR_AHEAD_MS ? nowKnownMs : toldMs;
}

/** What it takes to tell by the clock whether a lease is over. */
export type Clocked = Pick<Attempt, "now" | "lacksStoreTime">;

/** Says whether its end says nothing to a client that knows store time: no answer of the store had bounded the wall clock it is from. */
export function isUndated({ undated }: Holder, { lacksStoreTime }: Clocked): boolean {
  return undated === true && lacksStoreTime !== true;
}

/** Says whether the lease is over by the store's clock. */
export function isExpired(holder: Holder, attempt: Clocked): boolean {
  return !isUndated(holder, attempt) && attempt.now.earliestMs > holder.expiresAtMs;
}
