import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { anyOutlook, outlookOf, paceOfHolds } from "../../../test/protocol/outlooks.js";
import { headPollMs } from "../queue.js";
import { pollDelayMs } from "./polling.js";

it("spreads polls towards earlier, never past what the wait would be without", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      const unspread = pollDelayMs({ ...outlook, random: 0 });
      expect(pollDelayMs(outlook)).toBeLessThanOrEqual(unspread);
      expect(pollDelayMs(outlook)).toBeGreaterThan(0.69 * unspread);
    }),
    { numRuns: 1000 },
  );
});

it("has followers without an entry poll half as often, too", () => {
  for (const position of [1, 3]) {
    const enqueued = pollDelayMs(outlookOf({ position }));
    expect(pollDelayMs(outlookOf({ position, isEnqueued: false }))).toBeCloseTo(2 * enqueued, 5);
  }
});

it("has followers sleep less the longer the present turn has lasted, and no longer than a head where theirs is due", () => {
  const pace = paceOfHolds(1000, 1000, 1000);
  const delays = [0, 400, 900].map((holdAgeMs) => pollDelayMs(outlookOf({ position: 2, holdAgeMs, pace })));
  expect(delays).toEqual([...delays].sort((one, other) => other - one));
  expect(delays[0]).toBeGreaterThan((delays[2] as number) + 800);
  const short = paceOfHolds(100, 100, 100);
  for (const holdAgeMs of [400, 2100]) {
    const delayMs = pollDelayMs(outlookOf({ position: 1, holdAgeMs, pace: short }));
    expect(delayMs).toBeLessThanOrEqual(headPollMs(holdAgeMs, 20, 1));
  }
});

it("has the second in the queue up before the turn ahead of it would be over, which may not be taken; others only then", () => {
  for (const holdMs of [100, 800]) {
    const turnMs = holdMs + 2 * 20;
    const delayOf = (position: number) =>
      pollDelayMs(outlookOf({ position, holdAgeMs: 0, pace: paceOfHolds(holdMs, holdMs, holdMs) }));
    expect(delayOf(1)).toBeLessThan(turnMs + holdMs);
    expect(delayOf(2)).toBeGreaterThanOrEqual(2 * turnMs + holdMs);
  }
});
