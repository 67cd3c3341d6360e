import { expect, it } from "vitest";
import type { Claim } from "../record.js";
import { areInTheWay, type OwnHold, pauseBeforePass, restBehind, stuckAfterMs } from "./local-queue.js";

const claim = (permits = 1, mode: Claim["mode"] = "exclusive"): Claim => ({ mode, permits });
const hold = (given: Partial<OwnHold> = {}): OwnHold => ({ claim: claim(), heldMs: 0, remainingMs: 10_000, ...given });

it("a waiter asks the store where there is room, and where it is not known how much there is", () => {
  expect(restBehind([], claim(), 1)).toBe(0);
  expect(restBehind([hold()], claim(), undefined)).toBe(0);
  expect(restBehind([hold()], claim(), 2)).toBe(0);
  expect(restBehind([hold({ claim: claim(1, "shared") })], claim(1, "shared"), 1)).toBe(0);
  // More than there are: no end of a hold helps.
  expect(restBehind([hold()], claim(3), 2)).toBe(0);
});

it("a waiter believes a holder of its own process for a second, and no longer than its lease", () => {
  expect(restBehind([hold()], claim(), 1)).toBe(1000);
  expect(restBehind([hold({ heldMs: 300 })], claim(), 1)).toBe(700);
  expect(restBehind([hold({ heldMs: 1000 })], claim(), 1)).toBe(0);
  expect(restBehind([hold({ heldMs: 5000 })], claim(), 1)).toBe(0);
  expect(restBehind([hold({ heldMs: 300, remainingMs: 200 })], claim(), 1)).toBe(200);
  expect(restBehind([hold({ heldMs: 100 }), hold({ heldMs: 400 })], claim(1), 2)).toBe(600);
});

it("a waiter leaves the store alone while a hold is handed on, or has just ended: it is told here", () => {
  expect(restBehind([hold({ remainingMs: undefined })], claim(), 1)).toBe(Number.POSITIVE_INFINITY);
  expect(restBehind([hold({ heldMs: 2000 }), hold({ remainingMs: undefined })], claim(), 2)).toBe(
    Number.POSITIVE_INFINITY,
  );
});

it("callers of its own process are in the way of a caller where they leave it no room, or it is not known how much there is", () => {
  expect(areInTheWay([], claim(), undefined)).toBe(false);
  expect(areInTheWay([], claim(), 0)).toBe(false);
  expect(areInTheWay([claim()], claim(), undefined)).toBe(true);
  expect(areInTheWay([claim()], claim(), 1)).toBe(true);
  expect(areInTheWay([claim()], claim(), 2)).toBe(false);
});

const moment = { nowMs: 10_000, untilMs: 20_000, roundTripMs: 20, hasWaiters: true };

it("a process that passes its lock on leaves the record alone for three round trips, twice a second", () => {
  const busy = { changedAtMs: 9_990, quietAtMs: 9_499 };
  expect(pauseBeforePass(busy, moment)).toEqual({ quietAtMs: 10_000, pauseMs: 60 });
  expect(pauseBeforePass({ ...busy, quietAtMs: 9_500 }, moment)).toEqual({ quietAtMs: 9_500, pauseMs: undefined });
  expect(pauseBeforePass(busy, { ...moment, hasWaiters: false })).toEqual({ quietAtMs: 9_499, pauseMs: undefined });
});

it("a record that has stayed as it was for that long needs no pause", () => {
  expect(pauseBeforePass({ changedAtMs: 9_940, quietAtMs: 0 }, moment)).toEqual({
    quietAtMs: 10_000,
    pauseMs: undefined,
  });
  expect(pauseBeforePass({ changedAtMs: 9_941, quietAtMs: 0 }, moment)).toEqual({ quietAtMs: 10_000, pauseMs: 60 });
});

it("a pause is left out where the release would have no time left for its own requests", () => {
  const busy = { changedAtMs: 9_990, quietAtMs: 0 };
  expect(pauseBeforePass(busy, { ...moment, untilMs: 10_240 })).toEqual({ quietAtMs: 10_000, pauseMs: 60 });
  expect(pauseBeforePass(busy, { ...moment, untilMs: 10_239 })).toEqual({ quietAtMs: 0, pauseMs: undefined });
});

it("an answer is waited for by those behind for four round trips, and for a tenth of a second at least", () => {
  expect(stuckAfterMs(0)).toBe(500);
  expect(stuckAfterMs(1)).toBe(100);
  expect(stuckAfterMs(25)).toBe(100);
  expect(stuckAfterMs(50)).toBe(200);
});
