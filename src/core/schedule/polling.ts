import { behindHeadMs, HEAD_POLL_MIN_MS, headPollMs, pollAgeAfterMs, skippedMs } from "../queue.js";
import type { LockRecord } from "../record.js";

/** How long turns took lately, from the record's memory of them; in milliseconds. */
export interface Pace {
  readonly shortestHoldMs: number;
  /** From one grant to the next; infinite while there is none to compare with. */
  readonly shortestTurnMs: number;
  /** The mean where there are enough turns for one, the shortest otherwise. */
  readonly usualHoldMs: number;
  /** One or two turns say little about the next. */
  readonly isVague: boolean;
}

/** What a waiter knows when it decides when to poll again; all in milliseconds. */
export interface Outlook {
  /** Live waiters ahead. */
  readonly position: number;
  /** How long the present holder has had the lock; 0 while the lock is free. */
  readonly holdAgeMs: number;
  /** Live waiters behind. */
  readonly followers: number;
  /** How long the last turn took; 0 while the record remembers none. */
  readonly lastHoldMs: number;
  /** When to poll for the sake of leases that end, from now: see {@link takeoverPollMs}. */
  readonly takeoverPollMs: number;
  readonly roundTripMs: number;
  /** Undefined while the record remembers no turn. */
  readonly pace: Pace | undefined;
  /** Whether the record has an entry of ours, so that others keep our place. */
  readonly isEnqueued: boolean;
  /** A number in [0, 1). */
  readonly random: number;
}

/** Measures the pace of the turns that a record remembers. */
export function paceOf(record: LockRecord): Pace | undefined {
  const turns = record.recent.filter((turn) => turn.ended === "released");
  if (turns.length === 0) return undefined;
  const holds = turns.map((turn) => Math.max(0, turn.toMs - turn.fromMs));
  const shortestHoldMs = Math.min(...holds);
  const isVague = holds.length < VAGUE_TURNS;
  const meanMs = holds.reduce((sum, hold) => sum + hold, 0) / holds.length;
  const starts = [...record.holders.map(({ acquiredAtMs }) => acquiredAtMs), ...turns.map(({ fromMs }) => fromMs)];
  const gaps = starts.slice(1).map((fromMs, at) => Math.max(0, (starts[at] as number) - fromMs));
  return { shortestHoldMs, shortestTurnMs: Math.min(...gaps), usualHoldMs: isVague ? shortestHoldMs : meanMs, isVague };
}

/** Estimates in how long a waiter at this position will have been served, by the shortest of the recent turns. */
export function servedInMs(pace: Pace | undefined, position: number, roundTripMs: number): number {
  return pace === undefined ? Number.POSITIVE_INFINITY : (position + 1) * turnMs(pace, roundTripMs);
}

/** Of fewer, one that was short does not make a pace. With 1, a waiter behind three that have died waits 3 s longer; with 5, nothing changes. */
const VAGUE_TURNS = 3;

/**
 * Says how long to wait before polling again. The first in the queue sleeps until the shortest recent hold would be over,
 * then polls often at first and about every tenth of the hold's age later. Those behind sleep through most of the turns that
 * are due before theirs. No waiter sleeps past the moment at which a lease that is not renewed could be taken over.
 */
export function pollDelayMs(outlook: Outlook): number {
  const delayMs = outlook.position === 0 ? headDelayMs(outlook) : followerDelayMs(outlook);
  return Math.max(1, Math.min(delayMs, outlook.takeoverPollMs));
}

/**
 * Says when to poll for the sake of leases that could be taken over in so many milliseconds: as soon as the next one
 * can. One that could have been, and was not, waits for something else - a waiter ahead is still expected, others hold
 * it too, the lease is watched -: a tenth of the time that it has been overdue, so that polls become rare.
 */
export function takeoverPollMs(endsInMs: readonly number[]): number {
  const nextMs = Math.min(...endsInMs.filter((endMs) => endMs >= 0)) + 1;
  const overdueMs = -Math.max(...endsInMs.filter((endMs) => endMs < 0));
  return Math.max(1, Math.min(nextMs, overdueMs * OVERDUE_SHARE));
}

/** With 0.05 or 0.3, a writer beside a reader that has died finds its turn 0.2 s or 0.8 s later (`npm run bench -- --virtual`). */
const OVERDUE_SHARE = 0.1;

function headDelayMs({ holdAgeMs, pace, followers, roundTripMs, isEnqueued, random }: Outlook): number {
  const spread = 1 - SPREAD * random;
  const usuallyMs = headPollMs(holdAgeMs, roundTripMs, followers);
  if (pace === undefined) {
    // Right before the others poll: they are to find that the first has taken the lock, not that it is free.
    const untilAgeMs = followers > 0 ? pollAgeAfterMs(holdAgeMs + HEAD_POLL_MIN_MS) - holdAgeMs : usuallyMs;
    return Math.min(usuallyMs * spread, untilAgeMs) * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  }
  // What is seen is as old as the answer's way back, and what is asked takes as long to get there.
  const dueMs = pace.isVague ? 0 : Math.min(pace.shortestHoldMs - holdAgeMs - roundTripMs / 2, HEAD_SLEEP_MAX_MS);
  const isDue = holdAgeMs < DUE_FACTOR * pace.usualHoldMs;
  const often = isDue ? Math.min(Math.max(HEAD_POLL_MIN_MS, roundTripMs / 2, holdAgeMs / 10), usuallyMs) : usuallyMs;
  return Math.max(often * spread, dueMs);
}

/**
 * Without, a lock stands idle 8 to 18 % longer between holds of 0.3 to 4 s; with 0.6, a waiter beside a dead one polls 20 % more often
 * (`npm run bench -- --virtual`).
 */
const SPREAD = 0.3;
/** No place is kept for it that it could be passed over in, and there are more than 64 like it: it may cost half as much. */
const UNQUEUED_FACTOR = 2;
/** However long turns were lately, the next may be short: the first in the queue never sleeps longer than this on that account. */
const HEAD_SLEEP_MAX_MS = 200;
/** A hold that lasts longer than this many of the usual ones is not a usual one. */
const DUE_FACTOR = 3;

function followerDelayMs(outlook: Outlook): number {
  const { position, holdAgeMs, pace, roundTripMs, isEnqueued } = outlook;
  const unknownMs = untilPollAgeMs(outlook) * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  if (pace === undefined) return unknownMs;
  // By the shortest turns: who sleeps too long is passed over.
  const aTurnMs = turnMs(pace, roundTripMs);
  const untilHeadMs = Math.max(0, aTurnMs - holdAgeMs) + (position - 1) * aTurnMs;
  const asleepMs = (untilHeadMs + pace.shortestHoldMs) * (position === 1 ? NEXT_SLEEP : 1);
  const shortestMs = Math.min(headPollMs(holdAgeMs, roundTripMs, 1), unknownMs);
  const longestMs = pace.isVague ? longestVagueSleepMs(outlook, unknownMs) : FOLLOWER_SLEEP_MAX_MS;
  return clamp(asleepMs, shortestMs, Math.max(shortestMs, longestMs));
}

/**
 * Limits sleep where one or two turns say little about the next: each further back sleeps as long as it would at very short
 * ones, and learns more when it wakes up. Where no waiter has come for the free lock yet, it takes longer in any case.
 */
function longestVagueSleepMs({ position, holdAgeMs }: Outlook, unknownMs: number): number {
  const longestMs = Math.max(VAGUE_TURN_MS * position, holdAgeMs === 0 ? unknownMs : 0);
  return Math.min(longestMs, FOLLOWER_SLEEP_MAX_MS);
}

/** Estimates a turn, grant to grant, by the shortest recent one; of the time between turns no more counts than a few round trips. */
function turnMs({ shortestHoldMs, shortestTurnMs }: Pace, roundTripMs: number): number {
  const passingMs = (trips: number): number => shortestHoldMs + trips * roundTripMs;
  return clamp(shortestTurnMs, passingMs(PASSING_TRIPS.least), passingMs(PASSING_TRIPS.most));
}

/** The release and the grant that follows it; and what they take with a poll that is late, a lost race and another try. */
const PASSING_TRIPS = { least: 2, most: 5 };

/** The second in the queue sleeps through this part of the time until its turn: the turn ahead may be shorter, or not be taken. */
const NEXT_SLEEP = 0.8;
/** A third of an entry's life: whatever the pace has promised, a follower wakes up in time to refresh its entry. */
const FOLLOWER_SLEEP_MAX_MS = 5000;
/** With 50, a queue of twelve costs 40 % more requests a grant; with 200, it is 8 % slower, and so is a waiter behind dead ones. */
const VAGUE_TURN_MS = 100;

/**
 * Says how long followers that do not know the pace sleep: they poll at the same ages of a hold, doubling and then
 * evenly apart. When it ends, all of them notice at once, and the queue moves on without waiting for one sleeper
 * after another. The further back, the more of the early polls are left out.
 */
function untilPollAgeMs({ position, holdAgeMs, lastHoldMs, roundTripMs }: Outlook): number {
  // The lock is free: it changes hands as soon as the first in the queue polls.
  if (holdAgeMs === 0) {
    const soonMs = Math.max(HEAD_POLL_MIN_MS, 2 * roundTripMs) * (1 + position / 2);
    return Math.max(soonMs, (headPollMs(lastHoldMs, roundTripMs, position) / 3) * (1 + position / 8));
  }
  return (
    pollAgeAfterMs(holdAgeMs + skippedMs(holdAgeMs, position, roundTripMs)) - holdAgeMs + behindHeadMs(roundTripMs)
  );
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
