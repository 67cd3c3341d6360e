import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { anyOutlook, NEVER, outlookOf, paceOfHolds, pollsOf } from "../../../test/protocol/outlooks.js";
import { holderOf, recordOf, T0, turnOf } from "../../../test/protocol/samples.js";
import { type Pace, paceOf, pollDelayMs, servedInMs, takeoverPollMs } from "./polling.js";

// ---------------------------------------------------------------------------------------------------------------------
// Every waiter

it("never sleeps past the moment at which the lease could be taken over", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      expect(pollDelayMs(outlook)).toBeLessThanOrEqual(outlook.takeoverPollMs);
    }),
  );
  const asleep = outlookOf({ position: 3, holdAgeMs: 60_000, pace: paceOfHolds(90_000, 90_000, 90_000) });
  expect(pollDelayMs(asleep)).toBeGreaterThan(2000);
  expect(pollDelayMs({ ...asleep, takeoverPollMs: 501 })).toBe(501);
});

it("polls as soon as the next lease could be taken over, and ever more seldom while one that could be is not", () => {
  expect(takeoverPollMs([])).toBe(NEVER);
  expect(takeoverPollMs([9000, 500])).toBe(501);
  expect(takeoverPollMs([0])).toBe(1);
  expect(takeoverPollMs([-1])).toBe(1);
  expect(takeoverPollMs([-60_000])).toBe(6000);
  expect(takeoverPollMs([-60_000, -200])).toBe(20);
  expect(takeoverPollMs([-60_000, 4000])).toBe(4001);
});

it("gives a wait that is finite, at least a millisecond and below its cap, whatever it is asked", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      const delayMs = pollDelayMs(outlook);
      expect(Number.isFinite(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(1);
      // Twice the longest step of the pollAges for those without an entry, or while the lock changes hands.
      const { position, roundTripMs } = outlook;
      const changingMs = 2 * Math.max(10, 2 * roundTripMs, 2000 / 3) * (1 + position / 2);
      if (position > 0) expect(delayMs).toBeLessThanOrEqual(Math.max(2 * 5000, changingMs));
    }),
    { numRuns: 1000 },
  );
});

// Those behind derive a head's grace from `headPollMs`: a head that slept for a tenth of a long hold would be passed over.
it("never lets the head sleep longer than the poll interval that its grace is made of", () => {
  const aged = outlookOf({ holdAgeMs: 55_000, pace: paceOfHolds(60_000, 60_000, 60_000) });
  expect(pollDelayMs(aged)).toBeLessThanOrEqual(2000);
});

it("never lets the head sleep longer than two seconds, or four without an entry, where no turn is due", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      const { holdAgeMs, pace, isEnqueued, roundTripMs } = outlook;
      fc.pre(pace === undefined || holdAgeMs >= 3 * pace.usualHoldMs);
      const capMs = Math.max(isEnqueued ? 2000 : 4000, roundTripMs / 2);
      expect(pollDelayMs({ ...outlook, position: 0 })).toBeLessThanOrEqual(capMs);
    }),
  );
});

// A record that a stranger wrote may say that it is held since any time at all: no counting up to it, 3 s at a time.
it("finds the next poll at a hold of any age at once", () => {
  const startedAt = performance.now();
  pollDelayMs(outlookOf({ position: 1, holdAgeMs: 1e15 }));
  expect(performance.now() - startedAt).toBeLessThan(20);
});

// ---------------------------------------------------------------------------------------------------------------------
// The first in the queue

it("has a head that waits alone poll about every tenth of the hold's age, and no more often than round trips allow", () => {
  for (const holdAgeMs of [1500, 3000, 9000]) {
    const [longest, shortest] = [0, 0.999].map((random) => pollDelayMs(outlookOf({ holdAgeMs, random }))) as [
      number,
      number,
    ];
    expect(longest).toBeCloseTo(holdAgeMs / 10 + 10, 5);
    expect(shortest).toBeGreaterThan(longest * 0.69);
  }
  expect(pollDelayMs(outlookOf({ holdAgeMs: 0 }))).toBe(10);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 0, roundTripMs: 100 }))).toBe(50);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 3_600_000 }))).toBe(2000);
});

it("has a head that waits alone poll more often than that while the hold is young: it may be a short one", () => {
  expect(pollDelayMs(outlookOf({ holdAgeMs: 300 }))).toBeCloseTo(6 + 10, 5);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 1200 }))).toBeCloseTo(96 + 10, 5);
});

it("has the head poll less often where others wait behind it, whose polls come on top", () => {
  for (const holdAgeMs of [600, 2400]) {
    expect(pollDelayMs(outlookOf({ holdAgeMs, followers: 1 }))).toBeCloseTo(holdAgeMs / 3.5 + 40, 5);
    expect(pollDelayMs(outlookOf({ holdAgeMs, followers: 30 }))).toBeCloseTo(holdAgeMs / 3.5 + 40, 5);
  }
});

it("has the head poll just before those behind it do, so that they find it inside", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 300 }), (holdAgeMs, roundTripMs) => {
      const ofFollower = pollDelayMs(outlookOf({ position: 1, followers: 3, holdAgeMs, roundTripMs }));
      const polls = pollsOf({ followers: 3, holdAgeMs, roundTripMs, random: 0.5 }, holdAgeMs + ofFollower);
      const pollAgeMs = holdAgeMs + ofFollower - 2 * roundTripMs;
      expect(polls.some((ageMs) => ageMs >= pollAgeMs - 10 && ageMs <= pollAgeMs + 0.001)).toBe(true);
    }),
  );
});

it("notices a release within a tenth of the hold and a few round trips, on average over when it happens", () => {
  for (const roundTripMs of [5, 20, 100]) {
    for (const holdMs of [300, 1000, 2500, 4000]) {
      const late: number[] = [];
      for (let part = 0; part < 200; part += 1) {
        const endMs = holdMs * (0.7 + (0.6 * part) / 200);
        const seenMs = pollsOf({ roundTripMs, random: 0.5 }, endMs).at(-1) as number;
        late.push((seenMs - endMs) / endMs);
      }
      const mean = late.reduce((sum, value) => sum + value, 0) / late.length;
      expect(mean * holdMs).toBeLessThan(holdMs / 10 + 2 * roundTripMs);
    }
  }
});

it("has a long wait cost few polls: less than two a second in the first minute alone, and fewer where many wait", () => {
  // Their trips not counted, which are most of the first second.
  expect(pollsOf({ random: 0.5 }, 60_000).length).toBeLessThan(120);
  expect(pollsOf({ random: 0.5, followers: 11 }, 60_000).length).toBeLessThan(60);
});

it("has a head without an entry poll half as often", () => {
  for (const holdAgeMs of [0, 500, 5000, 50_000]) {
    const enqueued = pollDelayMs(outlookOf({ holdAgeMs }));
    expect(pollDelayMs(outlookOf({ holdAgeMs, isEnqueued: false }))).toBeCloseTo(2 * enqueued, 5);
  }
});

it("has the head sleep until the shortest of the recent turns would be over, a fifth of a second at most", () => {
  const pace = paceOfHolds(150, 170, 160);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 20, pace }))).toBe(120);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 100, pace }))).toBe(40);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 140, pace }))).toBeCloseTo(140 ** 2 / 15_000 + 10, 5);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(5000, 6000, 7000) }))).toBe(200);
});

it("has the head poll ten times as often as the hold is old while a turn like the recent ones is due, then less", () => {
  const pace = paceOfHolds(300, 300, 300);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 400, pace, followers: 1 }))).toBe(40);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 899, pace, followers: 1 }))).toBeCloseTo(89.9, 5);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 900, pace, followers: 1 }))).toBeCloseTo(900 / 3.5 + 40, 5);
});

it("does not make the head sleep on the word of one or two turns", () => {
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(1000, 1000) }))).toBe(10);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(1000, 1000, 1000) }))).toBe(200);
});

// ---------------------------------------------------------------------------------------------------------------------
// The pace

it("knows a pace from turns that were released, and none from those that ended otherwise", () => {
  expect(paceOfHolds()).toBeUndefined();
  const ended = ["expired", "forced", "deleted"] as const;
  expect(paceOf(recordOf({ recent: ended.map((how) => turnOf({ ended: how })) }))).toBeUndefined();
  expect(paceOfHolds(100, 200, 600)).toEqual({
    shortestHoldMs: 100,
    shortestTurnMs: 0,
    usualHoldMs: 300,
    isVague: false,
  });
});

it("takes one or two turns for little: the shorter of them, and vague", () => {
  expect(paceOfHolds(500)).toEqual({ shortestHoldMs: 500, shortestTurnMs: NEVER, usualHoldMs: 500, isVague: true });
  expect(paceOfHolds(500, 100)).toEqual({ shortestHoldMs: 100, shortestTurnMs: 0, usualHoldMs: 100, isVague: true });
});

it("knows how long it takes from one grant to the next, the present one included", () => {
  const recent = [900, 500, 200, 0].map((ms) => turnOf({ fromMs: T0 + ms, toMs: T0 + ms + 50 }));
  expect(paceOf(recordOf({ recent }))?.shortestTurnMs).toBe(200);
  const holders = [holderOf({ acquiredAtMs: T0 + 1050 })];
  expect(paceOf(recordOf({ recent, holders }))?.shortestTurnMs).toBe(150);
});

it("counts passing on in what a turn takes, two round trips at least and five at most", () => {
  const paceWith = (shortestTurnMs: number): Pace => ({
    shortestHoldMs: 100,
    shortestTurnMs,
    usualHoldMs: 100,
    isVague: false,
  });
  expect([0, 170, 5000].map((ms) => servedInMs(paceWith(ms), 2, 20))).toEqual([420, 510, 600]);
  expect(servedInMs(undefined, 0, 20)).toBe(NEVER);
});

it("takes a turn that ended before it began, by clocks that differ, as one of no length", () => {
  expect(paceOfHolds(-50, 100, 100)).toMatchObject({ shortestHoldMs: 0 });
});
