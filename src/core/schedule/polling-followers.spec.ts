import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { anyOutlook, outlookOf, paceOfHolds, pollsOf } from "../../../test/protocol/outlooks.js";
import { pollDelayMs } from "./polling.js";

it("has followers poll less often than the head", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      fc.pre(outlook.pace === undefined && outlook.holdAgeMs > 0 && outlook.position > 0 && outlook.isEnqueued);
      // A follower may come just before the next poll age; over a while it is rarer in any case.
      const spanMs = outlook.holdAgeMs + 20_000;
      const { takeoverPollMs: _, ...at } = outlook;
      const followers = pollsOf(at, spanMs).length;
      expect(followers).toBeLessThanOrEqual(pollsOf({ ...at, position: 0 }, spanMs).length + 1);
    }),
  );
  expect(pollsOf({ position: 1 }, 8000).length).toBeLessThan(pollsOf({ position: 0 }, 8000).length / 2);
  expect(pollsOf({ position: 8 }, 8000).length).toBeLessThan(pollsOf({ position: 1 }, 8000).length);
});

it("has all followers poll at the same ages of a hold, wherever they stand and whenever they came", () => {
  const pollAges = [500, 1000, 2000, 4000, 6750, 9500, 12_250, 15_000].map((ageMs) => ageMs + 2 * 20);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 63 }), fc.integer({ min: 1, max: 8000 }), (position, holdAgeMs) => {
      const ages = pollsOf({ position, holdAgeMs }, 9000);
      expect(pollAges).toEqual(expect.arrayContaining(ages));
    }),
  );
});

it("has followers leave out more of the early polls the further back they are, and never sleep long beyond a step", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 62 }), fc.integer({ min: 1, max: 60_000 }), (position, holdAgeMs) => {
      const [nearer, further] = [position, position + 1].map((at) =>
        pollDelayMs(outlookOf({ position: at, holdAgeMs })),
      );
      expect(nearer).toBeLessThanOrEqual(further as number);
      expect(further).toBeLessThanOrEqual(2 * 2750);
    }),
  );
});

it("polls again soon, those in front first, while the lock changes hands", () => {
  const delays = [1, 2, 5].map((position) => pollDelayMs(outlookOf({ position, holdAgeMs: 0 })));
  expect(delays).toEqual([60, 80, 140]);
  // The first in the queue polls as often as the hold was long: until then there is nothing to see.
  const afterLong = [1, 5].map((position) => pollDelayMs(outlookOf({ position, holdAgeMs: 0, lastHoldMs: 9000 })));
  expect(afterLong).toEqual([750, (2000 / 3) * (1 + 5 / 8)]);
});

it("has followers sleep through most of the turns that are due before theirs, where the pace is known", () => {
  const pace = paceOfHolds(100, 100, 100);
  const turnMs = 100 + 2 * 20;
  for (const position of [1, 2, 4, 8]) {
    const delayMs = pollDelayMs(outlookOf({ position, holdAgeMs: 0, pace }));
    const untilOwnTurnMs = (position + 1) * turnMs;
    expect(delayMs).toBeLessThan(untilOwnTurnMs);
    expect(delayMs).toBeGreaterThan(untilOwnTurnMs * 0.6);
  }
  const behindMany = { position: 60, holdAgeMs: 0 };
  expect(pollDelayMs(outlookOf({ ...behindMany, pace: paceOfHolds(1000, 1000, 1000) }))).toBe(5000);
  expect(pollDelayMs(outlookOf({ ...behindMany, pace: paceOfHolds(1000, 1000, 1000), holdAgeMs: 20 }))).toBe(5000);
});

it("has followers who know one turn only sleep no longer than very short ones would take", () => {
  const pace = paceOfHolds(8000);
  const delays = [1, 2, 5, 10].map((position) => pollDelayMs(outlookOf({ position, holdAgeMs: 20, pace })));
  expect(delays).toEqual([100, 200, 500, 1000]);
  expect(pollDelayMs(outlookOf({ position: 60, holdAgeMs: 20, pace }))).toBe(5000);
});

it("has followers leave a free lock to the first in the queue for as long as that takes after such a hold", () => {
  const free = { position: 3, holdAgeMs: 0, lastHoldMs: 9000 };
  const unknown = pollDelayMs(outlookOf(free));
  expect(pollDelayMs(outlookOf({ ...free, pace: paceOfHolds(9000) }))).toBe(unknown);
});

it("never has a follower who knows the pace poll more often than a head would, however late the turn is", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      fc.pre(outlook.pace !== undefined && outlook.position > 0 && outlook.takeoverPollMs > 1e6);
      const { holdAgeMs, roundTripMs } = outlook;
      const head = pollDelayMs(outlookOf({ holdAgeMs, roundTripMs }));
      const unknown = pollDelayMs({ ...outlook, pace: undefined });
      expect(pollDelayMs(outlook)).toBeGreaterThanOrEqual(Math.min(head, unknown, 500));
    }),
  );
});
