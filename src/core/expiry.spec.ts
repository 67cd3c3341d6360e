import { expect, it } from "vitest";
import { attemptAt, holderOf, T0, TOLERANCE_MS, waiterOf } from "../../test/protocol/samples.js";
import {
  arrivalMs,
  FAR_AHEAD_MS,
  isExpired,
  isRestOver,
  isUndated,
  isWaiting,
  LONGEST_ENTRY_MS,
  leaseKey,
  mayBeTakenOver,
  restKey,
} from "./expiry.js";

const EXPIRY_MS = T0 + 10_000;
const holder = holderOf({ expiresAtMs: EXPIRY_MS, leaseWriteId: "r" });

it("leaves a lease alone until the tolerance has passed by the lower bound of store time", () => {
  const at = (earliestMs: number) => attemptAt(0, { now: { earliestMs, latestMs: earliestMs + 60_000 } });
  expect(mayBeTakenOver(holder, at(EXPIRY_MS + TOLERANCE_MS))).toBe(false);
  expect(mayBeTakenOver(holder, at(EXPIRY_MS + TOLERANCE_MS + 1))).toBe(true);
});

it("goes by renewals that were watched, and by nothing else, where those are given", () => {
  const longAfter = { now: { earliestMs: EXPIRY_MS * 2, latestMs: EXPIRY_MS * 2 } };
  expect(
    mayBeTakenOver(
      holder,
      attemptAt(0, { ...longAfter, observedEnded: new Set([leaseKey({ ...holder, id: "other" })]) }),
    ),
  ).toBe(false);
  expect(mayBeTakenOver(holder, attemptAt(T0, { observedEnded: new Set([leaseKey(holder)]) }))).toBe(true);
});

it("calls a lease run out without tolerance, and a waiter gone, only when the lower bound says so", () => {
  const at = (earliestMs: number) => attemptAt(0, { now: { earliestMs, latestMs: earliestMs + 60_000 } });
  expect(isExpired(holder, at(EXPIRY_MS))).toBe(false);
  expect(isExpired(holder, at(EXPIRY_MS + 1))).toBe(true);
  const waiter = waiterOf({ expiresAtMs: EXPIRY_MS });
  expect(isWaiting(waiter, at(EXPIRY_MS))).toBe(true);
  expect(isWaiting(waiter, at(EXPIRY_MS + 1))).toBe(false);
});

it("does not wait, without store time, for an entry that would live for longer than any does: some clock is far ahead", () => {
  const at = (latestMs: number, lacksStoreTime = true) =>
    attemptAt(0, { now: { earliestMs: latestMs - 60_000, latestMs }, lacksStoreTime });
  const waiter = waiterOf({ expiresAtMs: EXPIRY_MS });
  expect(LONGEST_ENTRY_MS).toBe(30_000);
  expect(isWaiting(waiter, at(EXPIRY_MS - LONGEST_ENTRY_MS))).toBe(true);
  expect(isWaiting(waiter, at(EXPIRY_MS - LONGEST_ENTRY_MS - 1))).toBe(false);
  expect(isWaiting(waiter, at(EXPIRY_MS - LONGEST_ENTRY_MS - 1, false))).toBe(true);
});

it("does not judge a lease by an end that no store time has bounded, except where there is none", () => {
  const undated = holderOf({ undated: true, expiresAtMs: T0 });
  const dated = holderOf({ expiresAtMs: T0 });
  const later = attemptAt(T0 + 100_000);
  const alone = attemptAt(T0 + 100_000, { lacksStoreTime: true });
  expect([isUndated(undated, later), isUndated(undated, alone), isUndated(dated, later)]).toEqual([true, false, false]);
  expect([mayBeTakenOver(undated, later), mayBeTakenOver(undated, alone), mayBeTakenOver(dated, later)]).toEqual([
    false,
    true,
    true,
  ]);
  expect([isExpired(undated, later), isExpired(undated, alone), isExpired(dated, later)]).toEqual([false, true, true]);
});

it("keeps the arrival that was told first, unless that lies hours ahead of what is known now", () => {
  expect(arrivalMs(T0)).toBe(T0);
  expect(arrivalMs(T0, T0 - 9_000_000)).toBe(T0 - 9_000_000);
  expect(arrivalMs(T0, T0 + FAR_AHEAD_MS)).toBe(T0 + FAR_AHEAD_MS);
  expect(arrivalMs(T0, T0 + FAR_AHEAD_MS + 1)).toBe(T0);
});

it("a lock rests by store time after a sweep, and without store time for as long as it has been watched", () => {
  expect(isRestOver(T0, attemptAt(T0))).toBe(false);
  expect(isRestOver(T0, attemptAt(T0, { now: { earliestMs: T0, latestMs: T0 + 1 } }))).toBe(false);
  expect(isRestOver(T0, attemptAt(T0 + 1))).toBe(true);
  const [watched, unwatched] = [new Set([restKey(T0)]), new Set([restKey(T0 + 1)])];
  expect(isRestOver(T0, attemptAt(T0 - 1e6, { lacksStoreTime: true, observedEnded: watched }))).toBe(true);
  expect(isRestOver(T0, attemptAt(T0 + 1e6, { lacksStoreTime: true, observedEnded: unwatched }))).toBe(false);
  expect(isRestOver(T0, attemptAt(T0 + 1, { lacksStoreTime: true }))).toBe(true);
  expect(isRestOver(T0, attemptAt(T0 - 1, { observedEnded: watched }))).toBe(false);
  expect(isRestOver(T0, attemptAt(T0 + 1, { observedEnded: unwatched }))).toBe(true);
});
