import { ENTRY_LIFE_MS } from "../expiry.js";

/** Delays between tries, as pure functions of the try and a random number in [0, 1). */

/** Says how long `acquireLock` waits without a `timeoutMs`: the sum of the delays of 1.x, without jitter. */
export function patienceMs(options: {
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}): number {
  let sum = 0;
  let delayMs = options.retryDelayMs;
  for (let retry = 0; retry < options.maxRetries; retry += 1) {
    // Once at the cap every further delay is the same, so a huge number of retries needs no loop.
    if (delayMs >= options.maxRetryDelayMs) return sum + (options.maxRetries - retry) * options.maxRetryDelayMs;
    sum += delayMs;
    delayMs *= 2;
  }
  return sum;
}

/** Says when a holder tries again: at once, then soon, as every delay costs part of the lease. */
export function eagerDelayMs(tries: number, throttled: boolean, random: number): number {
  if (throttled) return fullJitter(Math.min(THROTTLED_STEP_MS * 2 ** tries, THROTTLED_MAX_MS), random);
  return tries <= 1 ? 0 : fullJitter(Math.min(EAGER_STEP_MS * 2 ** tries, EAGER_MAX_MS), random);
}

/** After pauses of 0.4, 0.8 and 1.6 s, half of it by chance, more than the second has passed that R2 asks for between two writes of a key. */
const THROTTLED_STEP_MS = 200;
/** Twice the second that such a store asks for: a holder whose lease is shorter still has a try or two. */
const THROTTLED_MAX_MS = 2000;
/** The first pause is four of these, half of it by chance: a few round trips to a store nearby, and little of any lease. */
const EAGER_STEP_MS = 20;
/** The end of an outage is noticed within a second: a fifteenth of the lease of a leader, a sixtieth of the usual one. */
const EAGER_MAX_MS = 1000;

/** Says how long a contender steps back: more each time, and at least half a round trip. */
export function contentionDelayMs(tries: number, roundTripMs: number, random: number): number {
  const tripMs = Math.max(roundTripMs, SHORTEST_TRIP_MS);
  return fullJitter(Math.min(tripMs * 2 ** Math.min(tries, MAX_DOUBLINGS), CONTENTION_MAX_MS), random);
}

/** Timers are late by one or two milliseconds: delays in fractions of that would spread no contenders. */
const SHORTEST_TRIP_MS = 10;
/** 64 round trips: time for one write of each waiter of a full queue. */
const MAX_DOUBLINGS = 6;
/** A third of an entry's life: a waiter that steps back has two more tries to keep its place. */
const CONTENTION_MAX_MS = ENTRY_LIFE_MS / 3;

/**
 * Says how long clients that do not hold leave a store that asked for fewer requests (R2 takes one write a second on a key) to the
 * holder: a second for each of them, so that all together are within the limit; but soon enough to keep a place in the queue.
 */
export function throttledDelayMs(contenders: number, random: number): number {
  return Math.min(WRITE_EVERY_MS * Math.max(1, contenders) * (1 + random / 2), THROTTLED_WAIT_MAX_MS);
}

/** R2 takes one write a second on a key. */
const WRITE_EVERY_MS = 1000;
/** Two thirds of an entry's life: there is time for a try before the entry expires. */
const THROTTLED_WAIT_MAX_MS = (2 * ENTRY_LIFE_MS) / 3;

function fullJitter(delayMs: number, random: number): number {
  return delayMs * (0.5 + random * 0.5);
}
