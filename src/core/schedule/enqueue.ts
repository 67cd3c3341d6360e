import { FAR_AHEAD_MS } from "../expiry.js";
import type { LockRecord, Turn, Waiter } from "../record.js";

/**
 * When a waiter writes its entry, and how long it steps back. Every such write makes the one fail that the holder sends next,
 * and of all that are sent at once only the first one counts. So entries go where they cost least: onto what a holder has
 * just written, one each, so that the holder never loses twice in a row.
 */

/** What a caller that could write an entry sees. */
export interface JoinSight {
  readonly nowMs: number;
  readonly roundTripMs: number;
  /** The instance that wants to join. */
  readonly ownerId: string;
  /** How often it lost a race or found the record better left alone. */
  readonly setbacks: number;
  /** A number in [0, 1). */
  readonly random: number;
}

/** Says whether to write an entry onto this version; otherwise it is left alone for now. */
export function mayJoin(record: LockRecord, sight: JoinSight): boolean {
  // No other client can have seen it before its writer has: the writer is first in any case.
  if (isReleaseOf(record, sight.ownerId)) return true;
  const tripMs = tripOf(sight);
  const ageMs = sight.nowMs - record.touchedAtMs;
  // The age of a version whose writer had no store time is not known either.
  if (ageMs > QUIET_TRIPS * tripMs || ageMs < -FAR_AHEAD_MS) return true;
  const isHolders = record.holders.some(({ renewedAtMs }) => renewedAtMs === record.touchedAtMs);
  if (!isHolders) return false;
  if (sight.setbacks === 0 || areFew(record)) return true;
  // What is no longer fresh has been seen by others too, and one of their entries is on its way.
  return ageMs <= FRESH_TRIPS * tripMs && (sight.setbacks === 1 || sight.random < JOIN_CHANCE);
}

/** Limits a round trip: a process that was suspended takes what it slept through for one, and would stay away for too long. */
function tripOf({ roundTripMs }: { readonly roundTripMs: number }): number {
  return Math.min(Math.max(roundTripMs, MIN_TRIP_MS), MAX_TRIP_MS);
}

/** Timers have whole milliseconds, and are late by one or two: plans in fractions of that would be noise. */
const MIN_TRIP_MS = 5;
/** A store on another continent: what takes longer was slept through, or waited for something else. */
const MAX_TRIP_MS = 200;
/** A version that has been there for this long is fresh for no client: the holder has time. */
const QUIET_TRIPS = 4;
/** A read and a write: a client that saw the version later comes second to one that saw it at once. */
const FRESH_TRIPS = 2;
/** Of three that have seen it one writes. With 0.15 or 0.7, a semaphore has 4 % fewer turns a second (`npm run bench -- --virtual`). */
const JOIN_CHANCE = 0.35;

/** Says whether a waiter may put off refreshing its entry: it will be served before it expires, or the record is better left alone. */
export function mayPutOff(
  waiter: Waiter,
  expected: { readonly servedInMs: number; readonly mayWrite: boolean; readonly nowMs: number },
): boolean {
  const spareMs = waiter.expiresAtMs - expected.nowMs - REFRESH_RESERVE_MS;
  return spareMs > 0 && (!expected.mayWrite || spareMs > 2 * expected.servedInMs);
}

/** However busy the record is, an entry is refreshed when this much is left of it: time for three tries that lose, a second apart. */
export const REFRESH_RESERVE_MS = 3000;

/**
 * Says whether the last holder is probably about to join again: those before it have. It needs no poll for that, so
 * its entry comes before anything that is written now.
 */
export function isReturnLikely(record: LockRecord): boolean {
  const [last, ...before] = record.recent;
  if (last === undefined || record.touchedAtMs !== last.toMs || isPresent(record, last)) return false;
  const latest = before.slice(0, RETURNS_SEEN - 1);
  return latest.length > 0 && latest.filter((turn) => isPresent(record, turn)).length >= Math.min(2, before.length);
}

/** Says whether earlier holders want the lock again: then they are few, and one more finds a gap soon. */
function areFew(record: LockRecord): boolean {
  return record.queue.length <= FEW && countReturns(record) >= 2;
}

/** Says whether each turn belongs to another client: then it is not known how many more there are. */
function areMany(record: LockRecord): boolean {
  return record.queue.length > FEW || (record.recent.length >= 2 && countReturns(record) === 0);
}

/**
 * More waiters than this are a crowd. With 4, the slowest of eight clients that take turns waits twice as long; with 16, a semaphore has
 * 4 % fewer turns a second (`npm run bench -- --virtual`, as in all of these).
 */
export const FEW = 8;
/** With 2, the slowest of those eight clients waits twice as long, since some seem not to come back; with 8, a semaphore loses 4 %. */
const RETURNS_SEEN = 4;

function countReturns(record: LockRecord): number {
  const latest = record.recent.slice(0, RETURNS_SEEN);
  const isBack = (turn: Turn, at: number) =>
    isPresent(record, turn) || latest.slice(0, at).some(({ owner }) => owner === turn.owner);
  return latest.filter(isBack).length;
}

function isPresent({ queue, holders }: LockRecord, { owner }: Turn): boolean {
  return [...queue, ...holders].some((one) => one.owner === owner);
}

function isReleaseOf({ recent: [last], touchedAtMs }: LockRecord, ownerId: string): boolean {
  return last !== undefined && last.owner === ownerId && last.toMs === touchedAtMs;
}

/** Why a caller steps back. */
export interface Setback {
  /** What it wanted to write, when another one's write came first; `nothing`: it left the record alone by itself. */
  readonly lost: "grant" | "entry" | "nothing";
  /** How many of any kind there were, this one included. */
  readonly setbacks: number;
  /** Whether there is room beside the winner, too. */
  readonly isOpen: boolean;
  /** How many entries in a row it has lost. */
  readonly losses: number;
  readonly isEnqueued: boolean;
  /** Undefined: there is no object yet. */
  readonly record: LockRecord | undefined;
  /** How long the present holder has had the lock; 0 while the lock is free. */
  readonly holdAgeMs: number;
  /** Since it arrived. */
  readonly waitedMs: number;
  readonly entryLifeMs: number;
  readonly roundTripMs: number;
  /** A number in [0, 1). */
  readonly random: number;
}

/**
 * Says how long to step back. Where a few come and go, the next gap is near. Where it is not known how many there are, or
 * there are many, all of them spread out: in proportion to how long it took to get the places that are taken by now.
 */
export function stepBackMs(setback: Setback): number {
  const { lost, setbacks, losses, isEnqueued, record, random } = setback;
  const tripMs = tripOf(setback);
  const queueLength = record?.queue.length ?? 0;
  // There is a winner every round trip, and all the others need is one such turn each.
  if (lost === "grant" && setback.isOpen) {
    return tripMs * (1 + queueLength / ROUND_OF_TURNS) * 2 * random * Math.min(setbacks, MOST_SETBACKS);
  }
  // Its turn has come: it lost to a waiter that joined. An entry that is not refreshed in time is dropped.
  if (isEnqueued && lost === "grant") return 0;
  if (isEnqueued)
    return Math.min(spread(REFRESH_TRIPS, tripMs, random) * (1 + queueLength / ROUND_OF_TURNS), REFRESH_RETRY_MAX_MS);
  // A caller that came at the same instant leaves the winner in peace for a while.
  if (lost === "grant") return spread(PEACE_TRIPS, tripMs, random);
  if (record === undefined) return spread(NEXT_GAP_TRIPS, tripMs, random);
  if (lost === "nothing" && setbacks === 1) return spread({ least: 1, more: QUIET_TRIPS }, tripMs, random);
  if (areFew(record)) {
    if (lost === "nothing") return spread({ least: 0.5, more: 1 }, tripMs, random);
    return losses <= EAGER_LOSSES ? 0 : spread(NEXT_GAP_TRIPS, tripMs, random);
  }
  const windowMs = areMany(record) ? crowdWindowMs(record, setback, tripMs) : unknownWindowMs(setback, tripMs);
  return tripMs + Math.min(windowMs, MAX_WINDOW_TRIPS * tripMs) * random;
}

function crowdWindowMs({ queue }: LockRecord, { waitedMs, entryLifeMs }: Setback, tripMs: number): number {
  const joinedAfterMs = queue.map((waiter) => waiter.expiresAtMs - entryLifeMs - waiter.sinceMs);
  return Math.max(CROWD_TRIPS * tripMs, CROWD_FACTOR * Math.min(waitedMs, Math.max(0, ...joinedAfterMs)));
}

function unknownWindowMs({ losses, holdAgeMs }: Setback, tripMs: number): number {
  return Math.max(UNKNOWN_TRIPS * tripMs * 2 ** Math.min(losses, 1), 2 * holdAgeMs);
}

/** In round trips: at least so many, and by chance up to so many more. */
interface Trips {
  readonly least: number;
  readonly more: number;
}

function spread({ least, more }: Trips, tripMs: number, random: number): number {
  return tripMs * (least + more * random);
}

/** So many waiters, one round trip more. With 4, a semaphore has 7 % fewer turns a second; with 32, readers need 10 % more requests each. */
const ROUND_OF_TURNS = 8;
/** With 2, readers need 7 % more requests each; with 8, nothing is worse, and a caller is kept out for longer. */
const MOST_SETBACKS = 4;
/** No row of the bench depends on it: two waiters that lose together come apart, and most have refreshed long before their entry expires. */
const REFRESH_TRIPS: Trips = { least: 0.5, more: 3 };
/** With half, a semaphore needs 5 % more requests a turn; with twice, the slowest of eight clients that take turns waits 55 % longer. */
const PEACE_TRIPS: Trips = { least: 4, more: 12 };
/** About a turn of each of a few. Half and twice of it change no row of the bench by more than 2 %. */
const NEXT_GAP_TRIPS: Trips = { least: 1, more: 12 };
/** Twice the longest of {@link NEXT_GAP_TRIPS}: a crowd steps back for longer than a few. Half and twice of it change no row by more than 2 %. */
const CROWD_TRIPS = 24;
/** Places are got ever more slowly, by fewer callers at a time. Half and twice of it change no row by more than 2 %. */
const CROWD_FACTOR = 6;
/** With 20, the slowest of those eight clients waits 14 % longer; with 80, readers need 4 % more requests each. */
const UNKNOWN_TRIPS = 40;

/** With 1, the slowest of eight clients that take turns waits 28 % longer; with 8, nothing is better. */
const EAGER_LOSSES = 3;
/** With 200, twenty readers behind a writer are all in after 2.9 s rather than 1.5 s; with 50, each of them needs 7 % more requests. */
const MAX_WINDOW_TRIPS = 100;
/** A third of {@link REFRESH_RESERVE_MS}: there is time for more tries before the entry expires. */
const REFRESH_RETRY_MAX_MS = 1000;
