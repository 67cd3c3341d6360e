import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { holderOf, recordOf, T0, turnOf } from "../../test/protocol/samples.js";
import { type Outlook, type Pace, paceOf, pollDelayMs, servedInMs } from "./polling.js";

const NEVER = Number.POSITIVE_INFINITY;

function outlookOf(changes: Partial<Outlook> = {}): Outlook {
  const usual = { position: 0, followers: 0, holdAgeMs: 1000, lastHoldMs: 0, untilTakeoverMs: NEVER, pace: undefined };
  return { ...usual, roundTripMs: 20, isEnqueued: true, random: 0, ...changes };
}

function paceOfHolds(...holds: readonly number[]): Pace | undefined {
  return paceOf(recordOf({ recent: holds.map((ms) => turnOf({ fromMs: T0, toMs: T0 + ms })) }));
}

const DAY_MS = 86_400_000;
const duration = (max: number) => fc.double({ min: 0, max, noNaN: true });
const anyPace = fc.option(
  fc.array(duration(DAY_MS), { minLength: 1, maxLength: 8 }).map((holds) => paceOfHolds(...holds)),
  { nil: undefined },
);
const anyOutlook = fc.record({
  position: fc.nat({ max: 100 }),
  followers: fc.nat({ max: 63 }),
  holdAgeMs: duration(DAY_MS),
  lastHoldMs: duration(DAY_MS),
  untilTakeoverMs: fc.oneof(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.constant(NEVER)),
  roundTripMs: duration(5000),
  pace: anyPace,
  isEnqueued: fc.boolean(),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

/** The ages of a hold at which one at this position looks at it, until it has that age. */
function looksOf(changes: Partial<Outlook>, untilMs: number): number[] {
  const ages: number[] = [];
  // Everybody comes at some other moment.
  let ageMs = changes.holdAgeMs ?? 0;
  while (ageMs < untilMs) {
    ageMs += pollDelayMs(outlookOf({ ...changes, holdAgeMs: ageMs }));
    ages.push(ageMs);
  }
  return ages;
}

// ---------------------------------------------------------------------------------------------------------------------
// Everybody

it("never sleeps past the moment at which the lease could be taken over", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      expect(pollDelayMs(outlook)).toBeLessThanOrEqual(Math.max(outlook.untilTakeoverMs, 0) + 1);
    }),
  );
  const asleep = outlookOf({ position: 3, holdAgeMs: 60_000, pace: paceOfHolds(90_000, 90_000, 90_000) });
  expect(pollDelayMs(asleep)).toBeGreaterThan(2000);
  expect(pollDelayMs({ ...asleep, untilTakeoverMs: 500 })).toBe(501);
  expect(pollDelayMs({ ...asleep, untilTakeoverMs: -60_000 })).toBe(1);
});

it("gives a wait that is finite, at least a millisecond and below its cap, whatever it is asked", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      const delayMs = pollDelayMs(outlook);
      expect(Number.isFinite(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(1);
      // Twice the longest step of the epochs for those without an entry, or while the lock changes hands.
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
it("finds the next look at a hold of any age at once", () => {
  const startedAt = performance.now();
  pollDelayMs(outlookOf({ position: 1, holdAgeMs: 1e15 }));
  expect(performance.now() - startedAt).toBeLessThan(20);
});

// ---------------------------------------------------------------------------------------------------------------------
// The first in line

it("has a head that waits alone look about every tenth of the hold's age, and no more often than round trips allow", () => {
  for (const holdAgeMs of [600, 1000, 3000, 9000]) {
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

it("has the head look half as often where others wait behind it, whose looks come on top", () => {
  for (const holdAgeMs of [600, 3000]) {
    expect(pollDelayMs(outlookOf({ holdAgeMs, followers: 1 }))).toBeCloseTo(holdAgeMs / 4.5 + 40, 5);
    expect(pollDelayMs(outlookOf({ holdAgeMs, followers: 30 }))).toBeCloseTo(holdAgeMs / 4.5 + 40, 5);
  }
});

it("notices a release within a tenth of the hold and a few round trips, on average over when it happens", () => {
  for (const roundTripMs of [5, 20, 100]) {
    for (const holdMs of [300, 1000, 2500, 4000]) {
      const late: number[] = [];
      for (let part = 0; part < 200; part += 1) {
        const endMs = holdMs * (0.7 + (0.6 * part) / 200);
        const seenMs = looksOf({ roundTripMs, random: 0.5 }, endMs).at(-1) as number;
        late.push((seenMs - endMs) / endMs);
      }
      const mean = late.reduce((sum, value) => sum + value, 0) / late.length;
      expect(mean * holdMs).toBeLessThan(holdMs / 10 + 2 * roundTripMs);
    }
  }
});

it("has a long wait cost few looks: less than two a second in the first minute alone, and fewer where many wait", () => {
  expect(looksOf({ random: 0.5 }, 60_000).length).toBeLessThan(95);
  expect(looksOf({ random: 0.5, followers: 11 }, 60_000).length).toBeLessThan(60);
});

it("has a head without an entry look half as often", () => {
  for (const holdAgeMs of [0, 500, 5000, 50_000]) {
    const enqueued = pollDelayMs(outlookOf({ holdAgeMs }));
    expect(pollDelayMs(outlookOf({ holdAgeMs, isEnqueued: false }))).toBeCloseTo(2 * enqueued, 5);
  }
});

it("has the head sleep until the shortest of the recent turns would be over, a fifth of a second at most", () => {
  const pace = paceOfHolds(150, 170, 160);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 20, pace }))).toBe(120);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 100, pace }))).toBe(40);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 140, pace }))).toBe(14);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(5000, 6000, 7000) }))).toBe(200);
});

it("has the head look ten times as often as the hold is old while a turn like the recent ones is due, then less", () => {
  const pace = paceOfHolds(300, 300, 300);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 400, pace }))).toBe(40);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 899, pace }))).toBeCloseTo(89.9, 5);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 900, pace }))).toBe(100);
});

it("does not make the head nap on the word of one or two turns", () => {
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(1000, 1000) }))).toBe(10);
  expect(pollDelayMs(outlookOf({ holdAgeMs: 10, pace: paceOfHolds(1000, 1000, 1000) }))).toBe(200);
});

// ---------------------------------------------------------------------------------------------------------------------
// Those behind

it("has followers look less often than the head", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      fc.pre(outlook.pace === undefined && outlook.holdAgeMs > 0 && outlook.position > 0 && outlook.isEnqueued);
      // A follower may come just before the next epoch; over a while it is rarer in any case.
      const spanMs = outlook.holdAgeMs + 20_000;
      const { untilTakeoverMs: _, ...at } = outlook;
      const followers = looksOf(at, spanMs).length;
      expect(followers).toBeLessThanOrEqual(looksOf({ ...at, position: 0 }, spanMs).length + 1);
    }),
  );
  expect(looksOf({ position: 1 }, 8000).length).toBeLessThan(looksOf({ position: 0 }, 8000).length / 2);
  expect(looksOf({ position: 8 }, 8000).length).toBeLessThan(looksOf({ position: 1 }, 8000).length);
});

it("has all followers look at the same ages of a hold, wherever they stand and whenever they came", () => {
  const epochs = [500, 1000, 2000, 4000, 6500, 9000, 11_500, 14_000];
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 63 }), fc.integer({ min: 1, max: 8000 }), (position, holdAgeMs) => {
      const ages = looksOf({ position, holdAgeMs }, 9000);
      expect(epochs).toEqual(expect.arrayContaining(ages));
    }),
  );
});

it("has followers leave out more of the early looks the further back they are, and never sleep long beyond a step", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 62 }), fc.integer({ min: 1, max: 60_000 }), (position, holdAgeMs) => {
      const [nearer, further] = [position, position + 1].map((at) =>
        pollDelayMs(outlookOf({ position: at, holdAgeMs })),
      );
      expect(nearer).toBeLessThanOrEqual(further as number);
      expect(further).toBeLessThanOrEqual(5000);
    }),
  );
});

it("looks again soon, those in front first, while the lock changes hands", () => {
  const delays = [1, 2, 5].map((position) => pollDelayMs(outlookOf({ position, holdAgeMs: 0 })));
  expect(delays).toEqual([60, 80, 140]);
  // The first in line looks as often as the hold was long: until then there is nothing to see.
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
  expect(pollDelayMs(outlookOf({ ...behindMany, pace: paceOfHolds(1000, 1000) }))).toBe(500);
});

it("never has a follower who knows the pace look more often than a head would, however late the turn is", () => {
  fc.assert(
    fc.property(anyOutlook, (outlook) => {
      fc.pre(outlook.pace !== undefined && outlook.position > 0 && outlook.untilTakeoverMs > 1e6);
      const { holdAgeMs, roundTripMs } = outlook;
      const head = pollDelayMs(outlookOf({ holdAgeMs, roundTripMs }));
      const unknown = pollDelayMs({ ...outlook, pace: undefined });
      expect(pollDelayMs(outlook)).toBeGreaterThanOrEqual(Math.min(head, unknown, 500));
    }),
  );
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

it("counts hand-overs in what a turn takes, two round trips at least and five at most", () => {
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
