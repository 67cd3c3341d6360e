import { expect, test } from "vitest";
import { layOut } from "../../src/cli/ui/page/views/graph-layout.js";
import { type WaitGraph, waitGraphOfLocks } from "../../src/cli/ui/page/views/wait-graph.js";
import type { HolderView, LockView, WaiterView } from "../../src/cli/ui/wire.js";

const holder = (id: string, token: number, mode: "exclusive" | "shared" = "exclusive"): HolderView => {
  return { id, owner: id, token, mode, priority: 0, leaseMs: 1, sinceMs: 0, expiresAtMs: 1 };
};
const waiter = (id: string, ...holds: (readonly [string, number])[]): WaiterView => {
  const held = holds.map(([lockName, token]) => ({ lockName, token }));
  return { id, owner: id, mode: "exclusive", priority: 0, sinceMs: 0, holds: held };
};
const lock = (name: string, holders: HolderView[], queue: WaiterView[] = [], limit = 1): LockView => {
  return { name, token: 1, limit, holders, queue, turns: [] };
};
const graphOf = (...locks: LockView[]) => waitGraphOfLocks(new Map(locks.map((one) => [one.name, one])), 0);
const fates = ({ nodes }: WaitGraph) => Object.fromEntries(nodes.map(({ id, fate }) => [id, fate]));
const arrows = ({ edges }: WaitGraph) => edges.map(({ from, to }) => `${from} > ${to}`).toSorted();

test("locks without waiters are not in it", () => {
  expect(graphOf(lock("a", [holder("h", 1)]), lock("b", []))).toEqual({ nodes: [], edges: [] });
});

test("a hold elsewhere tells that a holder and a waiter are the same line of work", () => {
  const graph = graphOf(
    lock("a", [holder("h", 1)], [waiter("w")]),
    lock("b", [holder("x", 2)], [waiter("y", ["a", 1])]),
  );
  expect(arrows(graph)).toEqual(["lock a > y", "lock b > x", "w > lock a", "y > lock b"]);
  expect(new Set(Object.values(fates(graph)))).toEqual(new Set(["moving"]));
});

test("an earlier hold of the same lock is another", () => {
  const graph = graphOf(
    lock("a", [holder("h", 2)], [waiter("w")]),
    lock("b", [holder("x", 3)], [waiter("y", ["a", 1])]),
  );
  expect(arrows(graph)).toContain("lock a > h");
});

test("a ring is a deadlock, and who waits for a part of it is behind one", () => {
  const graph = graphOf(
    lock("a", [holder("1", 1)], [waiter("w2", ["b", 2]), waiter("late")]),
    lock("b", [holder("2", 2)], [waiter("w3", ["c", 3])]),
    lock("c", [holder("3", 3)], [waiter("w1", ["a", 1])]),
    lock("d", [holder("4", 4)], [waiter("w5")]),
  );
  expect(fates(graph)).toMatchObject({ w1: "cycle", w2: "cycle", w3: "cycle", "lock a": "cycle", late: "behind" });
  expect(fates(graph)).toMatchObject({ w5: "moving", "4": "moving", "lock d": "moving" });
  expect(graph.edges.filter((edge) => edge.isInCycle)).toHaveLength(6);
});

test("a lease that has ended keeps no waiter for long: such a ring is not a deadlock", () => {
  const ended = { ...holder("1", 1), expiresAtMs: 0 };
  const graph = graphOf(
    lock("a", [ended], [waiter("w2", ["b", 2])]),
    lock("b", [holder("2", 2)], [waiter("w1", ["a", 1])]),
  );
  expect(new Set(Object.values(fates(graph)))).toEqual(new Set(["moving"]));
});

test("a permit that a holder will give back ends a ring; readers must all go", () => {
  const ring = (limit: number, mode: "exclusive" | "shared") => [
    lock("s", [holder("1", 1, mode), holder("free", 9, mode)], [waiter("w2", ["b", 2])], limit),
    lock("b", [holder("2", 2)], [waiter("w1", ["s", 1])]),
  ];
  expect(fates(graphOf(...ring(2, "exclusive")))).toMatchObject({ w1: "moving", w2: "moving" });
  expect(fates(graphOf(...ring(1, "shared")))).toMatchObject({ w1: "cycle", w2: "cycle", free: "moving" });
});

test("many who hold nothing are drawn as one", () => {
  const queue = Array.from({ length: 9 }, (_, index) => waiter(`w${index}`));
  const { nodes } = graphOf(lock("a", [holder("h", 1)], queue));
  expect(nodes.filter((node) => node.kind === "party").map(({ id, count }) => [id, count])).toEqual([
    ["w0", undefined],
    ["w1", undefined],
    ["w2", undefined],
    ["w3", 6],
    ["h", undefined],
  ]);
});

test("who waits stands left of the lock, the lock left of its holder, and nothing on top of anything", () => {
  const locks = Array.from({ length: 12 }, (_, index) => {
    const queue = Array.from({ length: index % 4 }, (_, at) =>
      waiter(`w${index}-${at}`, [`l${(index + at + 5) % 12}`, 1]),
    );
    return lock(`l${index}`, [holder(`h${index}`, 1)], queue);
  });
  const { nodes, edges, width, height } = layOut(graphOf(...locks), 1000);
  const at = new Map(nodes.map((node) => [node.id, node]));
  const backwards = edges.filter(({ from, to }) => (at.get(from)?.x ?? 0) >= (at.get(to)?.x ?? 0));
  expect(backwards.length).toBeLessThan(edges.length / 3);
  for (const one of nodes) {
    expect(one.x + 156).toBeLessThanOrEqual(width);
    expect(one.y + 42).toBeLessThanOrEqual(height);
    const on = nodes.filter(
      (other) => other !== one && Math.abs(other.x - one.x) < 156 && Math.abs(other.y - one.y) < 42,
    );
    expect(on).toEqual([]);
  }
});

test("a picture has an end: the rest is counted", () => {
  const locks = Array.from({ length: 500 }, (_, index) =>
    lock(`l${index}`, [holder(`h${index}`, 1)], [waiter(`w${index}`)]),
  );
  const { nodes, leftOutLocks } = layOut(graphOf(...locks), 1000);
  expect(nodes).toHaveLength(120);
  expect(leftOutLocks).toBe(460);
});

test("nothing to draw is not a picture", () => {
  expect(layOut({ nodes: [], edges: [] }, 1000)).toMatchObject({ nodes: [], edges: [], height: 0 });
});
