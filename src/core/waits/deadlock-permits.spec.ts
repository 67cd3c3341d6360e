import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, waiterOf } from "../../../test/protocol/samples.js";
import { type Hold, type Holder, type LockRecord, refKey, type Waiter } from "../record.js";
import { type CycleEdge, describeCycle, searchCycle } from "./deadlock.js";

const NOW = attemptAt(T0 + 2000);
const POOL = { kind: "semaphore", name: "pool" } as const;
const LOCK = { name: "pool" };

/** Holders by name: their tokens are told apart by the first letter. */
const tokenOf = (name: string) => T0 + name.charCodeAt(0);
const held = (id: string, changes: Partial<Holder> = {}) => holderOf({ id, token: tokenOf(id), ...changes });
const waits = (id: string, holds: readonly Hold[], changes: Partial<Waiter> = {}) =>
  waiterOf({ id, holds, ...changes });
const permitOf = (id: string): Hold => ({ ...POOL, token: tokenOf(id) });
const lockOf = (id: string): Hold => ({ ...LOCK, token: tokenOf(id) });

function search(wanted: typeof POOL | typeof LOCK, me: Waiter, pool: Partial<LockRecord>, lock: Partial<LockRecord>) {
  const records = new Map([
    [refKey(POOL), recordOf({ limit: 2, ...pool })],
    [refKey(LOCK), recordOf(lock)],
  ]);
  return searchCycle(wanted, me, records, NOW);
}

// a has the lock and wants a permit; b has a permit and wants the lock.
const me = waits("a", [lockOf("a")], { sinceMs: T0 + 100 });
const b = waits("b", [permitOf("b")]);

it("is not a deadlock while any holder of a permit can go on: the first to end gives one back", () => {
  const pool = { holders: [held("b"), held("c")], queue: [me] };
  expect(search(POOL, me, pool, { holders: [held("a")], queue: [b] })).toEqual({ kind: "none" });
});

it("is one when all who have permits wait in the end for a caller that wants one", () => {
  const c = waits("c", [permitOf("c")]);
  const pool = { holders: [held("b"), held("c")], queue: [me] };
  const found = search(POOL, me, pool, { holders: [held("a")], queue: [b, c] });
  expect(found).toMatchObject({ kind: "cycle", edges: [{ lockName: "pool" }, { lockName: "pool" }] });
});

it("takes only a hold of the semaphore itself for one that stands in the way: locks may have tokens like its own", () => {
  const lockedLikeC = { ...me, holds: [lockOf("a"), { name: "elsewhere", token: tokenOf("c") }] };
  const pool = { holders: [held("b"), held("c")], queue: [lockedLikeC] };
  const records = new Map([
    [refKey(POOL), recordOf({ limit: 2, ...pool })],
    [refKey(LOCK), recordOf({ holders: [held("a")], queue: [b] })],
    [refKey({ name: "elsewhere" }), undefined],
  ]);
  expect(searchCycle(POOL, lockedLikeC, records, NOW)).toEqual({ kind: "none" });
});

it("does not take a waiter for stuck behind a permit that is gone, not even one that is stuck behind its own", () => {
  const greedy = waits("b", [permitOf("b"), lockOf("b")], { permits: 2 });
  const late = waits("a", [permitOf("a")], { sinceMs: T0 + 100 });
  const lock = { holders: [held("b")], queue: [late] };
  expect(search(LOCK, late, { holders: [held("b")], queue: [greedy] }, lock)).toEqual({ kind: "none" });
  expect(search(LOCK, late, { holders: [held("a"), held("b")], queue: [greedy] }, lock).kind).toBe("cycle");
});

it("asks for the record of a semaphore or of a lock, whichever is held", () => {
  const both = waits("a", [permitOf("a"), lockOf("a")]);
  const refs = [POOL, LOCK];
  expect(searchCycle({ name: "x" }, both, new Map(), NOW)).toStrictEqual({ kind: "read", refs });
});

it("goes by permits, not by holders: a holder of all of them is enough, and one that leaves enough is not", () => {
  const lock = { holders: [held("a")], queue: [b] };
  expect(search(POOL, me, { holders: [held("b", { permits: 2 })], queue: [me] }, lock).kind).toBe("cycle");
  const modest = { limit: 3, holders: [held("b", { permits: 2 })], queue: [me] };
  expect(search(POOL, me, modest, lock).kind).toBe("none");
  const greedy = { ...me, permits: 2 };
  expect(search(POOL, greedy, { ...modest, queue: [greedy] }, lock).kind).toBe("cycle");
});

it("finds two who each want more of what both have", () => {
  const first = waits("a", [permitOf("a")], { permits: 2, sinceMs: T0 + 100 });
  const second = waits("b", [permitOf("b")], { permits: 2 });
  const pool = { limit: 4, holders: [held("a", { permits: 2 }), held("b", { permits: 2 })], queue: [first, second] };
  expect(search(POOL, first, pool, {}).kind).toBe("cycle");
  expect(search(POOL, first, { ...pool, limit: 6 }, {}).kind).toBe("none");
});

it("takes a semaphore and a lock of the same name for two things", () => {
  const pool = { holders: [held("b"), held("c")] };
  expect(search(LOCK, waits("d", [permitOf("d")]), pool, { holders: [held("a")], queue: [] })).toEqual({
    kind: "none",
  });
});

it("knows that sharers do not wait for each other, and that they do wait behind a writer", () => {
  const records = (queue: readonly Waiter[]) =>
    new Map([
      [refKey(LOCK), recordOf({ holders: [held("a", { mode: "shared" })], queue })],
      [refKey({ name: "x" }), recordOf({ holders: [held("r")], queue: [waits("a", [lockOf("a")])] })],
    ]);
  const reader = waits("r", [{ name: "x", token: tokenOf("r") }], { mode: "shared", sinceMs: T0 + 200 });
  const writer = waits("w", [], { sinceMs: T0 + 150 });
  expect(searchCycle(LOCK, reader, records([reader]), NOW)).toEqual({ kind: "none" });
  expect(searchCycle(LOCK, reader, records([reader, writer]), NOW).kind).toBe("cycle");
  expect(searchCycle(LOCK, reader, records([reader, { ...writer, sinceMs: T0 + 300 }]), NOW).kind).toBe("none");
});

it("says a cycle as a sentence, with what is known of the holders", () => {
  const edge = (lockName: string, changes: Partial<Holder>): CycleEdge => ({
    lockName,
    holder: { ...holderOf({ owner: "weekly" }), ...changes },
    waiter: waiterOf(),
  });
  const edges = [edge("orders", { host: "web-1", pid: 4711 }), edge("invoices", { host: "job-7", pid: 99 })];
  expect(describeCycle(edges)).toBe("orders (held by web-1:4711) -> invoices (held by job-7:99) -> orders");
  expect(describeCycle([edge("a", {}), edge("b", { label: "nightly" })])).toBe(
    "a (held by weekly) -> b (held by nightly, weekly) -> a",
  );
  expect(describeCycle([edge("a", { host: "web-1", pid: 2, label: "import" })])).toBe(
    "a (held by import, web-1:2) -> a",
  );
});
