import fc from "fast-check";
import { expect, it } from "vitest";
import "../../../test/protocol/arbitraries.js";
import { holderOf, recordOf, T0, turnOf, waiterOf } from "../../../test/protocol/samples.js";
import { FAR_AHEAD_MS } from "../expiry.js";
import type { LockRecord } from "../record.js";
import {
  FEW,
  isReturnLikely,
  type JoinSight,
  mayJoin,
  mayPutOff,
  REFRESH_RESERVE_MS,
  type Setback,
  stepBackMs,
} from "./enqueue.js";

const TRIP_MS = 20;
const LIFE_MS = 15_000;

function sightOf(changes: Partial<JoinSight> = {}): JoinSight {
  return { nowMs: T0 + 10, roundTripMs: TRIP_MS, ownerId: "me", setbacks: 0, random: 0, ...changes };
}

/** As its holder left it at T0: granted or renewed. */
const holders = [holderOf({ renewedAtMs: T0, acquiredAtMs: T0 })];
const byHolder = recordOf({ holders, touchedAtMs: T0 });
/** As a waiter that joined at T0 left it. */
const byJoiner = recordOf({
  holders: [holderOf({ renewedAtMs: T0 - 500 })],
  queue: [waiterOf({ sinceMs: T0 - 5 })],
  touchedAtMs: T0,
});
/** Released at T0, with a waiter next in the queue. */
const released = recordOf({
  recent: [turnOf({ owner: "last", toMs: T0 })],
  queue: [waiterOf()],
  freeSinceMs: T0,
  touchedAtMs: T0,
});

it("lets a newcomer join what the holder has written", () => {
  expect(mayJoin(byHolder, sightOf())).toBe(true);
  expect(mayJoin(byHolder, sightOf({ nowMs: T0 + 4 * TRIP_MS }))).toBe(true);
});

it("lets one join at a time: what a waiter has written is left alone for four round trips", () => {
  expect(mayJoin(byJoiner, sightOf())).toBe(false);
  expect(mayJoin(byJoiner, sightOf({ nowMs: T0 + 4 * TRIP_MS }))).toBe(false);
  expect(mayJoin(byJoiner, sightOf({ nowMs: T0 + 4 * TRIP_MS + 1 }))).toBe(true);
});

it("leaves a lock alone that changes hands, except to the client that has just released it", () => {
  expect(mayJoin(released, sightOf())).toBe(false);
  expect(mayJoin(released, sightOf({ ownerId: "last" }))).toBe(true);
  const joined = { ...released, touchedAtMs: T0 + 5 };
  expect(mayJoin(joined, sightOf({ ownerId: "last" }))).toBe(false);
  expect(mayJoin(released, sightOf({ nowMs: T0 + 4 * TRIP_MS + 1 }))).toBe(true);
});

it("has waiters that came too late before try only what is fresh, and then not all of them", () => {
  expect(mayJoin(byHolder, sightOf({ setbacks: 1, nowMs: T0 + 2 * TRIP_MS }))).toBe(true);
  expect(mayJoin(byHolder, sightOf({ setbacks: 1, nowMs: T0 + 2 * TRIP_MS + 1 }))).toBe(false);
  expect(mayJoin(byHolder, sightOf({ setbacks: 1, random: 0.9 }))).toBe(true);
  const chances = [0, 0.3, 0.4, 0.9].map((random) => mayJoin(byHolder, sightOf({ setbacks: 2, random })));
  expect(chances).toEqual([true, true, false, false]);
});

it("has them try whatever a holder wrote where earlier holders are back in the queue: they are few", () => {
  const back = ["a", "b"].map((owner) => ({ turn: turnOf({ owner }), waiter: waiterOf({ id: owner, owner }) }));
  const few = {
    ...byHolder,
    recent: back.map(({ turn }) => turn),
    queue: back.map(({ waiter }) => waiter),
  };
  expect(mayJoin(few, sightOf({ setbacks: 5, random: 0.9, nowMs: T0 + 4 * TRIP_MS }))).toBe(true);
});

it("takes them for few only while the queue is short, by owners that came back lately, and by one that takes turn after turn", () => {
  const seen = (owners: readonly string[], line: readonly string[]) => ({
    ...byHolder,
    recent: turns(...owners),
    queue: queued(...line),
  });
  const mayTry = (record: LockRecord) => mayJoin(record, sightOf({ setbacks: 5, random: 0.9, nowMs: T0 + 70 }));
  const others = (count: number) => Array.from({ length: count }, (_, at) => `other ${at}`);
  expect(mayTry(seen(["a", "b"], ["a", "b", ...others(FEW - 2)]))).toBe(true);
  expect(mayTry(seen(["a", "b"], ["a", "b", ...others(FEW - 1)]))).toBe(false);
  expect(mayTry(seen(["a", "a", "a"], []))).toBe(true);
  expect(mayTry(seen(["a", "b", "c"], []))).toBe(false);
  expect(mayTry(seen(["c", "d", "e", "f", "a", "b"], ["a", "b"]))).toBe(false);
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
  expect(isReturnLikely(recordOf({ ...base, recent: turns("a", "b"), queue: queued("b") }))).toBe(true);
  const longAgo = turns("a", "b", "c", "d", "e", "f");
  expect(isReturnLikely(recordOf({ ...base, recent: longAgo, queue: queued("e", "f") }))).toBe(false);
  expect(isReturnLikely(recordOf(base))).toBe(false);
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

const cameBack = recordOf({ holders, recent: turns("a", "b"), queue: queued("a", "b") });
/** Where so many wait. */
const crowdOf = (count: number) =>
  recordOf({ holders, queue: Array.from({ length: count }, (_, at) => waiterOf({ id: `w${at}` })) });
const anyRecord = fc.oneof(
  fc.constantFrom<LockRecord | undefined>(undefined, byHolder, byJoiner, released, cameBack),
  fc.nat({ max: 64 }).map(crowdOf),
);
// Evenly spread, which `fc.double` is not.
const anyRandom = fc.nat({ max: 999 }).map((number) => number / 1000);
const anySetback = fc.record({
  lost: fc.constantFrom("grant" as const, "entry" as const, "nothing" as const),
  setbacks: fc.integer({ min: 1, max: 1000 }),
  isOpen: fc.boolean(),
  losses: fc.nat({ max: 1000 }),
  isEnqueued: fc.boolean(),
  record: anyRecord,
  holdAgeMs: fc.nat({ max: 1e9 }),
  waitedMs: fc.nat({ max: 1e9 }),
  entryLifeMs: fc.constant(LIFE_MS),
  roundTripMs: fc.nat({ max: 5000 }),
  random: anyRandom,
});

it("steps back at most a hundred round trips, and a second where an entry has to be refreshed", () => {
  fc.assert(
    fc.property(anySetback, (setback) => {
      const delayMs = stepBackMs(setback);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(101 * Math.min(Math.max(setback.roundTripMs, 5), 200));
      if (setback.isEnqueued && setback.lost !== "grant") expect(delayMs).toBeLessThanOrEqual(1000);
    }),
    { numRuns: 1000 },
  );
});

it("spreads by the random number alone: a greater one never means an earlier try", () => {
  fc.assert(
    fc.property(anySetback, anyRandom, (setback, random) => {
      const [low, high] = [Math.min(random, setback.random), Math.max(random, setback.random)];
      expect(stepBackMs({ ...setback, random: low })).toBeLessThanOrEqual(stepBackMs({ ...setback, random: high }));
    }),
    { numRuns: 1000 },
  );
});

it("spreads waiters that have an entry, or find room, the more the longer the queue is", () => {
  const inLine = (count: number, changes: Partial<Setback>) =>
    stepBackMs(setbackOf({ record: crowdOf(count), ...changes }));
  for (const changes of [{ lost: "grant", isOpen: true }, { isEnqueued: true }] as const) {
    expect(inLine(16, changes)).toBeGreaterThan(inLine(8, changes));
    expect(inLine(8, changes)).toBeGreaterThan(inLine(0, changes));
  }
});

it("does not try again at once where its refresh lost: there is time", () => {
  expect(stepBackMs(setbackOf({ isEnqueued: true, random: 0 }))).toBeGreaterThan(0);
});

it("has the next in the queue try again at once when another waiter joined first", () => {
  expect(stepBackMs(setbackOf({ lost: "grant", isEnqueued: true }))).toBe(0);
});

it("tries again soon where there was room beside the winner: a winner a round trip is all there can be", () => {
  const longest = [1, 2, 4, 9].map((setbacks) =>
    Math.round(stepBackMs(setbackOf({ lost: "grant", isOpen: true, setbacks, random: 0.9999 })) / TRIP_MS),
  );
  expect(longest).toEqual([2, 4, 8, 8]);
});

it("leaves the winner in peace for at least four round trips, and spreads callers that came with it", () => {
  const [earliest, latest] = [0, 0.999].map((random) => stepBackMs(setbackOf({ lost: "grant", random })));
  expect(earliest).toBe(4 * TRIP_MS);
  expect(latest).toBeGreaterThan(15 * TRIP_MS);
});

it("spreads losers over more and more, where it is not known how many they are", () => {
  const longest = (changes: Partial<Setback>) => stepBackMs(setbackOf({ random: 0.999, ...changes })) / TRIP_MS;
  expect(longest({ losses: 0 })).toBeCloseTo(41, 0);
  expect(longest({ losses: 0, setbacks: 1 })).toBeCloseTo(41, 0);
  const oneCameBack = recordOf({ holders, recent: turns("a", "b"), queue: queued("a") });
  expect(longest({ losses: 0, record: oneCameBack })).toBeCloseTo(41, 0);
  expect(longest({ losses: 1 })).toBeCloseTo(81, 0);
  expect(longest({ losses: 9 })).toBeCloseTo(81, 0);
  expect(longest({ losses: 0, holdAgeMs: 900 })).toBeCloseTo(91, 0);
});

it("spreads a crowd in proportion to how long it took to get the places, though not longer than a waiter has waited", () => {
  const joinedAfter = (ms: number) =>
    recordOf({ recent: turns("a", "b"), queue: [waiterOf({ sinceMs: T0, expiresAtMs: T0 + ms + LIFE_MS })] });
  const longest = (ms: number, waitedMs: number) =>
    stepBackMs(setbackOf({ record: joinedAfter(ms), waitedMs, random: 0.999 }));
  expect(longest(10, 9000)).toBeCloseTo(25 * TRIP_MS, -1);
  expect(longest(200, 9000)).toBeCloseTo(6 * 200 + TRIP_MS, -1);
  expect(longest(9000, 200)).toBeCloseTo(6 * 200 + TRIP_MS, -1);
  // More than a few in the queue are a crowd, whichever of them comes back.
  const quick = { sinceMs: T0, expiresAtMs: T0 + LIFE_MS };
  const many = Array.from({ length: FEW + 1 }, (_, at) => waiterOf({ id: `w${at}`, owner: "a", ...quick }));
  const longestIn = (queue: LockRecord["queue"]) =>
    stepBackMs(setbackOf({ record: recordOf({ holders, recent: turns("a"), queue }), losses: 0, random: 0.999 }));
  expect(longestIn(many)).toBeCloseTo(25 * TRIP_MS, -1);
  expect(longestIn(many.slice(1))).toBeCloseTo(41 * TRIP_MS, -1);
});

it("tries again at once, a few times, where earlier holders come back: the next gap is near", () => {
  const record = recordOf({ holders, recent: turns("a", "b"), queue: queued("a", "b") });
  expect([1, 2, 3].map((losses) => stepBackMs(setbackOf({ record, losses })))).toEqual([0, 0, 0]);
  expect(stepBackMs(setbackOf({ record, losses: 4 }))).toBeGreaterThan(0);
  expect(stepBackMs(setbackOf({ record, lost: "nothing" }))).toBeLessThan(2 * TRIP_MS);
  expect(stepBackMs(setbackOf({ record, lost: "nothing", random: 0 }))).toBeGreaterThan(0);
});

it("polls again soon when it found another waiter joining just before it, for the first time", () => {
  expect(stepBackMs(setbackOf({ lost: "nothing", setbacks: 1, random: 0.999 }))).toBeLessThanOrEqual(7 * TRIP_MS);
});

it("does not leave a version alone for hours whose time lies hours ahead", () => {
  const ahead = (byMs: number) => ({ ...released, touchedAtMs: T0 + 10 + byMs });
  expect(mayJoin(ahead(FAR_AHEAD_MS), sightOf())).toBe(false);
  expect(mayJoin(ahead(FAR_AHEAD_MS + 1), sightOf())).toBe(true);
});
