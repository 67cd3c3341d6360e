import { headPollMs } from "./queue.js";
import type { LockRecord } from "./record.js";

/** How long turns took lately, from the record's memory of them; all in milliseconds. */
export interface Pace {
  readonly shortestHoldMs: number;
  readonly meanHoldMs: number;
}

/** What a waiter knows when it decides when to look again; all in milliseconds. */
export interface Outlook {
  /** Live waiters ahead. */
  readonly position: number;
  /** How long the present holder has had the lock; 0 while nobody has it. */
  readonly holdAgeMs: number;
  /** Until the present lease could be taken over. */
  readonly untilTakeoverMs: number;
  readonly roundTripMs: number;
  /** Undefined while the record remembers no turn. */
  readonly pace: Pace | undefined;
  /** Whether the record has an entry of ours, so that others keep our place. */
  readonly isEnqueued: boolean;
  /** A number in [0, 1). */
  readonly random: number;
}

/** The pace of the turns that a record remembers. */
export function paceOf(record: LockRecord): Pace | undefined {
  const turns = record.recent.filter((turn) => turn.ended === "released");
  if (turns.length === 0) return undefined;
  const holds = turns.map((turn) => Math.max(0, turn.toMs - turn.fromMs));
  return { shortestHoldMs: Math.min(...holds), meanHoldMs: mean(holds) };
}

/**
 * How long to wait before looking again. The first in line sleeps until the shortest recent hold would be over, then looks
 * often at first and at most about every tenth of the hold's age later. Those behind sleep through most of the turns that
 * are due before theirs. Nobody sleeps past the moment at which a lease that is not renewed could be taken over.
 */
export function pollDelayMs(outlook: Outlook): number {
  const delayMs = outlook.position === 0 ? headDelayMs(outlook) : followerDelayMs(outlook);
  const spread = 1 - SPREAD * outlook.random;
  return Math.max(1, Math.min(delayMs * spread, Math.max(outlook.untilTakeoverMs, 0) + 1));
}

const SPREAD = 0.1;

function headDelayMs({ holdAgeMs, pace, roundTripMs, isEnqueued }: Outlook): number {
  const often = headPollMs(holdAgeMs) * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  if (pace === undefined) return often;
  // What is seen is as old as the answer's way back, and what is asked takes as long to get there.
  const dueMs = pace.shortestHoldMs - holdAgeMs - roundTripMs / 2;
  return Math.max(often, Math.min(dueMs, HEAD_NAP_MAX_MS));
}

/** However long turns were lately, the next may be short: the first in line never sleeps longer than this on that account. */
const HEAD_NAP_MAX_MS = 200;
const UNQUEUED_FACTOR = 2;

function followerDelayMs({ position, holdAgeMs, pace, roundTripMs, isEnqueued }: Outlook): number {
  const often = headPollMs(holdAgeMs) * (1 + position / 2) * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  if (pace === undefined) return Math.min(often, FOLLOWER_NAP_UNKNOWN_MS);
  // What hand-overs really took is no measure: whoever sleeps too long would learn to sleep longer.
  const turnMs = pace.meanHoldMs + HANDOVER_ROUND_TRIPS * roundTripMs;
  const untilHeadMs = Math.max(0, turnMs - holdAgeMs) + (position - 1) * turnMs;
  const dueMs = untilHeadMs + pace.shortestHoldMs;
  return clamp(dueMs * FOLLOWER_NAP, Math.min(often, FOLLOWER_NAP_UNKNOWN_MS), FOLLOWER_NAP_MAX_MS);
}

/** The part of the time until its turn that a follower sleeps through: turns ahead may be shorter, or not be taken. */
const FOLLOWER_NAP = 0.8;
/** Release, look and acquisition, from one caller's hold to the next. */
const HANDOVER_ROUND_TRIPS = 2;
const FOLLOWER_NAP_UNKNOWN_MS = 1250;
const FOLLOWER_NAP_MAX_MS = 5000;

/**
 * How long to hold an enqueue back; 0: write now. Each write makes everybody else's fail, and nobody is in a hurry to stand
 * at the end of a line: the quiet moment is early in a hold, not while the lock is about to change hands.
 */
export function enqueueDelayMs(record: LockRecord, nowMs: number, roundTripMs: number, random: number): number {
  const pace = paceOf(record);
  if (pace === undefined) return 0;
  const [holder] = record.holders;
  const settleMs = roundTripMs * (1.5 + random);
  if (holder === undefined) return record.queue.length > 0 ? settleMs : 0;
  const ageMs = nowMs - holder.acquiredAtMs;
  const isEarly = ageMs + roundTripMs < pace.shortestHoldMs;
  const isOverdue = ageMs > 1.5 * pace.meanHoldMs;
  return isEarly || isOverdue ? 0 : Math.max(0, pace.meanHoldMs - ageMs) + settleMs;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
