import { areCompatible, type Claim } from "../record.js";

/** A hold of a caller of this process. */
export interface OwnHold {
  readonly claim: Claim;
  /** For how long the caller has had it. */
  readonly heldMs: number;
  /** How long its lease lasts still; undefined where that is over, or the caller that it is handed to has not taken it up yet. */
  readonly remainingMs: number | undefined;
}

/**
 * Says how long the first waiter of a process may leave the store alone behind holds of its own process; 0: it has to ask. The holder will
 * pass the lock on. Only after a while is the store asked whether it still has it: it may have been released by force, or by another
 * instance of the same owner.
 */
export function restBehind(holds: readonly OwnHold[], claim: Claim, limit = UNKNOWN): number {
  // Unknown, or too few for it even if all were free: the store says so.
  if (!areCompatible([claim], limit)) return 0;
  if (areCompatible([...holds.map((hold) => hold.claim), claim], limit)) return 0;
  // What is being handed on, or has just ended, is heard of here.
  if (holds.some(({ remainingMs }) => remainingMs === undefined)) return Number.POSITIVE_INFINITY;
  const restsMs = holds.map(({ heldMs, remainingMs = 0 }) => Math.min(TRUST_LOCAL_MS - heldMs, remainingMs));
  return Math.max(0, Math.min(...restsMs));
}

/** Says whether callers of this process leave no room for this one, as far as is known here: an answer that needs no request. */
export function areInTheWay(holds: readonly Claim[], claim: Claim, limit = UNKNOWN): boolean {
  return holds.length > 0 && !areCompatible([...holds, claim], limit);
}

/** How a process that passes its lock on by itself leaves the record alone. */
export interface Quiet {
  /** When it last wrote the record. */
  readonly changedAtMs: number;
  /** When the record last stayed as it was for long enough that clients of other processes could have joined its queue. */
  readonly quietAtMs: number;
}

/** A pass that is about to be written. */
export interface Moment {
  readonly nowMs: number;
  /** By then it has to be over. */
  readonly untilMs: number;
  readonly roundTripMs: number;
  /** Whether callers of this process wait for it. */
  readonly hasWaiters: boolean;
}

/**
 * Says for how long to leave the record as it is before the next pass: for a few round trips, now and then. Passes of a process change
 * it every time, and a client that reads it to join the queue loses the race.
 */
export function pauseBeforePass(
  { changedAtMs, quietAtMs: before }: Quiet,
  { nowMs, untilMs, roundTripMs, hasWaiters }: Moment,
): { readonly quietAtMs: number; readonly pauseMs: number | undefined } {
  const pauseMs = QUIET_ROUND_TRIPS * roundTripMs;
  const quietAtMs = nowMs - changedAtMs >= pauseMs ? nowMs : before;
  const isDue = nowMs - quietAtMs > QUIET_EVERY_MS && hasWaiters;
  return isDue && nowMs + 4 * pauseMs <= untilMs ? { quietAtMs: nowMs, pauseMs } : { quietAtMs, pauseMs: undefined };
}

/** Says after how long those behind a request stop to wait for its answer. */
export function stuckAfterMs(roundTripMs: number): number {
  return roundTripMs === 0 ? FIRST_STUCK_MS : Math.max(STUCK_MS, STUCK_ROUND_TRIPS * roundTripMs);
}

/** How many permits there are where that is not known: none that a caller could go by. */
const UNKNOWN = 0;
/** An answer that takes that long, or so many round trips, is not waited for by those behind. */
const STUCK_MS = 100;
/** The same before the first answer has shown how long one takes. */
const FIRST_STUCK_MS = 500;
/** A read and a write, each of which may take twice as long as usual. */
const STUCK_ROUND_TRIPS = 4;
/** The waiters here notice within about a second what was forced from outside. */
const TRUST_LOCAL_MS = 1000;
/** A process that passes its lock on by itself leaves the record alone twice a second, so that waiters of others can write their entries. */
const QUIET_EVERY_MS = 500;
/** A poll that shows the record, the write of an entry, and one to spare. */
const QUIET_ROUND_TRIPS = 3;
