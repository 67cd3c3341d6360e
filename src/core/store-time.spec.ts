import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import {
  elapsedForHolder,
  elapsedForObserver,
  haveParted,
  type Observation,
  type OffsetBounds,
  observe,
  storeTimeAt,
} from "./store-time.js";

const STORE_MS = Date.UTC(2026, 0, 1);

/** One answer of an honest store: when it was asked for, how long each way took, and how stale its `Date` was. */
const step = fc.record({
  gapMs: fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 3_600_000, noNaN: true })),
  thereMs: fc.double({ min: 0, max: 5000, noNaN: true }),
  backMs: fc.double({ min: 0, max: 5000, noNaN: true }),
  staleMs: fc.double({ min: 0, max: 40, noNaN: true }),
});
const history = fc.record({
  bootedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  /** How much faster than the store's the local monotonic clock runs: within the 200 ppm that bounds allow for. */
  drift: fc.double({ min: -195e-6, max: 195e-6, noNaN: true }),
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

interface Moment {
  readonly bounds: OffsetBounds;
  readonly before: OffsetBounds | undefined;
  readonly seen: Observation;
  readonly contradicted: boolean;
  /** `store clock - monotonic clock`, in truth. */
  readonly offsetMs: number;
  readonly monotonicMs: number;
}

/** What a client with honest clocks comes to know, answer by answer. */
function* live({ bootedMs, drift, steps }: History): Generator<Moment> {
  const monotonicAt = (storeMs: number) => (storeMs - STORE_MS + bootedMs) * (1 + drift);
  let storeMs = STORE_MS;
  let before: OffsetBounds | undefined;
  for (const { gapMs, thereMs, backMs, staleMs } of steps) {
    storeMs += gapMs;
    const sentAtMs = monotonicAt(storeMs);
    const dateMs = Math.floor((storeMs + thereMs - staleMs) / 1000) * 1000;
    storeMs += thereMs + backMs;
    const monotonicMs = monotonicAt(storeMs);
    const seen = { sentAtMs, receivedAtMs: monotonicMs, dateMs };
    const { bounds, contradicted } = observe(before, seen, { monotonicMs, wallMs: 0 });
    yield { bounds, before, seen, contradicted, offsetMs: storeMs - monotonicMs, monotonicMs };
    before = bounds;
  }
}

const ROUNDING_MS = 1e-3;

it("keeps the true offset inside the bounds, whatever honest answers and drift there are", () => {
  fc.assert(
    fc.property(history, (run) => {
      for (const { bounds, offsetMs, contradicted } of live(run)) {
        expect(contradicted).toBe(false);
        expect(bounds.lowMs).toBeLessThanOrEqual(offsetMs + ROUNDING_MS);
        expect(bounds.highMs).toBeGreaterThanOrEqual(offsetMs - ROUNDING_MS);
      }
    }),
    { numRuns: 1000 },
  );
});

it("still has the true time between its bounds long after the last answer", () => {
  fc.assert(
    fc.property(history, fc.double({ min: 0, max: 1e8, noNaN: true }), (run, laterMs) => {
      const { bounds, offsetMs, monotonicMs } = [...live(run)].at(-1) as Moment;
      const now = monotonicMs + laterMs * (1 + run.drift);
      const storeMs = monotonicMs + offsetMs + laterMs;
      const time = storeTimeAt(bounds, { monotonicMs: now, wallMs: 0 });
      expect(time.earliestMs).toBeLessThanOrEqual(storeMs + ROUNDING_MS);
      expect(time.latestMs).toBeGreaterThanOrEqual(storeMs - ROUNDING_MS);
    }),
    { numRuns: 1000 },
  );
});

it("narrows: bounds are never wider than the last answer's own, nor than before, drift aside", () => {
  fc.assert(
    fc.property(history, (run) => {
      for (const { bounds, before, seen, monotonicMs } of live(run)) {
        const width = bounds.highMs - bounds.lowMs;
        expect(width).toBeLessThanOrEqual(1050 + seen.receivedAtMs - seen.sentAtMs + ROUNDING_MS);
        if (before === undefined) continue;
        const drifted = (monotonicMs - before.atMs) * 400e-6;
        expect(width).toBeLessThanOrEqual(before.highMs - before.lowMs + drifted + ROUNDING_MS);
      }
    }),
  );
});

it("knows the offset to about a tenth of a second after twenty answers at random moments", () => {
  let bounds: OffsetBounds | undefined;
  for (let index = 0; index < 20; index += 1) {
    const sentAtMs = index * 1050;
    const dateMs = Math.floor((STORE_MS + sentAtMs + 10) / 1000) * 1000;
    const reading = { monotonicMs: sentAtMs + 20, wallMs: 0 };
    bounds = observe(bounds, { sentAtMs, receivedAtMs: sentAtMs + 20, dateMs }, reading).bounds;
  }
  if (bounds === undefined) throw new Error("no bounds");
  expect(bounds.highMs - bounds.lowMs).toBeLessThan(130);
  expect(bounds.lowMs).toBeLessThanOrEqual(STORE_MS);
  expect(bounds.highMs).toBeGreaterThanOrEqual(STORE_MS);
});

/** An answer that takes no time, by a front end whose clock is this far ahead of another's. */
function answerAt(monotonicMs: number, aheadMs: number): [Observation, { monotonicMs: number; wallMs: number }] {
  const dateMs = Math.floor((STORE_MS + monotonicMs + aheadMs) / 1000) * 1000;
  return [
    { sentAtMs: monotonicMs, receivedAtMs: monotonicMs, dateMs },
    { monotonicMs, wallMs: 0 },
  ];
}

it("takes the hull of bounds that contradict each other, and says so once", () => {
  fc.assert(
    fc.property(fc.integer({ min: 3000, max: 1e9 }), fc.boolean(), (byMs, isAhead) => {
      const one = observe(undefined, ...answerAt(0, 0)).bounds;
      const second = observe(one, ...answerAt(10, isAhead ? byMs : -byMs));
      expect(second.contradicted).toBe(true);
      const alone = observe(undefined, ...answerAt(10, isAhead ? byMs : -byMs)).bounds;
      expect(second.bounds.lowMs).toBeCloseTo(Math.min(one.lowMs, alone.lowMs), 1);
      expect(second.bounds.highMs).toBeCloseTo(Math.max(one.highMs, alone.highMs), 1);
      const third = observe(second.bounds, ...answerAt(20, 0));
      expect(third.contradicted).toBe(false);
    }),
  );
});

it.each([1050, -1050])(
  "takes bounds that meet in one point (%i ms from each other) for an agreement, and further ones for none",
  (ms) => {
    const observed = { sentAtMs: 0, receivedAtMs: 0, dateMs: STORE_MS };
    const reading = { monotonicMs: 0, wallMs: 0 };
    const { bounds } = observe(undefined, observed, reading);
    expect(observe(bounds, { ...observed, dateMs: STORE_MS + ms }, reading).contradicted).toBe(false);
    expect(observe(bounds, { ...observed, dateMs: STORE_MS + ms + Math.sign(ms) }, reading).contradicted).toBe(true);
  },
);

/** What is known after answers every second, by one front end. */
function afterAnswers(bounds: OffsetBounds, count: number, fromMs: number, everyMs: number): OffsetBounds {
  let known = bounds;
  for (let index = 0; index < count; index += 1) {
    known = observe(known, ...answerAt(fromMs + index * everyMs, 0)).bounds;
  }
  return known;
}

const widthOf = ({ lowMs, highMs }: OffsetBounds) => highMs - lowMs;

it("13.1.1: ends a hull when five answers in a row have agreed for ten seconds, and not before", () => {
  const { bounds } = observe(observe(undefined, ...answerAt(0, 0)).bounds, ...answerAt(10, 60_000));
  expect(widthOf(afterAnswers(bounds, 4, 1000, 5000))).toBeGreaterThan(60_000);
  expect(widthOf(afterAnswers(bounds, 5, 1000, 2499))).toBeGreaterThan(60_000);
  expect(widthOf(afterAnswers(bounds, 5, 1000, 2500))).toBeLessThan(1100);
  const { bounds: agreed } = observe(afterAnswers(bounds, 5, 1000, 2500), ...answerAt(12_000, 0));
  expect(agreed.lowMs).toBeLessThanOrEqual(STORE_MS);
  expect(agreed.highMs).toBeGreaterThanOrEqual(STORE_MS);
});

it("13.1.1: keeps a hull for as long as front ends take turns", () => {
  let { bounds } = observe(observe(undefined, ...answerAt(0, 0)).bounds, ...answerAt(10, 60_000));
  for (let round = 0; round < 100; round += 1) {
    bounds = afterAnswers(bounds, 4, 1000 + round * 10_000, 2000);
    bounds = observe(bounds, ...answerAt(9000 + round * 10_000, 60_000)).bounds;
    expect(widthOf(bounds)).toBeGreaterThan(60_000);
  }
});

const BOUNDS: OffsetBounds = { lowMs: STORE_MS, highMs: STORE_MS + 900, atMs: 0 };

it("uses a wall clock inside the bounds as it is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 1e6 }), (intoMs, monotonicMs) => {
      const wallMs = STORE_MS + monotonicMs + intoMs;
      expect(storeTimeAt(BOUNDS, { monotonicMs, wallMs })).toEqual({ earliestMs: wallMs, latestMs: wallMs });
    }),
  );
});

it.each([0, 900])("uses one that is just %i ms into them as well", (intoMs) => {
  const wallMs = STORE_MS + intoMs;
  expect(storeTimeAt(BOUNDS, { monotonicMs: 0, wallMs })).toEqual({ earliestMs: wallMs, latestMs: wallMs });
});

it("never clamps a wall clock outside the bounds: earliest and latest are the bounds then", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.boolean(), (outMs, isAhead) => {
      const wallMs = isAhead ? STORE_MS + 900 + outMs : STORE_MS - outMs;
      const time = storeTimeAt(BOUNDS, { monotonicMs: 0, wallMs });
      // And a text of `Date` that is two seconds old is allowed for.
      expect(time).toEqual({ earliestMs: STORE_MS, latestMs: STORE_MS + 900 + 950 });
    }),
  );
});

const BOOTED = { monotonicMs: 86_400_000, wallMs: STORE_MS };

it.each([
  ["a suspension in which the monotonic clock stood still", 10, 5010],
  ["a wall clock that was set forward", 1000, 1000 + 3_600_000],
  ["a wall clock that was set back", 1000, 1000 - 3_600_000],
  ["a step just over what counts", 1000, 1000 + 102],
])("is disturbed by %s", (_, monotonicMs, wallMs) => {
  expect(haveParted(BOOTED, { monotonicMs: BOOTED.monotonicMs + monotonicMs, wallMs: STORE_MS + wallMs })).toBe(true);
});

it.each([
  ["clocks that agree", 1000, 1000],
  ["an hour of drift", 3_600_000, 3_600_000 * (1 + 500e-6)],
  ["a slewed wall clock", 1000, 1050],
  ["a step of just what does not count", 1000, 1101],
])("is not disturbed by %s", (_, monotonicMs, wallMs) => {
  expect(haveParted(BOOTED, { monotonicMs: BOOTED.monotonicMs + monotonicMs, wallMs: STORE_MS + wallMs })).toBe(false);
});

it("lets holders count the larger elapsed time and observers the smaller", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (monotonicMs, wallMs) => {
      const from = { monotonicMs: 5, wallMs: 7 };
      const to = { monotonicMs: 5 + monotonicMs, wallMs: 7 + wallMs };
      expect(elapsedForHolder(from, to)).toBe(Math.max(monotonicMs, wallMs));
      expect(elapsedForObserver(from, to)).toBe(Math.min(monotonicMs, wallMs));
    }),
  );
});

it("believes no wall clock inside a hull: which of two front ends is right is not known, so neither is the wall", () => {
  const { bounds } = observe(observe(undefined, ...answerAt(0, 0)).bounds, ...answerAt(10, 60_000));
  const time = storeTimeAt(bounds, { monotonicMs: 20, wallMs: STORE_MS + 55_000 });
  expect(time.earliestMs).toBeLessThanOrEqual(STORE_MS + 20);
  expect(time.latestMs).toBeGreaterThanOrEqual(STORE_MS + 60_020);
});

/** Answers every two seconds and a half, whose text is late by turns. */
function afterLateAnswers(bounds: OffsetBounds, fromMs: number, lateByMs: readonly number[]): OffsetBounds {
  return lateByMs.reduce(
    (known, byMs, index) => observe(known, ...answerAt(fromMs + 300 + index * 2500, -byMs)).bounds,
    bounds,
  );
}

it("13.1.1: ends a hull also where late text makes answers contradict each other, but believes no wall clock then", () => {
  const { bounds } = observe(observe(undefined, ...answerAt(0, 0)).bounds, ...answerAt(10, 3_600_000));
  const agreed = afterLateAnswers(bounds, 1000, [0, 1000, 0, 1000, 0]);
  expect(widthOf(agreed)).toBeGreaterThan(2000);
  expect(widthOf(agreed)).toBeLessThan(3100);
  expect(agreed.lowMs).toBeLessThanOrEqual(STORE_MS);
  const wallMs = STORE_MS + 12_000;
  const { earliestMs, latestMs } = storeTimeAt(agreed, { monotonicMs: 12_000, wallMs });
  expect(earliestMs).toBeLessThan(wallMs - 1000);
  expect(latestMs).toBeGreaterThan(wallMs);
  const again = afterLateAnswers(
    observe(agreed, ...answerAt(14_000, 3_600_000)).bounds,
    15_000,
    [0, 0, 1000, 1000, 0, 0],
  );
  expect(widthOf(again)).toBeLessThan(3100);
  expect(widthOf(afterLateAnswers(bounds, 1000, [0, 1000, 0, 1000]))).toBeGreaterThan(3_600_000);
});

it("13.1.1: takes answers that are further apart than late text explains for no agreement", () => {
  const { bounds } = observe(observe(undefined, ...answerAt(0, 0)).bounds, ...answerAt(10, 3_600_000));
  expect(widthOf(afterLateAnswers(bounds, 1000, [0, 3000, 0, 3000, 0, 3000, 0]))).toBeGreaterThan(3_600_000);
});
