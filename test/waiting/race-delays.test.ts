import fc from "fast-check";
import { expect, it } from "vitest";
import { type LostRace, raceDelayMs } from "../../src/core/polling.js";
import "../protocol/arbitraries.js";

/** How far those step back who have lost a race to write: the other half of `src/core/polling.ts`. */

function lostOf(changes: Partial<LostRace> = {}): LostRace {
  const usual = {
    races: 1,
    sight: "held",
    hasPace: false,
    queueLength: 0,
    isEnqueued: false,
    roundTripMs: 20,
    random: 0.5,
  } as const;
  return { ...usual, ...changes };
}

const anyLostRace = fc.record({
  races: fc.integer({ min: 1, max: 1000 }),
  sight: fc.constantFrom("absent" as const, "free" as const, "held" as const),
  hasPace: fc.boolean(),
  queueLength: fc.nat({ max: 64 }),
  isEnqueued: fc.boolean(),
  roundTripMs: fc.double({ min: 0, max: 5000, noNaN: true }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

it("steps back at most so many round trips, times what the length of the line adds", () => {
  fc.assert(
    fc.property(anyLostRace, (lost) => {
      const delayMs = raceDelayMs(lost);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      const tripMs = Math.max(lost.roundTripMs, 5) * (1 + lost.queueLength / 8);
      expect(delayMs).toBeLessThanOrEqual(tripMs * (lost.sight === "absent" ? 9 : lost.hasPace ? 9.7 : 92));
    }),
    { numRuns: 1000 },
  );
});

it("tries for a free lock again at once, twice, then steps back", () => {
  expect([1, 2].map((races) => raceDelayMs(lostOf({ sight: "free", races })))).toEqual([0, 0]);
  expect(raceDelayMs(lostOf({ sight: "free", races: 3 }))).toBeGreaterThan(0);
});

it("steps back further with each race that is lost in a row, and no further after a few", () => {
  for (const hasPace of [true, false]) {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((races) => raceDelayMs(lostOf({ hasPace, races })));
    expect(delays).toEqual([...delays].sort((one, other) => one - other));
    expect(delays[4]).toBeGreaterThan(delays[0] as number);
    expect(delays.at(-1)).toBe(delays.at(-2));
  }
});

it("spreads those who lost over many round trips, so that they do not meet again", () => {
  for (const sight of ["absent", "held"] as const) {
    const [earliest, latest] = [0, 0.999].map((random) => raceDelayMs(lostOf({ sight, random }))) as [number, number];
    expect(latest - earliest).toBeGreaterThan(7 * 20);
    expect(earliest).toBeGreaterThanOrEqual(20);
  }
});

it("steps back further where the line is long, and less where turns are quick", () => {
  for (const sight of ["absent", "held"] as const) {
    const short = raceDelayMs(lostOf({ sight }));
    expect(raceDelayMs(lostOf({ sight, queueLength: 8 }))).toBeCloseTo(2 * short, 5);
  }
  expect(raceDelayMs(lostOf({ hasPace: true }))).toBeLessThan(raceDelayMs(lostOf()));
});
