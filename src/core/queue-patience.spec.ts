import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { attemptAt, holderOf, recordOf, T0, TOLERANCE_MS, turnOf, waiterOf } from "../../test/protocol/samples.js";
import { freeSince, headPollMs, pollAgeAfterMs, skippedMs, standingOf } from "./queue.js";
import type { LockRecord, Waiter } from "./record.js";
import { pollDelayMs } from "./schedule/polling.js";

const LONG_AFTER = attemptAt(T0 + 6_000_000);

/** In how many milliseconds of a free lock the second in the queue may have it, where the first one keeps silent. */
function patienceMs(record: LockRecord): number {
  const [, second] = record.queue;
  const freeSinceMs = freeSince(record, LONG_AFTER) as number;
  const mayCome = (ms: number) => standingOf(record, second as Waiter, attemptAt(freeSinceMs + ms)).eligible;
  let [low, high] = [0, 1_000_000];
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (mayCome(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const inLine = (count: number, roundTripMs: number) =>
  Array.from({ length: count }, (_, at) =>
    waiterOf({ id: `w${at}`, sinceMs: T0 - 100 + at, roundTripMs, expiresAtMs: T0 + 1e9 }),
  );
const anyTrip = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2000 }));
const anyHold = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 60_000 }));
const turnOfMs = (ms: number) => turnOf({ fromMs: T0 - ms, toMs: T0 });

it("does not pass a waiter over before it polls again, if it polls when it is told to", () => {
  const polls = fc.record({ count: fc.integer({ min: 2, max: 6 }), tripMs: anyTrip, holdMs: anyHold });
  const poll = fc.record({
    part: fc.integer({ min: 1, max: 100 }).map((number) => number / 100),
    place: fc.nat({ max: 4 }),
  });
  fc.assert(
    fc.property(polls, poll, ({ count, tripMs, holdMs }, { part, place }) => {
      const record = recordOf({ queue: inLine(count, tripMs), recent: [turnOfMs(holdMs)], freeSinceMs: T0 });
      const holdAgeMs = holdMs * part;
      const delayMs = pollDelayMs({
        ...{ position: Math.min(1 + place, Math.max(1, count - 1)), followers: 1, holdAgeMs, roundTripMs: tripMs },
        ...{ lastHoldMs: 0, takeoverPollMs: Number.POSITIVE_INFINITY, pace: undefined, isEnqueued: true, random: 0 },
      });
      expect(patienceMs(record)).toBeGreaterThan(holdAgeMs + delayMs - holdMs + 3 * tripMs);
    }),
    { numRuns: 300 },
  );
});

it("waits for the first in the queue for its longest poll interval and three round trips, and not much longer", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4000 }), anyHold, (roundTripMs, leaseMs) => {
      const holders = [holderOf({ acquiredAtMs: T0, expiresAtMs: T0 + leaseMs })];
      const tripMs = Math.min(roundTripMs, 2000);
      const graceMs = headPollMs(leaseMs + TOLERANCE_MS, tripMs, 1) + 3 * tripMs;
      const ms = patienceMs(recordOf({ holders, queue: inLine(2, roundTripMs) }));
      expect(ms).toBeGreaterThan(graceMs);
      expect(ms).toBeLessThan(graceMs + 200);
    }),
    { numRuns: 200 },
  );
});

it("has a silent head delay those behind it by seconds at most, and by less where turns are short", () => {
  for (const [holdMs, longestMs] of [
    [300, 2000],
    [1000, 5000],
    [10_000, 8000],
    [3_600_000, 8000],
  ] as const) {
    const ms = patienceMs(recordOf({ queue: inLine(2, 20), recent: [turnOfMs(holdMs)], freeSinceMs: T0 }));
    expect(ms).toBeLessThan(longestMs);
  }
});

it("does not wait longer for a head that claims to be slower than two seconds", () => {
  const patience = (tripMs: number) =>
    patienceMs(recordOf({ queue: inLine(3, tripMs), recent: [turnOfMs(1000)], freeSinceMs: T0 }));
  expect(patience(60_000)).toBe(patience(2000));
  expect(patience(2000)).toBeGreaterThan(patience(20));
});

it("is more patient where turns used to be longer, since others sleep by that, yet by half a second at most", () => {
  const after = (ms: number) => {
    const before = [1, 2, 3].map((at) => turnOf({ fromMs: T0 - 1e9 * at, toMs: T0 - 1e9 * at + ms }));
    return patienceMs(recordOf({ queue: inLine(2, 20), recent: [turnOfMs(100), ...before], freeSinceMs: T0 }));
  };
  const none = after(0);
  expect(after(-5000)).toBeCloseTo(none, 1);
  expect(after(100)).toBeGreaterThan(none);
  expect(after(300)).toBeGreaterThan(after(100));
  expect(after(100_000)).toBeGreaterThan(after(300));
  expect(after(100_000)).toBeLessThan(none + 500);
});

it("has every waiter poll at the same ages of a hold: doubling, then evenly apart, and never before it", () => {
  const anyAge = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 1e9 }));
  fc.assert(
    fc.property(anyAge, (ageMs) => {
      const pollAgeMs = pollAgeAfterMs(ageMs);
      expect(pollAgeMs).toBeGreaterThanOrEqual(ageMs);
      expect(pollAgeAfterMs(pollAgeMs)).toBe(pollAgeMs);
    }),
  );
  const pollAges = [0];
  while (pollAges.length < 12) pollAges.push(pollAgeAfterMs((pollAges.at(-1) as number) + 1));
  const steps = pollAges.slice(1).map((pollAgeMs, at) => pollAgeMs - (pollAges[at] as number));
  expect(pollAges.slice(1, 4)).toEqual([1, 2, 4].map((times) => times * pollAgeAfterMs(0)));
  expect(new Set(steps.slice(5)).size).toBe(1);
  expect(Math.max(...steps.slice(5))).toBeLessThanOrEqual(3000);
});

it("has those leave out more of the early polls who are further back or far away, though no more than a few seconds' worth", () => {
  expect(skippedMs(100, 2, 20)).toBeGreaterThan(skippedMs(100, 1, 20));
  expect(skippedMs(100, 1, 200)).toBeGreaterThan(skippedMs(100, 1, 20));
  expect(skippedMs(1e9, 63, 2000)).toBeLessThanOrEqual(3000);
});
