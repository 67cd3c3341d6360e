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
import { type LockRecord, RECENT_TURNS } from "../record.js";
import { acquire, MAX_QUEUE } from "./acquire.js";

const NOW = attemptAt(T0 + 5, { writeId: "w1" });
const LATER = attemptAt(T0 + 4000, { writeId: "w2" });

it("creates the record of a lock that nobody has used, and holds it", () => {
  const { reply, change } = acquire(undefined, commandOf({ leaseMs: 7000, identity: { host: "h", pid: 1 } }), NOW);
  const holder = {
    id: "newcomer",
    owner: "owner of newcomer",
    token: T0 + 5,
    acquiredAtMs: T0 + 5,
    renewedAtMs: T0 + 5,
    expiresAtMs: T0 + 7005,
    renewal: "w1",
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

it("remembers only the last few turns", () => {
  const recent = Array.from({ length: RECENT_TURNS }, (_, index) => turnOf({ id: `t${index}` }));
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 - 5000 })], recent });
  const turns = written(acquire(record, commandOf(), NOW)).recent;
  expect(turns).toHaveLength(RECENT_TURNS);
  expect(turns[0]).toMatchObject({ id: "holder" });
});

it("ends only leases that were watched to their end where it observes", () => {
  const record = recordOf({ holders: [holderOf({ renewal: "r1", expiresAtMs: T0 - 100_000 })] });
  const watched = (...renewals: string[]) => ({ ...NOW, observedEnded: new Set(renewals) });
  expect(acquire(record, commandOf(), watched("r0", "holder")).reply.kind).toBe("waiting");
  expect(acquire(record, commandOf(), watched("r1")).reply.kind).toBe("granted");
  const live = recordOf({ holders: [holderOf({ renewal: "r1", expiresAtMs: T0 + 100_000 })] });
  expect(acquire(live, commandOf(), watched("r1")).reply.kind).toBe("granted");
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
