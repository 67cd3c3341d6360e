/** Delays between tries, as pure functions of the try and a random number in [0, 1). */

/** How long `acquireLock` waits without a `timeoutMs`: the sum of the delays of 1.x, without jitter. */
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

/** A holder tries again at once, then soon: every delay costs part of the lease. */
export function eagerDelayMs(tries: number, throttled: boolean, random: number): number {
  if (throttled) return fullJitter(Math.min(200 * 2 ** tries, 2000), random);
  return tries <= 1 ? 0 : fullJitter(Math.min(20 * 2 ** tries, 1000), random);
}

/** A contender steps back more each time, by at least a round trip. */
export function contentionDelayMs(tries: number, roundTripMs: number, random: number): number {
  return fullJitter(Math.min(Math.max(roundTripMs, 10) * 2 ** Math.min(tries, 6), 5000), random);
}

/**
 * Where the store asked for fewer requests (R2 takes one write a second on a key), clients that do not hold leave it to the holder:
 * a second for each of them, so that all together are within the limit; but soon enough to keep a place in the queue.
 */
export function throttledDelayMs(contenders: number, random: number): number {
  return Math.min(1000 * Math.max(1, contenders) * (1 + random / 2), 10_000);
}

function fullJitter(delayMs: number, random: number): number {
  return delayMs * (0.5 + random * 0.5);
}
