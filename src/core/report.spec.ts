import { expect, it } from "vitest";
import { holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import type { LockRecord } from "./record.js";
import { reportOf, unreadableReport } from "./report.js";

const occasion = (nowMs: number) => ({
  lockName: "lock",
  key: "locks/lock.json",
  now: { earliestMs: nowMs, latestMs: nowMs + 500 },
});
const report = (record: Partial<LockRecord>, nowMs = T0) => reportOf(recordOf(record), occasion(nowMs));

it("calls a lock held while one lease lasts, expired when all have ended, else free", () => {
  const ended = holderOf({ id: "ended", expiresAtMs: T0 - 1 });
  const lasting = holderOf({ id: "lasting", expiresAtMs: T0 });
  expect(report({ holders: [] }).state).toBe("free");
  expect(report({ holders: [ended] }).state).toBe("expired");
  expect(report({ holders: [ended, lasting] }).state).toBe("held");
  expect(report({ holders: [lasting] }, T0 + 1).state).toBe("expired");
});

it("counts ages and what is left by the clock of the store", () => {
  const holder = holderOf({ acquiredAtMs: T0 - 3000, renewedAtMs: T0 - 1000, expiresAtMs: T0 + 4000 });
  expect(report({ holders: [holder] }).holders[0]).toMatchObject({ heldMs: 3000, leaseLeftMs: 4000 });
  // P23: one whose lease has ended is not known to go on.
  expect(report({ holders: [holder] }, T0 + 5000).holders[0]).toMatchObject({ heldMs: 7000, leaseLeftMs: -1000 });
  expect(report({ holders: [holder] }, T0 + 9e9).holders[0]).toMatchObject({ heldMs: 7000 });
  expect(report({ holders: [holder] }, T0 - 9000).holders[0]).toMatchObject({ heldMs: 0 });
  // Store time is known to fractions of a millisecond; whole ones are told.
  expect(report({ holders: [holder] }, T0 + 0.4).holders[0]).toMatchObject({ heldMs: 3000, leaseLeftMs: 4000 });
  expect(report({ holders: [{ ...holder, permits: 3 }, holder] }).holders.map(({ permits }) => permits)).toEqual([
    3, 1,
  ]);
  const recent = [turnOf({ fromMs: T0 - 500, toMs: T0 - 200, ended: "forced" })];
  expect(report({ recent }).recentTurns).toMatchObject([
    { acquiredAt: T0 - 500, endedAt: T0 - 200, heldMs: 300, ended: "forced" },
  ]);
});

it("says of each waiter how many permits it wants: one, unless it says more", () => {
  const queue = [waiterOf({ id: "a", permits: 3 }), waiterOf({ id: "b" })];
  expect(report({ queue, limit: 5 }).waiters.map(({ permits }) => permits)).toEqual([3, 1]);
});

it("lists waiters in the order of service, without those that are gone", () => {
  const queue = [
    waiterOf({ id: "late", sinceMs: T0 - 1, priority: 0 }),
    waiterOf({ id: "gone", sinceMs: T0 - 9, priority: 9, expiresAtMs: T0 - 1 }),
    waiterOf({ id: "early", sinceMs: T0 - 2.4, priority: 0, holds: [{ name: "other", token: 7 }] }),
    waiterOf({ id: "urgent", sinceMs: T0, priority: 1 }),
  ];
  const { waiters } = report({ queue });
  expect(waiters.map(({ acquisitionId, position }) => [acquisitionId, position])).toEqual([
    ["urgent", 0],
    ["early", 1],
    ["late", 2],
  ]);
  expect(waiters[1]).toMatchObject({
    waitedMs: 2,
    waitingSince: T0 - 2,
    holds: [{ lockName: "other", fencingToken: 7 }],
  });
});

it("leaves out what the record does not say, and says why there is no record", () => {
  const [holder] = report({ holders: [holderOf()] }).holders;
  expect(Object.keys(holder ?? {}).filter((field) => ["host", "pid", "label"].includes(field))).toEqual(
    ["host", "pid", "label"].filter((field) => field in holderOf()),
  );
  expect(unreadableReport(Object.assign(new Error("why"), { code: "corrupt-record" }), occasion(T0))).toMatchObject({
    state: "unreadable",
    problem: { code: "corrupt-record", message: "why" },
    holders: [],
    waiters: [],
    recentTurns: [],
  });
});

it("says when the store was checked, where the record does", () => {
  const proofs = [{ way: "here", atMs: T0 - 5, versions: "suspended" as const }];
  expect(report({ proofs })).toMatchObject({ storeProofs: [{ checkedAt: T0 - 5, versioning: "suspended" }] });
  expect(report({})).not.toHaveProperty("storeProofs");
});
