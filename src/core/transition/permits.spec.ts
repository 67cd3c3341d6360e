import { expect, it } from "vitest";
import {
  attemptAt,
  commandOf,
  ENTRY,
  holderOf,
  recordOf,
  T0,
  TOLERANCE_MS,
  turnOf,
  waiterOf,
  written,
} from "../../../test/protocol/samples.js";
import { problemsOfRecord } from "../../../testkit/invariants.js";
import { serializeRecord } from "../codec.js";
import type { Holder, LockRecord } from "../record.js";
import { type AcquireCommand, acquire } from "./acquire.js";
import { release } from "./release.js";
import { renew, renewAll } from "./renew.js";
import { resize } from "./resize.js";
import { restore } from "./restore.js";

const AT = (ms: number) => attemptAt(T0 + ms, { writeId: `write at ${ms}` });
const reader = (id: string, changes: Partial<Holder> = {}) => holderOf({ id, mode: "shared", ...changes });

// ---------------------------------------------------------------------------------------------------------------------
// Sharing

it("counts the turns ahead, not the waiters: readers have theirs together", () => {
  const line = [
    waiterOf({ id: "w1", sinceMs: T0 + 1 }),
    waiterOf({ id: "r1", sinceMs: T0 + 2, mode: "shared" }),
    waiterOf({ id: "r2", sinceMs: T0 + 3, mode: "shared" }),
    waiterOf({ id: "w2", sinceMs: T0 + 4 }),
  ];
  const record = recordOf({ holders: [holderOf()], queue: line });
  const turnsAhead = (mode: "shared" | "exclusive", sinceMs: number) =>
    acquire(record, commandOf({ mode, sinceMs: T0 + sinceMs }), AT(10)).reply;
  expect(turnsAhead("shared", 3.5)).toMatchObject({ position: 3, turnsAhead: 1 });
  expect(turnsAhead("exclusive", 3.5)).toMatchObject({ position: 3, turnsAhead: 2 });
  expect(turnsAhead("shared", 5)).toMatchObject({ position: 4, turnsAhead: 3 });
});

it("gives the first in the queue its grace from when it could come in, not from when others could have", () => {
  const queue = [waiterOf({ id: "writer", sinceMs: T0 }), waiterOf({ id: "behind", sinceMs: T0 + 1 })];
  const shared = recordOf({ holders: [reader("r1"), reader("r2")], queue });
  expect(shared.freeSinceMs).toBeUndefined();
  const stillShared = written(release(shared, { id: "r1" }, AT(5000)));
  expect(stillShared.freeSinceMs).toBeUndefined();
  const free = written(release(stillShared, { id: "r2" }, AT(6000)));
  expect(free.freeSinceMs).toBe(T0 + 6000);
});

it("makes all of a lock a share of it without letting go, and lets in waiters that want to share", () => {
  const queue = [waiterOf({ id: "sharer", mode: "shared" })];
  const held = recordOf({ holders: [holderOf()], queue });
  const command = { id: "holder", token: T0, leaseMs: 10_000, onlyUnexpired: false, mode: "shared" } as const;
  const record = written(renew(held, command, AT(100)));
  expect(record.holders).toMatchObject([{ id: "holder", mode: "shared", token: T0, acquiredAtMs: T0 }]);
  expect(record.freeSinceMs).toBe(T0 + 100);
  const next = acquire(record, commandOf({ id: "sharer", mode: "shared", sinceMs: T0 }), AT(200));
  expect(next.reply.kind).toBe("granted");
  expect(problemsOfRecord(written(next))).toEqual([]);
});

it("drops the ended holders that a grant needs the place of, and no others", () => {
  const over = T0 + 10_000 + TOLERANCE_MS + 1;
  const alive = { expiresAtMs: over + 10_000 };
  const record = recordOf({ holders: [reader("dead"), reader("alive", alive)] });
  const sharing = written(acquire(record, commandOf({ mode: "shared" }), attemptAt(over)));
  expect(sharing.holders.map(({ id }) => id)).toEqual(["dead", "alive", "newcomer"]);
  const all = acquire(recordOf({ holders: [reader("dead")] }), commandOf(), attemptAt(over));
  expect(written(all)).toMatchObject({ holders: [{ id: "newcomer" }], recent: [{ id: "dead", ended: "expired" }] });
});

it("drops those that ended a whole lease ago all the same, so that a record that many die on stays small", () => {
  const longOver = T0 + 20_000 + TOLERANCE_MS + 1;
  const record = recordOf({ holders: [reader("dead"), reader("alive", { expiresAtMs: longOver + 1 })] });
  const before = written(acquire(record, commandOf({ mode: "shared" }), attemptAt(longOver - 1)));
  expect(before.holders.map(({ id }) => id)).toEqual(["dead", "alive", "newcomer"]);
  const next = written(acquire(record, commandOf({ mode: "shared" }), attemptAt(longOver)));
  expect(next.holders.map(({ id }) => id)).toEqual(["alive", "newcomer"]);
});

it("lets no sharer in where the record has no room for one more", () => {
  let record = recordOf();
  let granted = 0;
  for (; granted < 500; granted += 1) {
    const decision = acquire(record, commandOf({ id: `reader ${granted}`, mode: "shared", entry: ENTRY }), AT(granted));
    if (decision.reply.kind !== "granted") break;
    record = written(decision);
  }
  expect(granted).toBeGreaterThan(100);
  expect(granted).toBeLessThan(300);
  expect(serializeRecord(record).length).toBeLessThan(50_000);
});

// ---------------------------------------------------------------------------------------------------------------------
// Permits

it("lets in as many permits as there are, weighed, and makes a caller that wants many wait without being overtaken", () => {
  const limit = 3;
  const two = written(acquire(undefined, commandOf({ id: "two", permits: 2, limit }), AT(1)));
  expect(two).toMatchObject({ limit: 3, holders: [{ permits: 2 }] });
  const greedy = acquire(two, commandOf({ id: "greedy", permits: 3, limit, sinceMs: T0 + 2, entry: ENTRY }), AT(2));
  expect(greedy.reply).toMatchObject({ kind: "waiting", enqueued: true });
  const modest = commandOf({ id: "modest", permits: 1, limit, sinceMs: T0 + 3 });
  expect(acquire(written(greedy), modest, AT(3)).reply).toMatchObject({ kind: "waiting", position: 1 });
  expect(acquire(two, modest, AT(3)).reply.kind).toBe("granted");
  const freed = written(release(written(greedy), { id: "two" }, AT(4)));
  expect(freed.freeSinceMs).toBe(T0 + 4);
  expect(acquire(freed, modest, AT(5)).reply.kind).toBe("waiting");
  expect(problemsOfRecord(freed)).toEqual([]);
});

it("does not say one permit, which goes without saying, so that locks look as they always did", () => {
  const record = written(acquire(undefined, commandOf({ permits: 1, limit: 1 }), AT(1)));
  expect(record.holders[0]).not.toHaveProperty("permits");
});

it("tells who takes another number for true, and changes nothing", () => {
  const record = recordOf({ limit: 3 });
  expect(written(acquire(record, commandOf({ limit: 5 }), AT(1)))).toMatchObject({ limit: 3, holders: [{}] });
  expect(acquire(record, commandOf(), AT(1)).reply.kind).toBe("limit-differs");
  expect(acquire(recordOf({ limit: 3, deleted: true }), commandOf({ limit: 5 }), AT(1)).reply.kind).toBe("granted");
});

it("changes the number; where there are fewer, no caller comes in until enough have come back", () => {
  const holders = [holderOf({ id: "a" }), holderOf({ id: "b", token: T0 + 1 })];
  const decision = resize(recordOf({ limit: 2, holders }), 1, AT(1));
  expect(decision.reply).toEqual({ kind: "resized", from: 2 });
  const smaller = written(decision);
  expect(smaller).toMatchObject({ limit: 1, holders });
  expect(acquire(smaller, commandOf(), AT(2)).reply.kind).toBe("waiting");
  const oneLeft = written(release(smaller, { id: "a" }, AT(3)));
  expect(acquire(oneLeft, commandOf(), AT(4)).reply.kind).toBe("waiting");
  expect(acquire(written(release(oneLeft, { id: "b" }, AT(5))), commandOf(), AT(6)).reply.kind).toBe("granted");
  expect(resize(smaller, 1, AT(7))).toEqual({ reply: { kind: "resized", from: 1 } });
  expect(resize(undefined, 4, AT(1))).toMatchObject({ reply: { from: undefined }, change: { record: { limit: 4 } } });
});

it("renews several in one write, and tells each what became of it", () => {
  const record = recordOf({ limit: 3, holders: [holderOf({ id: "a" }), holderOf({ id: "b", token: T0 + 1 })] });
  const command = (id: string) => ({ id, token: T0 + 7, leaseMs: 10_000, onlyUnexpired: false });
  const decision = renewAll(record, ["a", "gone", "b"].map(command), AT(100));
  expect([...decision.reply].map(([id, { kind }]) => [id, kind])).toEqual([
    ["a", "renewed"],
    ["gone", "gone"],
    ["b", "renewed"],
  ]);
  const next = written(decision as never);
  expect(next.holders.map(({ leaseWriteId, expiresAtMs }) => [leaseWriteId, expiresAtMs])).toEqual([
    ["write at 100", T0 + 10_100],
    ["write at 100", T0 + 10_100],
  ]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Hand-over

const FROM = { id: "holder", token: T0, writeIds: [holderOf().leaseWriteId] };
const RESTORE = { from: FROM, id: "restored", owner: "another", leaseMs: 5000, identity: { host: "there", pid: 2 } };

it("goes on with a hold under another id and a greater token, without a gap", () => {
  const held = recordOf({ holders: [holderOf({ host: "here", pid: 1, label: "import" })] });
  const decision = restore(held, RESTORE, AT(300));
  const record = written(decision);
  expect(record.holders).toMatchObject([
    { id: "restored", owner: "another", host: "there", pid: 2, label: "import", acquiredAtMs: T0, leaseMs: 5000 },
  ]);
  expect(decision.reply).toEqual({ kind: "granted", holder: record.holders[0] });
  expect(record.holders[0]).toMatchObject({
    expiresAtMs: T0 + 5300,
    renewedAtMs: T0 + 300,
    leaseWriteId: "write at 300",
  });
  expect(record.token).toBe(T0 + 300);
  expect(record.holders[0]?.token).toBe(T0 + 300);
  expect(restore(record, RESTORE, AT(400))).toEqual({ reply: { kind: "granted", holder: record.holders[0] } });
});

it("goes on with that hold alone, and with a token above all before where store time stands still", () => {
  const held = recordOf({ limit: 2, token: T0 + 900, holders: [holderOf(), holderOf({ id: "b", token: T0 + 900 })] });
  const record = written(restore(held, RESTORE, AT(300)));
  expect(record).toMatchObject({ token: T0 + 901, holders: [{ id: "restored", token: T0 + 901 }, held.holders[1]] });
});

it("does not take the holder that handed it over for where it goes on", () => {
  const held = recordOf({ holders: [holderOf({ host: "here", pid: 1 })] });
  const [holder] = written(restore(held, { ...RESTORE, identity: {} }, AT(300))).holders;
  expect(holder).not.toHaveProperty("host");
  expect(holder).not.toHaveProperty("pid");
});

it("refuses a text that is not about the present hold any more", () => {
  const taken = recordOf({ holders: [holderOf({ id: "other", token: T0 + 1 })], recent: [turnOf({ token: T0 })] });
  for (const record of [undefined, recordOf(), taken, recordOf({ holders: [holderOf({ token: T0 + 5 })] })]) {
    expect(restore(record, RESTORE, AT(1)).reply.kind).toBe("gone");
    expect(restore(record, RESTORE, AT(1)).change).toBeUndefined();
  }
});

it("13.1.7: leaves a hold alone that was renewed by none of the writes of the process that handed it over", () => {
  const restoring = (...writeIds: string[]) =>
    restore(
      recordOf({ holders: [holderOf({ leaseWriteId: "w2" })] }),
      { ...RESTORE, from: { ...FROM, writeIds } },
      AT(1),
    );
  expect(restoring("w1")).toEqual({ reply: { kind: "gone", reason: "cloned" } });
  expect(restoring("w1", "w2").reply.kind).toBe("granted");
});

it("P12: goes by the number that is stored, whatever a caller says", () => {
  const record = recordOf({ limit: 3, holders: [holderOf()] });
  const asking = (permits: number, limit: number | "stored") => commandOf({ permits, limit });
  for (const limit of [1, 5, "stored"] as const) {
    expect(written(acquire(record, asking(2, limit), AT(1)))).toMatchObject({ limit: 3, holders: [{}, {}] });
    expect(acquire(record, asking(3, limit), AT(1)).reply.kind).toBe("waiting");
    expect(acquire(record, asking(4, limit), AT(1))).toEqual({ reply: { kind: "too-few", limit: 3 } });
  }
  for (const none of [undefined, recordOf({ limit: 3, deleted: true })]) {
    expect(written(acquire(none, asking(2, 5), AT(1)))).toMatchObject({ limit: 5 });
    expect(acquire(none, asking(6, 5), AT(1))).toEqual({ reply: { kind: "too-few", limit: 5 } });
    expect(acquire(none, asking(1, "stored"), AT(1))).toEqual({ reply: { kind: "no-limit" } });
  }
});

const fill = (record: LockRecord, command: Partial<AcquireCommand>, atMs: number) => {
  let full = record;
  for (let index = 0; index < 500; index += 1) {
    const decision = acquire(full, commandOf({ id: `h${index} at ${atMs}`, ...command }), AT(atMs + index));
    if (decision.reply.kind !== "granted") return { record: full, decision };
    full = written(decision);
  }
  throw new Error("there is room for 500");
};

it("P13: says that there is no room where permits are left, rather than that there are none", () => {
  const { record, decision } = fill(recordOf({ limit: 500 }), { limit: 500, entry: ENTRY }, 0);
  const holders = record.holders.length;
  expect(holders).toBeGreaterThan(100);
  expect(decision).toEqual({ reply: { kind: "full", limit: 500, holders } });
  // Waiters for permits wait: there are none left.
  const taken = { ...record, limit: holders };
  expect(acquire(taken, commandOf({ limit: 500, entry: ENTRY }), AT(600)).reply.kind).toBe("waiting");
  // A lock that is shared is not a semaphore, and its readers take turns.
  const shared = fill(recordOf(), { mode: "shared", entry: ENTRY }, 0);
  expect(shared.decision.reply).toMatchObject({ kind: "waiting" });
});

it("P13: drops all who have ended where there is no room otherwise, and only then", () => {
  const dead = fill(recordOf({ limit: 500 }), { limit: 500 }, 0).record;
  const over = 500 + 10_000 + TOLERANCE_MS + 1;
  const alive = written(acquire({ ...dead, holders: dead.holders.slice(0, -1) }, commandOf({ limit: 500 }), AT(over)));
  expect(alive.holders.length).toBe(dead.holders.length);
  const next = written(acquire(dead, commandOf({ limit: 500 }), AT(over)));
  expect(next.holders).toMatchObject([{ id: "newcomer" }]);
});
