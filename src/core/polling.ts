import { epochAfterMs, FIRST_EPOCH_MS, HEAD_POLL_MIN_MS, headPollMs, skippedMs } from "./queue.js";
import type { LockRecord } from "./record.js";

/** How long turns took lately, from the record's memory of them; in milliseconds. */
export interface Pace {
  readonly shortestHoldMs: number;
  /** The mean where there are enough turns for one, the shortest otherwise. */
  readonly usualHoldMs: number;
  /** One or two turns say little about the next. */
  readonly isVague: boolean;
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
  const shortestHoldMs = Math.min(...holds);
  const isVague = holds.length < VAGUE_TURNS;
  const meanMs = holds.reduce((sum, hold) => sum + hold, 0) / holds.length;
  return { shortestHoldMs, usualHoldMs: isVague ? shortestHoldMs : meanMs, isVague };
}

const VAGUE_TURNS = 3;

/**
 * How long to wait before looking again. The first in line sleeps until the shortest recent hold would be over, then looks
 * often at first and about every sixth of the hold's age later. Those behind sleep through most of the turns that are due
 * before theirs. Nobody sleeps past the moment at which a lease that is not renewed could be taken over.
 */
export function pollDelayMs(outlook: Outlook): number {
  const delayMs = outlook.position === 0 ? headDelayMs(outlook) : followerDelayMs(outlook);
  return Math.max(1, Math.min(delayMs, Math.max(outlook.untilTakeoverMs, 0) + 1));
}

function headDelayMs({ holdAgeMs, pace, roundTripMs, isEnqueued, random }: Outlook): number {
  const spread = 1 - SPREAD * random;
  if (pace === undefined) return headPollMs(holdAgeMs, roundTripMs) * spread * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  // What is seen is as old as the answer's way back, and what is asked takes as long to get there.
  const dueMs = pace.isVague ? 0 : Math.min(pace.shortestHoldMs - holdAgeMs - roundTripMs / 2, HEAD_NAP_MAX_MS);
  const isDue = holdAgeMs < DUE_FACTOR * pace.usualHoldMs;
  const usuallyMs = headPollMs(holdAgeMs, roundTripMs);
  const often = isDue ? Math.min(Math.max(HEAD_POLL_MIN_MS, roundTripMs / 2, holdAgeMs / 10), usuallyMs) : usuallyMs;
  return Math.max(often * spread, dueMs);
}

const SPREAD = 0.3;
const UNQUEUED_FACTOR = 2;
/** However long turns were lately, the next may be short: the first in line never sleeps longer than this on that account. */
const HEAD_NAP_MAX_MS = 200;
/** A hold that lasts longer than this many of the usual ones is none of them. */
const DUE_FACTOR = 3;

function followerDelayMs(outlook: Outlook): number {
  const { position, holdAgeMs, pace, roundTripMs, isEnqueued } = outlook;
  const unknownMs = nextEpochMs(outlook) * (isEnqueued ? 1 : UNQUEUED_FACTOR);
  if (pace === undefined) return unknownMs;
  // By the shortest turns: who sleeps too long is passed over. What hand-overs really took is no measure either: whoever
  // sleeps too long would learn to sleep longer.
  const turnMs = pace.shortestHoldMs + HANDOVER_ROUND_TRIPS * roundTripMs;
  const untilHeadMs = Math.max(0, turnMs - holdAgeMs) + (position - 1) * turnMs;
  const napMs = (untilHeadMs + pace.shortestHoldMs) * FOLLOWER_NAP;
  const longestMs = pace.isVague ? FIRST_EPOCH_MS : FOLLOWER_NAP_MAX_MS;
  return clamp(napMs, Math.min(headPollMs(holdAgeMs, roundTripMs), unknownMs), longestMs);
}

/** The part of the time until its turn that a follower sleeps through: turns ahead may be shorter, or not be taken. */
const FOLLOWER_NAP = 0.8;
/** Release, look and acquisition, from one caller's hold to the next. */
const HANDOVER_ROUND_TRIPS = 2;
const FOLLOWER_NAP_MAX_MS = 5000;

/**
 * Followers who do not know the pace look at the same ages of a hold, doubling and then evenly apart: when it ends, all of
 * them notice at once, and the line moves on without waiting for one sleeper after another. The further back, the more of
 * the early looks are left out.
 */
function nextEpochMs({ position, holdAgeMs, roundTripMs }: Outlook): number {
  // Nobody holds it: it is changing hands right now.
  if (holdAgeMs === 0) return Math.max(HEAD_POLL_MIN_MS, 2 * roundTripMs) * (1 + position / 2);
  return epochAfterMs(holdAgeMs + skippedMs(holdAgeMs, position, roundTripMs)) - holdAgeMs;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** What somebody knows who has just lost the race to write. */
export interface LostRace {
  /** How many in a row. */
  readonly races: number;
  /**
   * What the lock looked like: nobody's, so that the winner took it; open, so that there is room beside the winner, too; not
   * there at all, so that everybody came at once.
   */
  readonly sight: "absent" | "free" | "open" | "held";
  /** Whether the record tells of quick turns, so that it was probably one of them that won. */
  readonly hasPace: boolean;
  /** How many wait already: nobody is in a hurry to stand at the end of a long line. */
  readonly queueLength: number;
  /** Whether it has a place already, and only has to keep it. */
  readonly isEnqueued: boolean;
  readonly roundTripMs: number;
  readonly random: number;
}

/**
 * How long to step back after losing a race. Where turns are quick, it was one of those, and the next gap is near; where
 * they are not, it was others who want to join, nobody knows how many: all of them spread out, more each time.
 */
export function raceDelayMs(lost: LostRace): number {
  const { races, sight, hasPace, queueLength, isEnqueued, roundTripMs, random } = lost;
  const tripMs = Math.max(roundTripMs, MIN_TRIP_MS) * (1 + queueLength / 8);
  if (sight === "free" && races <= 2) return 0;
  // There is a winner every round trip, and all the others need is one such turn each.
  if (sight === "open") return tripMs * 2 * random * Math.min(races, 4);
  if (sight === "absent") return tripMs * (1 + 8 * random);
  // An entry that is not refreshed in time is dropped.
  if (isEnqueued) return Math.min(tripMs * (0.5 + 2 * random), REFRESH_RETRY_MAX_MS);
  if (hasPace) return tripMs * (0.5 + 2 * random) * 1.4 ** Math.min(Math.max(0, races - 3), 4);
  return tripMs * (4 + random * 40 * 1.3 ** Math.min(races - 1, 3));
}

const MIN_TRIP_MS = 5;
const REFRESH_RETRY_MAX_MS = 1000;
