import { expect, test } from "vitest";
import { endOf, History, heldMsOf, type Stint } from "../../src/cli/ui/page/base/history.js";
import type { HolderView, LockView, Status, TurnView, WaiterView } from "../../src/cli/ui/wire.js";

const status = (nowMs: number): Status => ({ nowMs, requestsPerSecond: 0, viewers: 1, tookMs: 1, isRead: true });
const party = (id: string) => ({ id, owner: id });
const holder = (id: string, token: number, sinceMs: number): HolderView => {
  return { ...party(id), token, sinceMs, mode: "exclusive", priority: 0, leaseMs: 10, expiresAtMs: sinceMs + 10 };
};
const waiter = (id: string, sinceMs: number): WaiterView => {
  return { ...party(id), sinceMs, mode: "exclusive", priority: 0, holds: [] };
};
const turn = (id: string, token: number, fromMs: number, toMs: number): TurnView => {
  return { ...party(id), token, fromMs, toMs, ended: "released" };
};
const lock = (parts: Partial<LockView>): LockView => {
  return { name: "a", token: 1, limit: 1, holders: [], queue: [], turns: [], ...parts };
};

function told(...locks: LockView[]): History {
  const history = new History();
  for (const [index, one] of locks.entries())
    history.takeDelta({ changed: [one], removed: [], status: status(index * 10) });
  return history;
}

test("a hold that is seen going on, ends as the record says", () => {
  const history = told(lock({ holders: [holder("x", 5, 1)] }), lock({ turns: [turn("x", 5, 1, 8)] }));
  expect(history.stintsOf("a")).toEqual([turn("x", 5, 1, 8)]);
});

test("turns that the record has forgotten are remembered, each once and oldest first", () => {
  const [one, two, three] = [turn("x", 1, 1, 2), turn("y", 2, 2, 3), turn("z", 3, 3, 4)];
  const history = told(lock({ turns: [two, one] }), lock({ turns: [three, two] }));
  expect(history.stintsOf("a")).toEqual([one, two, three]);
});

test("a hold that is gone without a turn ends when that was seen", () => {
  const history = told(lock({ holders: [holder("x", 5, 1)] }), lock({}));
  expect(history.stintsOf("a")).toMatchObject([{ id: "x", toMs: 10, ended: "unseen" }]);
});

test("what was learned of a lock outlives it", () => {
  const history = told(lock({ holders: [holder("x", 5, 1)] }));
  history.takeDelta({ changed: [], removed: ["a"], status: status(30) });
  expect(history.locks.size).toBe(0);
  // Its lease had ended by then.
  expect(history.stintsOf("a")).toMatchObject([{ id: "x", toMs: 11, ended: "unseen" }]);
});

test("locks that were made for one occasion are forgotten at last", () => {
  const history = told(lock({ name: "stays", turns: [turn("s", 1, 1, 2)] }));
  for (let index = 0; index < 1500; index += 1) {
    const name = `order-${index}`;
    history.takeDelta({ changed: [lock({ name, turns: [turn("x", 1, 1, 2)] })], removed: [], status: status(1) });
    history.takeDelta({ changed: [], removed: [name], status: status(1) });
  }
  const known = Array.from({ length: 1500 }, (_, index) => history.stintsOf(`order-${index}`).length);
  expect(known.filter((count) => count > 0)).toHaveLength(1000);
  expect([known[0], known[1499], history.stintsOf("stays").length]).toEqual([0, 1, 1]);
});

test("who was seen waiting and then holding has waited from the one to the other", () => {
  const history = told(lock({ queue: [waiter("x", 3)] }), lock({ holders: [holder("x", 5, 9), holder("y", 4, 2)] }));
  expect(history.waits).toEqual([{ lockName: "a", grantedAtMs: 9, waitedMs: 6 }]);
});

test("a snapshot removes what it does not have", () => {
  const history = told(lock({}), lock({ name: "b" }));
  history.takeSnapshot({ storeName: "s3://x/", isReadOnly: true, locks: [lock({ name: "b" })], status: status(50) });
  expect([...history.locks.keys()]).toEqual(["b"]);
});

test("it keeps what goes on and forgets the oldest of what has ended", () => {
  const history = new History();
  for (let index = 0; index < 200; index += 1) {
    const looked = lock({ holders: [holder("long", 1, 0)], turns: [turn(`t${index}`, index + 2, index, index + 1)] });
    history.takeDelta({ changed: [looked], removed: [], status: status(index) });
    expect(history.stintsOf("a")[0]?.id).toBe("long");
  }
  expect(history.stintsOf("a")).toHaveLength(80);
  expect(history.stintsOf("a").at(-1)?.id).toBe("t199");
});

test("samples count who holds and who waits; a failed read is not a sample", () => {
  const history = told(lock({ holders: [holder("x", 5, 1)], queue: [waiter("y", 1), waiter("z", 2)] }));
  history.takeDelta({ changed: [], removed: [], status: { ...status(40), error: "503" } });
  expect(history.samples).toEqual([{ atMs: 0, waiting: 2, held: 1 }]);
});

test("P23: a hold whose process has died goes on up to the end of its lease, and not until now", () => {
  const history = told(lock({ holders: [holder("x", 5, 1)] }));
  const [stint] = history.stintsOf("a");
  expect([5, 11, 9999].map((nowMs) => endOf(stint as Stint, nowMs))).toEqual([5, 11, 11]);
});

test("P23: how long a holder has held ends with its lease, too", () => {
  const dead = holder("x", 5, 1);
  expect([5, 11, 9999].map((nowMs) => heldMsOf(dead, nowMs))).toEqual([4, 10, 10]);
});
