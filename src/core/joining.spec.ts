import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import {
  isReturnLikely,
  type JoinSight,
  mayJoin,
  mayPutOff,
  REFRESH_RESERVE_MS,
  type Setback,
  stepBackMs,
} from "./joining.js";
import type { LockRecord } from "./record.js";

const TRIP_MS = 20;
const LIFE_MS = 15_000;

function sightOf(changes: Partial<JoinSight> = {}): JoinSight {
  return { nowMs: T0 + 10, roundTripMs: TRIP_MS, ownerId: "me", setbacks: 0, random: 0, ...changes };
}

/** As its holder left it at T0: granted or renewed. */
const holders = [holderOf({ renewedAtMs: T0, acquiredAtMs: T0 })];
const byHolder = recordOf({ holders, touchedAtMs: T0 });
/** As somebody left it who joined at T0. */
const byJoiner = recordOf({
  holders: [holderOf({ renewedAtMs: T0 - 500 })],
  queue: [waiterOf({ sinceMs: T0 - 5 })],
  touchedAtMs: T0,
});
/** Released at T0, with somebody next in line. */
const released = recordOf({
  recent: [turnOf({ owner: "last", toMs: T0 })],
  queue: [waiterOf()],
  freeSinceMs: T0,
  touchedAtMs: T0,
});

it("lets a newcomer join what the holder has written", () => {
  expect(mayJoin(byHolder, sightOf())).toBe(true);
  expect(mayJoin(byHolder, sightOf({ nowMs: T0 + 90 }))).toBe(true);
});

it("lets one join at a time: what a waiter has written is left alone for six round trips", () => {
  expect(mayJoin(byJoiner, sightOf())).toBe(false);
  expect(mayJoin(byJoiner, sightOf({ nowMs: T0 + 6 * TRIP_MS }))).toBe(false);
  expect(mayJoin(byJoiner, sightOf({ nowMs: T0 + 6 * TRIP_MS + 1 }))).toBe(true);
});

it("leaves a lock alone that changes hands, except to the one who has just released it", () => {
  expect(mayJoin(released, sightOf())).toBe(false);
  expect(mayJoin(released, sightOf({ ownerId: "last" }))).toBe(true);
  expect(mayJoin(released, sightOf({ nowMs: T0 + 6 * TRIP_MS + 1 }))).toBe(true);
});

it("has those who came too late before try only what is fresh, and then not all of them", () => {
  expect(mayJoin(byHolder, sightOf({ setbacks: 1, nowMs: T0 + 2 * TRIP_MS }))).toBe(true);
  expect(mayJoin(byHolder, sightOf({ setbacks: 1, nowMs: T0 + 2 * TRIP_MS + 1 }))).toBe(false);
  const chances = [0, 0.3, 0.4, 0.9].map((random) => mayJoin(byHolder, sightOf({ setbacks: 2, random })));
  expect(chances).toEqual([true, true, false, false]);
});

it("has them try whatever a holder wrote where those who had the lock are back in the queue: they are few", () => {
  const back = ["a", "b"].map((owner) => ({ turn: turnOf({ owner }), waiter: waiterOf({ id: owner, owner }) }));
  const few = {
    ...byHolder,
    recent: back.map(({ turn }) => turn),
    queue: back.map(({ waiter }) => waiter),
  };
  expect(mayJoin(few, sightOf({ setbacks: 5, random: 0.9, nowMs: T0 + 90 }))).toBe(true);
});

// ---------------------------------------------------------------------------------------------------------------------
// Refreshing

it("puts a refresh off while the record is better left alone or the turn is near, but never past its reserve", () => {
  const waiter = waiterOf({ expiresAtMs: T0 + 5000 });
  const ask = (servedInMs: number, mayWrite: boolean, nowMs = T0) => mayPutOff(waiter, { servedInMs, mayWrite, nowMs });
  expect(ask(900, true)).toBe(true);
  expect(ask(1100, true)).toBe(false);
  expect(ask(Number.POSITIVE_INFINITY, true)).toBe(false);
  expect(ask(Number.POSITIVE_INFINITY, false)).toBe(true);
  expect(ask(0, false, T0 + 5000 - REFRESH_RESERVE_MS)).toBe(false);
});

// ---------------------------------------------------------------------------------------------------------------------
// Who comes back

const turns = (...owners: readonly string[]) => owners.map((owner, at) => turnOf({ owner, toMs: T0 - at * 100 }));
const queued = (...owners: readonly string[]) => owners.map((owner) => waiterOf({ id: owner, owner }));

it("expects the last holder back where those before it came back, until it is there", () => {
  const base = { touchedAtMs: T0, freeSinceMs: T0 };
  const seen = recordOf({ ...base, recent: turns("a", "b", "c"), queue: queued("b", "c") });
  expect(isReturnLikely(seen)).toBe(true);
  expect(isReturnLikely({ ...seen, queue: queued("a", "b", "c") })).toBe(false);
  expect(isReturnLikely({ ...seen, queue: queued("b", "d") })).toBe(false);
  expect(isReturnLikely({ ...seen, touchedAtMs: T0 + 20 })).toBe(false);
  expect(isReturnLikely(recordOf({ ...base, recent: turns("a"), queue: queued("b") }))).toBe(false);
});

// ---------------------------------------------------------------------------------------------------------------------
// Stepping back

function setbackOf(changes: Partial<Setback> = {}): Setback {
  const usual = { lost: "entry", setbacks: 2, isOpen: false, losses: 1, isEnqueued: false } as const;
  return {
    ...usual,
    holdAgeMs: 100,
    waitedMs: 500,
    record: byHolder,
    entryLifeMs: LIFE_MS,
    roundTripMs: TRIP_MS,
    random: 0.5,
    ...changes,
  };
}

const anyRecord = fc.constantFrom<LockRecord | undefined>(undefined, byHolder, byJoiner, released);
const anySetback = fc.record({
  lost: fc.constantFrom("grant" as const, "entry" as const, "nothing" as const),
  setbacks: fc.integer({ min: 1, max: 1000 }),
  isOpen: fc.boolean(),
  losses: fc.nat({ max: 1000 }),
  isEnqueued: fc.boolean(),
  record: anyRecord,
  holdAgeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  waitedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  entryLifeMs: fc.constant(LIFE_MS),
  roundTripMs: fc.double({ min: 0, max: 5000, noNaN: true }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

it("steps back at most a hundred round trips, and a second where an entry has to be refreshed", () => {
  fc.assert(
    fc.property(anySetback, (setback) => {
      const delayMs = stepBackMs(setback);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(101 * Math.min(Math.max(setback.roundTripMs, 5), 200));
      if (setback.isEnqueued && !setback.isOpen) expect(delayMs).toBeLessThanOrEqual(1000);
    }),
    { numRuns: 1000 },
  );
});

it("has the next in line try again at once when somebody joined first", () => {
  expect(stepBackMs(setbackOf({ lost: "grant", isEnqueued: true }))).toBe(0);
});

it("tries again soon where there was room beside the winner: a winner a round trip is all there can be", () => {
  const longest = [1, 2, 4, 9].map((setbacks) =>
    Math.round(stepBackMs(setbackOf({ lost: "grant", isOpen: true, setbacks, random: 0.9999 })) / TRIP_MS),
  );
  expect(longest).toEqual([2, 4, 8, 8]);
});

it("leaves the winner in peace for at least four round trips, and spreads those who came with it", () => {
  const [earliest, latest] = [0, 0.999].map((random) => stepBackMs(setbackOf({ lost: "grant", random })));
  expect(earliest).toBe(4 * TRIP_MS);
  expect(latest).toBeGreaterThan(15 * TRIP_MS);
});

it("spreads those who lost over more and more, where nobody knows how many they are", () => {
  const longest = (changes: Partial<Setback>) => stepBackMs(setbackOf({ random: 0.999, ...changes })) / TRIP_MS;
  expect(longest({ losses: 0 })).toBeCloseTo(41, 0);
  expect(longest({ losses: 1 })).toBeCloseTo(81, 0);
  expect(longest({ losses: 9 })).toBeCloseTo(81, 0);
  expect(longest({ losses: 0, holdAgeMs: 900 })).toBeCloseTo(91, 0);
});

it("spreads a crowd in proportion to how long it took those who have a place, though not longer than one has waited", () => {
  const joinedAfter = (ms: number) =>
    recordOf({ recent: turns("a", "b"), queue: [waiterOf({ sinceMs: T0, expiresAtMs: T0 + ms + LIFE_MS })] });
  const longest = (ms: number, waitedMs: number) =>
    stepBackMs(setbackOf({ record: joinedAfter(ms), waitedMs, random: 0.999 }));
  expect(longest(10, 9000)).toBeCloseTo(25 * TRIP_MS, -1);
  expect(longest(200, 9000)).toBeCloseTo(6 * 200 + TRIP_MS, -1);
  expect(longest(9000, 200)).toBeCloseTo(6 * 200 + TRIP_MS, -1);
});

it("tries again at once, a few times, where those who had the lock come back: the next gap is near", () => {
  const record = recordOf({ holders, recent: turns("a", "b"), queue: queued("a", "b") });
  expect([1, 2, 3].map((losses) => stepBackMs(setbackOf({ record, losses })))).toEqual([0, 0, 0]);
  expect(stepBackMs(setbackOf({ record, losses: 4 }))).toBeGreaterThan(0);
  expect(stepBackMs(setbackOf({ record, lost: "nothing" }))).toBeLessThan(2 * TRIP_MS);
});

it("looks again soon when it found somebody joining just before it, for the first time", () => {
  expect(stepBackMs(setbackOf({ lost: "nothing", setbacks: 1, random: 0.999 }))).toBeLessThanOrEqual(7 * TRIP_MS);
});
