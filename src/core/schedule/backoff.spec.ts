import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { contentionDelayMs, eagerDelayMs, patienceMs, throttledDelayMs } from "./backoff.js";

const tries = fc.integer({ min: 0, max: 10_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it("waits 6.2 s by default, as the delays of 1.x add up to", () => {
  expect(patienceMs({ maxRetries: 5, retryDelayMs: 200, maxRetryDelayMs: 5000 })).toBe(6200);
});

it("adds up doubling delays, each capped", () => {
  const options = fc.record({
    maxRetries: fc.integer({ min: 0, max: 60 }),
    retryDelayMs: fc.integer({ min: 0, max: 10_000 }),
    maxRetryDelayMs: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(options, (given) => {
      const delays = Array.from({ length: given.maxRetries }, (_, retry) =>
        Math.min(given.retryDelayMs * 2 ** retry, given.maxRetryDelayMs),
      );
      expect(patienceMs(given)).toBe(delays.reduce((sum, delay) => sum + delay, 0));
    }),
  );
});

it("adds up any number of retries at once", () => {
  const patience = patienceMs({ maxRetries: Number.MAX_SAFE_INTEGER, retryDelayMs: 1000, maxRetryDelayMs: 1000 });
  expect(patience).toBe(Number.MAX_SAFE_INTEGER * 1000);
  expect(patienceMs({ maxRetries: 0, retryDelayMs: 200, maxRetryDelayMs: 5000 })).toBe(0);
});

it("lets a holder try again at once, then soon, and never leaves it waiting long", () => {
  expect(eagerDelayMs(1, false, 0.9)).toBe(0);
  fc.assert(
    fc.property(tries, fc.boolean(), random, (count, throttled, number) => {
      const delayMs = eagerDelayMs(count, throttled, number);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(2000);
      if (throttled) expect(delayMs).toBeGreaterThan(0);
    }),
  );
});

it("lets a holder wait twice as long each time from the second time on, up to a second", () => {
  const longestMs = [2, 3, 4, 5, 6, 7].map((count) => eagerDelayMs(count, false, 1));
  expect(longestMs).toEqual([80, 160, 320, 640, 1000, 1000]);
});

it("makes contenders wait for a round trip at first, and at most twice as long the next time", () => {
  const count = fc.integer({ min: 0, max: 20 });
  fc.assert(
    fc.property(count, fc.double({ min: 10, max: 5000, noNaN: true }), random, (tried, roundTripMs, number) => {
      const delayMs = contentionDelayMs(tried, roundTripMs, number);
      expect(contentionDelayMs(0, roundTripMs, number)).toBeLessThanOrEqual(roundTripMs);
      expect(contentionDelayMs(tried + 1, roundTripMs, number)).toBeLessThanOrEqual(2 * delayMs);
    }),
  );
});

it("makes contenders step back further each time, up to a cap, spread out at random", () => {
  fc.assert(
    fc.property(tries, fc.double({ min: 0, max: 5000, noNaN: true }), (count, roundTripMs) => {
      const delayMs = (number: number) => contentionDelayMs(count, roundTripMs, number);
      expect(delayMs(0)).toBeGreaterThan(0);
      expect(delayMs(0.99)).toBeLessThanOrEqual(5000);
      expect(delayMs(0.99)).toBeGreaterThan(delayMs(0));
      const longest = contentionDelayMs(count + 1, roundTripMs, 0.5);
      expect(longest).toBeGreaterThanOrEqual(delayMs(0.5));
    }),
  );
});

it("makes contenders wait a second for each of them where the store asked for fewer requests", () => {
  expect(throttledDelayMs(0, 0)).toBe(1000);
  expect(throttledDelayMs(5, 0)).toBe(5000);
  expect(throttledDelayMs(5, 0.99)).toBeGreaterThan(7000);
  expect(throttledDelayMs(5, 0.99)).toBeLessThan(7500);
  expect(throttledDelayMs(60, 0.5)).toBe(10_000);
});
