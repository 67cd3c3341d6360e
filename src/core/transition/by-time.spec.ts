import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, waiterOf } from "../../../test/protocol/samples.js";
import { FAR_AHEAD_MS } from "../expiry.js";
import { isByTime, publishesLease } from "./by-time.js";

const attempt = attemptAt(T0);
const write = (record = recordOf({})) => ({ kind: "write", record }) as const;
const ends = (expiresAtMs: number) => recordOf({ holders: [holderOf({ expiresAtMs, renewedAtMs: expiresAtMs })] });

it("a removal is, also of nothing", () => {
  expect(isByTime(recordOf({}), { kind: "remove" }, attempt)).toBe(true);
  expect(isByTime(undefined, { kind: "remove" }, attempt)).toBe(true);
});

it("a write over nothing is not, nor one to a lock that is free or held for longer", () => {
  expect(isByTime(undefined, write(), attempt)).toBe(false);
  expect(isByTime(recordOf({}), write(), attempt)).toBe(false);
  expect(isByTime(ends(T0), write(), attempt)).toBe(false);
});

it("one to a lock is that any of whose leases is over by the clock", () => {
  expect(isByTime(ends(T0 - 1), write(), attempt)).toBe(true);
  const holders = [holderOf({ id: "lives", expiresAtMs: T0 + 1 }), holderOf({ expiresAtMs: T0 - 1 })];
  expect(isByTime(recordOf({ holders }), write(), attempt)).toBe(true);
  expect(isByTime(recordOf({ holders }), undefined, attempt)).toBe(true);
});

it("one is that drops a waiter which has not refreshed its entry", () => {
  const queued = (expiresAtMs: number) => recordOf({ queue: [waiterOf({ id: "lives" }), waiterOf({ expiresAtMs })] });
  expect(isByTime(queued(T0), write(), attempt)).toBe(false);
  expect(isByTime(queued(T0 - 1), write(), attempt)).toBe(true);
});

it("one is that puts times right which are far ahead", () => {
  const farMs = T0 + FAR_AHEAD_MS + 60_000;
  expect(isByTime(recordOf({ queue: [waiterOf({ expiresAtMs: farMs })] }), write(), attempt)).toBe(true);
});

it("a lease begins with the write that it counts from, also beside others", () => {
  const own = holderOf({ id: "own", leaseWriteId: attempt.writeId });
  const other = holderOf({ id: "other", leaseWriteId: "before" });
  expect(publishesLease(write(recordOf({ holders: [other, own] })), attempt)).toBe(true);
  expect(publishesLease(write(recordOf({ holders: [other] })), attempt)).toBe(false);
  expect(publishesLease(write(recordOf({ writeId: attempt.writeId })), attempt)).toBe(false);
  expect(publishesLease({ kind: "remove" }, attempt)).toBe(false);
});
