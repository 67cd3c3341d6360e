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
import { parseRecord } from "../codec.js";
import { leaseKey } from "../expiry.js";
import { type Hold, type Holder, type LockRecord, MAX_QUEUE, RECENT_TURNS } from "../record.js";
import { acquire } from "./acquire.js";

const NOW = attemptAt(T0 + 5, { writeId: "w1" });
const LATER = attemptAt(T0 + 4000, { writeId: "w2" });

it("creates the record of a lock that was never used, and holds it", () => {
  const { reply, change } = acquire(undefined, commandOf({ leaseMs: 7000, identity: { host: "h", pid: 1 } }), NOW);
  const holder = {
    id: "newcomer",
    owner: "owner of newcomer",
    token: T0 + 5,
    acquiredAtMs: T0 + 5,
    renewedAtMs: T0 + 5,
    expiresAtMs: T0 + 7005,
    leaseWriteId: "w1",
    host: "h",
    pid: 1,
  };
  expect(reply).toMatchObject({ kind: "granted", holder });
  expect(change).toMatchObject({
    record: { writeId: "w1", createdAtMs: T0 + 5, token: T0 + 5, limit: 1, holders: [holder] },
  });
});

it("publishes from the upper bound of store time and judges by the lower", () => {
  const now = { earliestMs: T0 + 11_000, latestMs: T0 + 12_000 };
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 10_000 })] });
  expect(acquire(record, commandOf(), attemptAt(0, { now })).reply.kind).toBe("waiting");
  const justAfter = { earliestMs: T0 + 11_001, latestMs: T0 + 12_001 };
  const { reply } = acquire(record, commandOf(), attemptAt(0, { now: justAfter }));
  expect(reply).toMatchObject({ kind: "granted", holder: { expiresAtMs: T0 + 22_001, token: T0 + 12_001 } });
});

it("says that it holds already, however late and with whatever write id it asks again", () => {
  const granted = acquire(undefined, commandOf(), NOW);
  const again = acquire(written(granted), commandOf(), LATER);
  expect(again).toEqual({ reply: granted.reply });
  const expired = acquire(written(granted), commandOf(), attemptAt(T0 + 3_600_000));
  expect(expired).toEqual({ reply: granted.reply });
});

it("keeps its one entry in the queue when it asks again, and does not write while the entry is fresh", () => {
  const held = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 60_000 })] });
  const command = commandOf({ entry: ENTRY, sinceMs: T0 - 7, priority: 2 });
  const first = acquire(held, command, NOW);
  expect(first.reply).toEqual({ kind: "waiting", position: 0, turnsAhead: 0, enqueued: true });
  expect(written(first).queue).toMatchObject([
    { id: "newcomer", sinceMs: T0 - 7, priority: 2, expiresAtMs: T0 + 15_005 },
  ]);
  expect(acquire(written(first), command, LATER)).toEqual({ reply: first.reply });
  const refreshed = acquire(written(first), command, attemptAt(T0 + 15_000, { writeId: "w3" }));
  expect(written(refreshed).queue).toMatchObject([{ id: "newcomer", sinceMs: T0 - 7, expiresAtMs: T0 + 30_000 }]);
});

it("leaves the queue with the write that grants it", () => {
  const queue = [waiterOf({ id: "newcomer" }), waiterOf({ id: "other", sinceMs: T0 + 1 })];
  const record = written(acquire(recordOf({ queue }), commandOf({ sinceMs: T0, entry: ENTRY }), NOW));
  expect(record.queue.map(({ id }) => id)).toEqual(["other"]);
  expect(record.holders.map(({ id }) => id)).toEqual(["newcomer"]);
});

it("does not queue where it was not asked to, nor past the bound", () => {
  const held = recordOf({ holders: [holderOf()] });
  expect(acquire(held, commandOf(), NOW)).toEqual({
    reply: { kind: "waiting", position: 0, turnsAhead: 0, enqueued: false },
  });
  const queue = Array.from({ length: MAX_QUEUE }, (_, index) => waiterOf({ id: `w${index}`, sinceMs: T0 - 1 }));
  const full = acquire({ ...held, queue }, commandOf({ entry: ENTRY }), NOW);
  expect(full).toEqual({ reply: { kind: "waiting", position: MAX_QUEUE, turnsAhead: MAX_QUEUE, enqueued: false } });
  const insider = acquire({ ...held, queue }, commandOf({ id: "w3", entry: ENTRY, sinceMs: T0 - 1 }), NOW);
  expect(insider.reply).toMatchObject({ enqueued: true });
  const last = acquire({ ...held, queue: queue.slice(1) }, commandOf({ entry: ENTRY }), NOW);
  expect(last.reply).toMatchObject({ position: MAX_QUEUE - 1, enqueued: true });
});

it("does not queue where the record would become large, however few wait", () => {
  const holds = Array.from({ length: 40 }, (_, at) => ({ name: `a lock with a rather long name ${at}`, token: at }));
  const queue = Array.from({ length: 20 }, (_, at) => waiterOf({ id: `w${at}`, sinceMs: T0 - 1, holds }));
  const record = recordOf({ holders: [holderOf()], queue });
  expect(acquire(record, commandOf({ entry: ENTRY }), NOW).reply).toMatchObject({ position: 20, enqueued: false });
});

it("never refuses a free lock for the size of its record", () => {
  const recent = [turnOf({ label: "x".repeat(60_000) })];
  expect(acquire(recordOf({ recent }), commandOf(), NOW).reply.kind).toBe("granted");
  const held = recordOf({ limit: 2, holders: [holderOf()], recent });
  expect(acquire(held, commandOf({ limit: 2 }), NOW).reply.kind).toBe("full");
});

it("refreshes its entry in the last third of its life", () => {
  const command = commandOf({ entry: ENTRY });
  const entry = waiterOf({ id: "newcomer", expiresAtMs: T0 + 15_000 });
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 60_000 })], queue: [entry] });
  expect(acquire(record, command, attemptAt(T0 + 9999)).change).toBeUndefined();
  expect(written(acquire(record, command, attemptAt(T0 + 10_000))).queue).toMatchObject([{ expiresAtMs: T0 + 25_000 }]);
});

it("rewrites its entry as soon as its owner holds something else: cycles are found by what the entries say", () => {
  const [a, b, c] = ["a", "b", "c"].map((name, at) => ({ name, token: at + 1 })) as [Hold, Hold, Hold];
  const writesFor = (present: readonly Hold[], holds: readonly Hold[]) => {
    const queue = [waiterOf({ id: "newcomer", holds: present })];
    const command = commandOf({ entry: { ...ENTRY, holds } });
    return acquire(recordOf({ holders: [holderOf()], queue }), command, NOW).change !== undefined;
  };
  expect(writesFor([a, b], [b, a])).toBe(false);
  for (const holds of [[a], [a, b, c], [a, c], []]) expect(writesFor([a, b], holds)).toBe(true);
  expect(writesFor([], [a])).toBe(true);
});

it("takes over a lease that ended more than the tolerance ago, and remembers how that turn ended", () => {
  const record = recordOf({ holders: [holderOf({ token: T0 + 99_000, expiresAtMs: T0 })], recent: [turnOf()] });
  expect(acquire(record, commandOf(), attemptAt(T0 + TOLERANCE_MS)).change).toBeUndefined();
  const taken = written(acquire(record, commandOf(), attemptAt(T0 + TOLERANCE_MS + 1)));
  expect(taken.holders).toMatchObject([{ id: "newcomer", token: T0 + 99_001 }]);
  expect(taken.token).toBe(T0 + 99_001);
  expect(taken.recent).toMatchObject([{ id: "holder", ended: "expired", toMs: T0 }, { id: "turn" }]);
});

it("drops an expired holder only when it takes its place: not to queue, not where there is room", () => {
  const dead = holderOf({ id: "dead", expiresAtMs: T0 - 500 });
  const queued = acquire(recordOf({ holders: [dead] }), commandOf({ entry: ENTRY }), NOW);
  expect(written(queued).holders).toEqual([dead]);
});

it("drops as many ended holders as it needs the places of, those first that ended first, and none that lives", () => {
  const [alive, second, first] = [20_000, -3000, -4000].map((ms, at) =>
    holderOf({ id: `h${at}`, token: T0 - at, expiresAtMs: T0 + ms }),
  ) as [Holder, Holder, Holder];
  const record = recordOf({ limit: 3, holders: [alive, second, first] });
  const one = written(acquire(record, commandOf({ limit: 3 }), NOW));
  expect(one.holders.map(({ id }) => id)).toEqual(["h0", "h1", "newcomer"]);
  expect(one.recent).toMatchObject([{ id: "h2", ended: "expired" }]);
  const two = written(acquire(record, commandOf({ limit: 3, permits: 2 }), NOW));
  expect(two.holders.map(({ id }) => id)).toEqual(["h0", "newcomer"]);
});

it("drops whom it has watched to the end, not one whose lease is only over by the clock", () => {
  const holders = [holderOf({ id: "a", expiresAtMs: T0 - 90_000 }), holderOf({ id: "b", expiresAtMs: T0 + 90_000 })];
  const watched = { ...NOW, observedEnded: new Set(holders.slice(1).map(leaseKey)) };
  const next = written(acquire(recordOf({ limit: 2, holders }), commandOf({ limit: 2 }), watched));
  expect(next.holders.map(({ id }) => id)).toEqual(["a", "newcomer"]);
});

it("remembers only the last few turns", () => {
  const recent = Array.from({ length: RECENT_TURNS }, (_, index) => turnOf({ id: `t${index}` }));
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 - 5000 })], recent });
  const turns = written(acquire(record, commandOf(), NOW)).recent;
  expect(turns).toHaveLength(RECENT_TURNS);
  expect(turns[0]).toMatchObject({ id: "holder" });
});

it("ends only leases that were watched to their end where it observes", () => {
  const record = recordOf({ holders: [holderOf({ leaseWriteId: "r1", expiresAtMs: T0 - 100_000 })] });
  const watched = (id: string, leaseWriteId: string) => ({
    ...NOW,
    observedEnded: new Set([leaseKey({ id, leaseWriteId })]),
  });
  expect(acquire(record, commandOf(), watched("holder", "r0")).reply.kind).toBe("waiting");
  expect(acquire(record, commandOf(), watched("another", "r1")).reply.kind).toBe("waiting");
  expect(acquire(record, commandOf(), watched("holder", "r1")).reply.kind).toBe("granted");
  const live = recordOf({ holders: [holderOf({ leaseWriteId: "r1", expiresAtMs: T0 + 100_000 })] });
  expect(acquire(live, commandOf(), watched("holder", "r1")).reply.kind).toBe("granted");
});

it("grants nothing before the time that a cleanup set, and forgets it with the next grant", () => {
  const record = recordOf({ notBeforeMs: T0 + 5 });
  expect(acquire(record, commandOf(), NOW).reply.kind).toBe("waiting");
  const granted = written(acquire(record, commandOf(), attemptAt(T0 + 6)));
  expect(granted.notBeforeMs).toBeUndefined();
  const queued = written(acquire(record, commandOf({ entry: ENTRY }), NOW));
  expect(queued.notBeforeMs).toBe(T0 + 5);
});

it("raises a lock that was deleted from its tombstone, and its tokens go on", () => {
  const record = recordOf({ deleted: true, token: T0 + 50_000 });
  const granted = written(acquire(record, commandOf(), NOW));
  expect(granted.deleted).toBeUndefined();
  expect(granted.token).toBe(T0 + 50_001);
});

it("says since when the lock is free, and not while it is held", () => {
  const granted = written(acquire(recordOf({ freeSinceMs: T0 - 5 }), commandOf(), NOW));
  expect(granted).not.toHaveProperty("freeSinceMs");
});

function recordOf1x(json: object): LockRecord {
  const parsed = parseRecord(JSON.stringify(json));
  if (parsed.kind !== "record") throw new Error(parsed.kind);
  return parsed.record;
}

it("first adopts a free record of 1.x, with a counter from store time, and acquires it under its new ETag", () => {
  const free = recordOf1x({ locked: false });
  const adopted = acquire(free, commandOf(), NOW);
  expect(adopted.reply).toEqual({ kind: "adopted" });
  const record = written(adopted);
  expect(record).toMatchObject({ writeId: "w1", token: T0 + 5, createdAtMs: T0 + 5, touchedAtMs: T0 + 5, holders: [] });
  const granted = acquire(record, commandOf(), attemptAt(T0 + 5, { writeId: "w2" }));
  expect(granted.reply).toMatchObject({ kind: "granted", holder: { token: T0 + 6 } });
});

it("waits for a live lease of 1.x, and takes one over that has ended", () => {
  const held = recordOf1x({ locked: true, owner: "old", acquiredAt: T0, expiresAt: T0 + 9000, priority: 0 });
  const waiting = acquire(held, commandOf({ entry: ENTRY }), attemptAt(T0 + 9000 + TOLERANCE_MS));
  expect(waiting.reply.kind).toBe("waiting");
  expect(written(waiting).holders).toEqual(held.holders);
  const taken = acquire(held, commandOf(), attemptAt(T0 + 9001 + TOLERANCE_MS));
  expect(taken.reply.kind).toBe("granted");
});

it("dates a lease that began without store time, also where it only looks", () => {
  const held = recordOf({ holders: [holderOf({ undated: true, expiresAtMs: T0 + 9_000_000 })] });
  const decision = acquire(held, commandOf(), NOW);
  expect(decision.reply).toMatchObject({ kind: "waiting", enqueued: false });
  expect(written(decision).holders[0]).not.toHaveProperty("undated");
  expect(acquire(recordOf({ holders: [holderOf()] }), commandOf(), NOW)).not.toHaveProperty("change");
});

it("dates whatever else keeps all waiters waiting for hours, also where it only reads", () => {
  const farMs = T0 + 9_000_000;
  const first = waiterOf({ id: "first", sinceMs: T0 - 5, expiresAtMs: farMs });
  const decision = acquire(recordOf({ queue: [first], freeSinceMs: farMs }), commandOf({ sinceMs: T0 }), NOW);
  expect(decision.reply).toMatchObject({ kind: "waiting", enqueued: false });
  const { now } = NOW;
  expect(written(decision)).toMatchObject({
    freeSinceMs: now.latestMs,
    queue: [{ id: "first", sinceMs: T0 - 5, expiresAtMs: now.latestMs + 15_000 }],
  });
});

it("does not refresh an entry by bounds of store time that are hours wide", () => {
  const own = waiterOf({ id: commandOf().id, expiresAtMs: T0 + 15_000 });
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 60_000 })], queue: [own] });
  const at = (earliestMs: number, latestMs: number) =>
    acquire(record, commandOf({ entry: ENTRY }), { ...NOW, now: { earliestMs, latestMs } }).change;
  const dueMs = T0 + 15_000 - ENTRY.lifeMs / 3;
  expect(at(T0, T0 + 3_600_000)).toBeUndefined();
  expect(at(dueMs - 4001, T0 + 3_600_000)).toBeUndefined();
  expect(at(dueMs - 4000, T0 + 3_600_000)).toBeDefined();
  expect(at(T0, dueMs - 1)).toBeUndefined();
  expect(at(dueMs - 4000, dueMs)).toBeDefined();
});

it("P23: remembers a lease that was watched to its end as expired at that end, whatever the clock says", () => {
  const holder = holderOf();
  const attempt = { ...NOW, lacksStoreTime: true, observedEnded: new Set([leaseKey(holder)]) };
  const taken = written(acquire(recordOf({ holders: [holder] }), commandOf(), attempt));
  expect(taken.recent).toMatchObject([{ id: holder.id, ended: "expired", toMs: holder.expiresAtMs }]);
});
