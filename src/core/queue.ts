import { type Attempt, isRestOver, isWaiting, mayBeTakenOver } from "./expiry.js";
import { areCompatible, type Claim, type Holder, type LockRecord, type Turn, type Waiter } from "./record.js";

/** What decides who is served first: priority (high first), then arrival. */
export interface Arrival {
  readonly priority: number;
  /** Since when it waits, by the clock that all who are compared go by. */
  readonly sinceMs: number;
}

/** What decides between waiters of many processes: the id comes last, so that there never is a tie. */
export interface Rank extends Arrival {
  readonly id: string;
}

/** Compares two arrivals: negative when `one` is served before `other`; 0 where they came at the same time. */
export function compareArrivals(one: Arrival, other: Arrival): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  return one.sinceMs - other.sinceMs;
}

/** Compares two ranks: negative when `one` is served before `other`. */
export function compareRank(one: Rank, other: Rank): number {
  return compareArrivals(one, other) || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}

/** Lists the waiters, live ones only, whom this one must not overtake; in the order in which they are served. */
export function waitersAhead(record: LockRecord, candidate: Rank, attempt: Attempt): readonly Waiter[] {
  return record.queue
    .filter((waiter) => waiter.id !== candidate.id && isWaiting(waiter, attempt) && compareRank(waiter, candidate) < 0)
    .sort(compareRank);
}

/** Why a candidate cannot have the lock now. */
export interface Standing {
  readonly eligible: boolean;
  /** Live waiters ahead. */
  readonly position: number;
  /** How many turns come before: readers have theirs together, and so have as many as a semaphore has permits for. */
  readonly turnsAhead: number;
  /** Those of them who were expected and did not come. */
  readonly passedOver: readonly Waiter[];
}

/**
 * Judges whether the candidate may be granted now: it fits beside the holders that have not ended and beside every
 * waiter ahead of it that is still expected. A waiter ahead that did not come within a grace of the lock becoming free
 * is passed over: the k-th waiter may take it k graces later, which needs no write for each one that died.
 */
export function standingOf(record: LockRecord, candidate: Rank & Claim, attempt: Attempt): Standing {
  const ahead = waitersAhead(record, candidate, attempt);
  const holders = record.holders.filter((holder) => !mayBeTakenOver(holder, attempt));
  const lateCount = countPassedOver(record, holders, ahead, attempt);
  const expected = ahead.slice(lateCount);
  const tooEarly = record.notBeforeMs !== undefined && !isRestOver(record.notBeforeMs, attempt);
  const eligible = !tooEarly && areCompatible([...holders, ...expected, candidate], record.limit);
  const turnsAhead = turnsBefore(ahead, candidate, record.limit);
  return { eligible, position: ahead.length, turnsAhead, passedOver: ahead.slice(0, lateCount) };
}

function turnsBefore(ahead: readonly Waiter[], candidate: Claim, limit: number): number {
  let turns = 0;
  let together: Claim[] = [];
  for (const claim of [...ahead, candidate]) {
    if (areCompatible([...together, claim], limit)) together.push(claim);
    else {
      turns += 1;
      together = [claim];
    }
  }
  return turns;
}

/** Says whether the first in the queue, or any waiter where the queue is empty, fits beside the holders. */
export function isOpen(record: Pick<LockRecord, "holders" | "limit">, head: Waiter | undefined): boolean {
  return areCompatible([...record.holders, head ?? { mode: "exclusive" }], record.limit);
}

/** Finds the first in the queue, among entries that still count. */
export function headOf(queue: readonly Waiter[]): Waiter | undefined {
  return queue.reduce<Waiter | undefined>(
    (head, waiter) => (head === undefined || compareRank(waiter, head) < 0 ? waiter : head),
    undefined,
  );
}

function countPassedOver(
  record: LockRecord,
  holders: readonly Holder[],
  ahead: readonly Waiter[],
  attempt: Attempt,
): number {
  const freeSinceMs = freeSince(record, attempt);
  if (freeSinceMs === undefined) return 0;
  let deadlineMs =
    Math.max(freeSinceMs, ...record.recent.map((turn) => awakeByMs(turn, record.queue))) + sleepAllowanceMs(record);
  const ends = record.holders.filter((one) => !holders.includes(one)).map(({ expiresAtMs }) => expiresAtMs);
  const lastEndMs = Math.max(...ends) + attempt.toleranceMs;
  let count = 0;
  for (const waiter of ahead) {
    // A waiter that a lease kept out which has ended could not come before: readers, or waiters that want less, may have been able to.
    if (!areCompatible([...record.holders, waiter], record.limit)) deadlineMs = Math.max(deadlineMs, lastEndMs);
    deadlineMs += graceMs(record, waiter, freeSinceMs);
    if (attempt.now.earliestMs <= deadlineMs) break;
    // Whom the holders keep out has not failed to come.
    if (!areCompatible([...holders, waiter], record.limit)) break;
    count += 1;
  }
  return count;
}

/** Says since when the first in the queue could have come in: as the record says, or since the first of its holders has ended. */
export function freeSince(record: LockRecord, attempt: Attempt): number | undefined {
  if (record.freeSinceMs !== undefined) return Math.max(record.freeSinceMs, record.notBeforeMs ?? 0);
  const ends = record.holders.filter((holder) => mayBeTakenOver(holder, attempt)).map((holder) => holder.expiresAtMs);
  return ends.length === 0 ? undefined : Math.min(...ends) + attempt.toleranceMs;
}

/**
 * Says how often the first in the queue polls, for a hold of this age: a release is noticed after half of that on
 * average. Alone, it polls as often as round trips allow at first, and later about every tenth of the age; where
 * others wait behind, their polls add up, and it polls less often.
 */
export function headPollMs(holdAgeMs: number, roundTripMs: number, followers: number): number {
  const aloneMs = holdAgeMs * SHARE_ALONE * Math.min(1, holdAgeMs / YOUNG_MS) + roundTripMs / 2;
  const intervalMs = followers === 0 ? aloneMs : holdAgeMs * SHARE_BEFORE_OTHERS + 2 * roundTripMs;
  return Math.min(Math.max(intervalMs, HEAD_POLL_MIN_MS), HEAD_POLL_MAX_MS);
}

/**
 * Gives the next age of a hold at which every waiter in the queue polls: the ages double and then are evenly apart. So
 * when it ends all of them notice at once, and the queue moves on without waiting for one sleeper after another.
 */
export function pollAgeAfterMs(ageMs: number): number {
  let pollAgeMs = FIRST_POLL_AGE_MS;
  while (pollAgeMs < ageMs && pollAgeMs < POLL_AGE_STEP_MAX_MS) pollAgeMs *= 2;
  return pollAgeMs + Math.ceil(Math.max(0, ageMs - pollAgeMs) / POLL_AGE_STEP_MAX_MS) * POLL_AGE_STEP_MAX_MS;
}

/** Shorter holds are the head's to notice. Half of it changes nothing in `npm run bench -- --virtual`; twice of it costs readers 4 % more requests. */
const FIRST_POLL_AGE_MS = 500;
/**
 * What a waiter behind dead ones waits for on top of their leases, against what waiters cost: with 1,500 it waits 1.5 s less, and a queue of
 * twelve sends 70 % more requests while it waits; with 5,000 it waits 4.5 s longer, and the queue is served half as fast.
 */
const POLL_AGE_STEP_MAX_MS = 2750;

/** Says how far behind the first in the queue followers poll: it has taken what it found free by then. */
export function behindHeadMs(roundTripMs: number): number {
  return 2 * roundTripMs;
}

/** Says how many of the early polls of a hold waiters further back leave out: at least so much later is the next. */
export function skippedMs(holdAgeMs: number, position: number, roundTripMs: number): number {
  return Math.min(holdAgeMs * position * 2 + 2 * roundTripMs, POLL_AGE_STEP_MAX_MS - FIRST_POLL_AGE_MS);
}

/** Says when every waiter that polled during this turn and sleeps until a poll age of it has polled again. */
function awakeByMs({ fromMs, toMs }: Turn, queue: readonly Waiter[]): number {
  const longestTripMs = Math.max(0, ...queue.map(({ roundTripMs }) => Math.min(roundTripMs, MAX_ROUND_TRIP_MS)));
  const ageMs = toMs - fromMs;
  const pollAgeMs = pollAgeAfterMs(ageMs + skippedMs(ageMs, Math.max(1, queue.length - 1), longestTripMs));
  return fromMs + pollAgeMs + behindHeadMs(longestTripMs);
}

/** Allows for followers that sleep by the pace of recent turns: where turns have become shorter, they wake up late by some of that. */
function sleepAllowanceMs({ recent }: LockRecord): number {
  const sumMs = recent.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, toMs - fromMs), 0);
  return recent.length === 0 ? 0 : Math.min(sumMs / recent.length, SLEEP_ALLOWANCE_MAX_MS);
}

/** With 2,000, a waiter behind three that have died waits 1.5 s longer (`npm run bench -- --virtual`, as in all of these). */
const SLEEP_ALLOWANCE_MAX_MS = 500;

/** With 40, a lock stands idle 18 to 27 % longer after holds of up to a second; with 2, nothing is better. */
export const HEAD_POLL_MIN_MS = 10;
/** With 0.05, a lock stands idle 9 to 30 % longer between holds; with 0.2, up to twice as long (`npm run bench -- --virtual`, as in all of these). */
const SHARE_ALONE = 0.1;
/** With a seventh, a waiter in a queue of twelve sends 26 % more requests; with a half, the slowest of eight clients waits 26 % longer. */
const SHARE_BEFORE_OTHERS = 1 / 3.5;
/** Whether a hold that young ends at once cannot be known: an interval is most of what passing it on takes. */
const YOUNG_MS = 1500;
/** With 1,000, one long wait costs 75 requests a minute rather than 40; with 4,000, its turn is found 1.7 s later. */
const HEAD_POLL_MAX_MS = 2000;
/** Timers are late on a busy machine. With 300, a waiter behind three that have died waits half a second longer. */
const GRACE_SLACK_MS = 100;

/** Says how long an expected waiter is waited for: its longest poll interval for a hold as long as the last, and three round trips. */
function graceMs(record: LockRecord, waiter: Waiter, freeSinceMs: number): number {
  const lastFromMs = record.recent[0]?.fromMs ?? record.holders[0]?.acquiredAtMs ?? freeSinceMs;
  const holdAgeMs = Math.max(0, freeSinceMs - lastFromMs);
  const roundTripMs = Math.min(waiter.roundTripMs, MAX_ROUND_TRIP_MS);
  return headPollMs(holdAgeMs, roundTripMs, 1) + 3 * roundTripMs + GRACE_SLACK_MS;
}

/** A waiter that claims to be slower than this is not waited for any longer. */
const MAX_ROUND_TRIP_MS = 2000;
