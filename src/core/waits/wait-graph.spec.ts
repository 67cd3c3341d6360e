import { expect, it } from "vitest";
import { type Hold, type Mode, refKey } from "../record.js";
import { type Crowd, type HoldingParty, keptWaiting, type WaitingParty, waitGraphOf } from "./wait-graph.js";

interface Waiting extends WaitingParty {
  readonly id: string;
}

const holder = (token: number, mode: Mode = "exclusive", permits = 1): HoldingParty => ({ token, mode, permits });
const hold = (name: string, token: number): Hold => ({ name, token });
const waiter = (id: string, holds: readonly Hold[] = [], mode: Mode = "exclusive", permits = 1): Waiting => {
  return { id, holds, mode, permits };
};
const crowd = (holders: readonly HoldingParty[], waiters: readonly Waiting[] = [], limit = 1) => {
  return { holders, waiters, limit };
};
function graphOf(locks: Readonly<Record<string, Crowd<HoldingParty, Waiting>>>) {
  const byKey = Object.entries(locks).map(([name, lock]) => [refKey({ name }), lock] as const);
  const { stuck, cycles } = waitGraphOf(new Map(byKey));
  return { stuck: [...stuck].map(({ id }) => id), cycles: cycles.map((cycle) => cycle.map(({ id }) => id)) };
}

it("keeps a waiter waiting that does not fit beside holders that stay, or beside waiters ahead that are kept themselves", () => {
  const reader = holder(1, "shared");
  const waiters = [waiter("reader", [], "shared"), waiter("writer"), waiter("late reader", [], "shared")];
  const kept = (staying: readonly HoldingParty[]) =>
    keptWaiting(staying, "lock a", crowd([reader], waiters)).map(({ id }) => id);
  expect(kept([reader])).toEqual(["writer", "late reader"]);
  expect(kept([])).toEqual([]);
});

it("counts permits, and what a waiter has of the same semaphore itself", () => {
  const [one, other] = [holder(1, "exclusive", 2), holder(2, "exclusive", 2)];
  const kept = (limit: number, holds: readonly Hold[]) =>
    keptWaiting([one], "lock a", crowd([one, other], [waiter("w", holds, "exclusive", 2)], limit)).length;
  expect(kept(4, [])).toBe(0);
  expect(kept(4, [hold("a", 2)])).toBe(1);
  expect(kept(4, [hold("b", 2)])).toBe(0);
  expect(kept(6, [hold("a", 2)])).toBe(0);
  expect(kept(3, [])).toBe(1);
});

it("finds no waiter stuck in a chain, nor behind a hold of an earlier turn or of another lock", () => {
  const chain = { a: crowd([holder(1)], [waiter("1", [hold("b", 2)])]), b: crowd([holder(2)], [waiter("2")]) };
  expect(graphOf(chain)).toEqual({ stuck: [], cycles: [] });
  const earlier = {
    a: crowd([holder(5)], [waiter("1", [hold("b", 2)])]),
    b: crowd([holder(2)], [waiter("2", [hold("a", 1), hold("c", 5)])]),
  };
  expect(graphOf(earlier)).toEqual({ stuck: [], cycles: [] });
});

it("finds each ring once, in its order, and who waits behind it", () => {
  const locks = {
    a: crowd([holder(1)], [waiter("1", [hold("b", 2)]), waiter("behind", [hold("e", 9)])]),
    b: crowd([holder(2)], [waiter("2", [hold("c", 3)])]),
    c: crowd([holder(3)], [waiter("3", [hold("a", 1)])]),
    d: crowd([holder(4)], [waiter("4")]),
    e: crowd([holder(9)], [waiter("further")]),
    f: crowd([holder(6)], [waiter("5", [hold("g", 7)])]),
    g: crowd([holder(7)], [waiter("6", [hold("f", 6)])]),
  };
  expect(graphOf(locks)).toEqual({
    stuck: ["1", "behind", "2", "3", "further", "5", "6"],
    // 1 waits for a, which 3 has, which waits for c, which 2 has, which waits for b, which 1 has.
    cycles: [
      ["1", "3", "2"],
      ["5", "6"],
    ],
  });
});

it("finds every ring of several that have a lock in common, each by its shortest way", () => {
  const locks = {
    a: crowd([holder(1)], [waiter("b", [hold("b", 2)]), waiter("c", [hold("c", 3)])]),
    b: crowd([holder(2)], [waiter("a1", [hold("a", 1)])]),
    c: crowd([holder(3)], [waiter("a2", [hold("a", 1)])]),
  };
  expect(graphOf(locks).cycles).toEqual([
    ["b", "a1"],
    ["c", "a2"],
  ]);
});

it("takes the shorter way where there are two", () => {
  const locks = {
    a: crowd([holder(1, "shared"), holder(2, "shared")], [waiter("first", [hold("c", 3)])]),
    b: crowd([holder(4)], [waiter("second", [hold("a", 1)])]),
    c: crowd([holder(3)], [waiter("third", [hold("a", 2), hold("b", 4)])]),
  };
  expect(graphOf(locks).cycles).toEqual([
    ["first", "third"],
    ["second", "third", "first"],
  ]);
});

it("does not take a lonely waiter for stuck", () => {
  expect(graphOf({ a: crowd([holder(1)], [waiter("w")]) }).stuck).toEqual([]);
});

it("takes a wait for a lock that the same party holds for a ring of one", () => {
  expect(graphOf({ a: crowd([holder(1)], [waiter("w", [hold("a", 1)])]) }).cycles).toEqual([["w"]]);
});

it("knows that one permit that comes back will do, and that all readers have to go", () => {
  const ring = (mode: Mode, limit: number, ...free: readonly HoldingParty[]) =>
    graphOf({
      a: crowd([holder(1, mode), ...free], [waiter("1", [hold("b", 2)])], limit),
      b: crowd([holder(2)], [waiter("2", [hold("a", 1)])]),
    }).stuck;
  expect(ring("exclusive", 2, holder(7))).toEqual([]);
  expect(ring("exclusive", 1)).toEqual(["1", "2"]);
  expect(ring("shared", 1, holder(7, "shared"))).toEqual(["1", "2"]);
});

it("leads through a reader that a writer keeps out, which waits for a reader of the ring", () => {
  const locks = {
    a: crowd(
      [holder(1, "shared"), holder(9, "shared")],
      [waiter("writer"), waiter("reader", [hold("b", 2)], "shared")],
    ),
    b: crowd([holder(2)], [waiter("first", [hold("a", 1)])]),
  };
  expect(graphOf(locks)).toEqual({ stuck: ["writer", "reader", "first"], cycles: [["reader", "first"]] });
});

it("goes by semaphores and locks of the same name as two things", () => {
  const pool = { kind: "semaphore", name: "a" } as const;
  const locks = new Map([
    [refKey({ name: "a" }), crowd([holder(1)], [waiter("1", [hold("b", 2)])])],
    [refKey({ name: "b" }), crowd([holder(2)], [waiter("2", [{ ...pool, token: 1 }])])],
  ]);
  expect(waitGraphOf(locks).cycles).toEqual([]);
});
