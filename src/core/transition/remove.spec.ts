import { expect, it } from "vitest";
import {
  attemptAt,
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
import type { LockRecord } from "../record.js";
import { cleanup, DEFAULT_REST_MS, deleteLock, isRemovable, replaceCorrupt } from "./remove.js";

const REST_MS = DEFAULT_REST_MS;
const NOW = attemptAt(T0 + 100, { writeId: "w1" });
const RESTED = attemptAt(T0 + REST_MS + 1, { writeId: "w2" });
const ANY_OWNER = { owner: undefined, restMs: REST_MS };
const SWEEP = { olderThanMs: undefined, includeReleased: true, restMs: REST_MS };

it("removes only what has neither holder nor waiter, whose counter time has overtaken, and that was long at rest", () => {
  expect(isRemovable(recordOf(), REST_MS, RESTED)).toBe(true);
  const kept: [string, LockRecord][] = [
    ["held, even by a lease that has ended", recordOf({ holders: [holderOf({ expiresAtMs: T0 - 1 })] })],
    ["waited for", recordOf({ queue: [waiterOf({ expiresAtMs: T0 + 2 * REST_MS })] })],
    ["touched too recently", recordOf({ touchedAtMs: T0 + 1 })],
    ["a counter ahead of time", recordOf({ token: T0 + REST_MS + 1 })],
    ["an ETag that may come back", recordOf({ writeId: undefined })],
  ];
  for (const [why, record] of kept) expect(isRemovable(record, REST_MS, RESTED), why).toBe(false);
});

it("counts rest from the landing of a write that was long on its way", () => {
  const late = { ...RESTED, landedAtMs: T0 + 1 };
  expect(isRemovable(recordOf(), REST_MS, late)).toBe(false);
  expect(isRemovable(recordOf(), REST_MS, { ...RESTED, landedAtMs: T0 })).toBe(true);
  expect(isRemovable(recordOf({ touchedAtMs: T0 + 1 }), REST_MS, { ...RESTED, landedAtMs: T0 })).toBe(false);
  expect(cleanup(recordOf(), SWEEP, late)).toEqual({ reply: { kind: "unsettled", forMs: 1 } });
});

it("judges rest and counter by the lower bound of store time", () => {
  const now = { earliestMs: T0 + REST_MS, latestMs: T0 + REST_MS + 60_000 };
  expect(isRemovable(recordOf(), REST_MS, attemptAt(0, { now }))).toBe(false);
});

it("deletes a young lock by a tombstone that keeps its counter, and an old free one by removing it", () => {
  const held = recordOf({ holders: [holderOf()], queue: [waiterOf()], token: T0 + 9 });
  const { reply, change } = deleteLock(held, ANY_OWNER, NOW);
  expect(reply).toEqual({ kind: "deleted" });
  const turn = { id: "holder", ended: "deleted" };
  expect(change).toMatchObject({ record: { deleted: true, holders: [], queue: [], token: T0 + 9, recent: [turn] } });
  expect(deleteLock(recordOf(), ANY_OWNER, RESTED)).toEqual({ reply: { kind: "deleted" }, change: { kind: "remove" } });
});

it("is content with what is deleted already", () => {
  expect(deleteLock(undefined, ANY_OWNER, NOW)).toEqual({ reply: { kind: "deleted" } });
  const tombstone = written(deleteLock(recordOf({ holders: [holderOf()] }), ANY_OWNER, NOW));
  expect(deleteLock(tombstone, ANY_OWNER, attemptAt(T0 + 200))).toEqual({ reply: { kind: "deleted" } });
});

it("deletes for an owner only what that owner holds by name, and holds still", () => {
  const ours = { owner: "us", restMs: REST_MS };
  const heldBy = (changes: object) => recordOf({ holders: [holderOf({ owner: "us", via: "name", ...changes })] });
  expect(deleteLock(heldBy({}), ours, NOW).reply.kind).toBe("deleted");
  for (const changes of [{ owner: "them" }, { via: "handle" }, { expiresAtMs: T0 }]) {
    expect(deleteLock(heldBy(changes), ours, NOW)).toEqual({ reply: { kind: "not-ours" } });
  }
  expect(deleteLock(undefined, ours, NOW)).toEqual({ reply: { kind: "not-ours" } });
  expect(deleteLock(recordOf(), ours, NOW)).toEqual({ reply: { kind: "not-ours" } });
});

it("takes a deletion for done that has landed, that is gone, or whose lock has a later holder", () => {
  const before = recordOf({ writeId: "w1", holders: [holderOf({ id: "a", owner: "us", via: "name" })] });
  const again = (record: LockRecord | undefined, changes: object = {}) => {
    const attempted = { writeIds: new Set(["w8", "w9"]), holderIds: new Set(["a"]), ...changes };
    return deleteLock(record, { owner: "us", restMs: REST_MS, attempted }, NOW);
  };
  const done = { reply: { kind: "deleted" } };
  expect(again(undefined)).toEqual(done);
  expect(again(recordOf({ writeId: "w9" }))).toEqual(done);
  const joined = { ...before, limit: 2, holders: [...before.holders, holderOf({ id: "later" })] };
  expect(again(joined)).toEqual(done);
  expect(written(again(before))).toMatchObject({ deleted: true, recent: [{ id: "a", ended: "deleted" }] });
  expect(again(recordOf())).toEqual({ reply: { kind: "not-ours" } });
});

it("deletes only while the lock has no holder that was not seen", () => {
  const seen = { ...ANY_OWNER, seen: new Set(["a"]) };
  expect(deleteLock(recordOf({ holders: [holderOf({ id: "b" })] }), seen, NOW)).toEqual({ reply: { kind: "changed" } });
  const both = [holderOf({ id: "a", mode: "shared" as const }), holderOf({ id: "b", mode: "shared" as const })];
  expect(deleteLock(recordOf({ holders: both }), seen, NOW)).toEqual({ reply: { kind: "changed" } });
  const deleted = written(deleteLock(recordOf({ holders: [holderOf({ id: "a" })] }), seen, NOW));
  expect(deleted).toMatchObject({ deleted: true, holders: [], recent: [{ id: "a", ended: "deleted" }] });
  const free = recordOf({ touchedAtMs: NOW.now.latestMs });
  expect(deleteLock(free, { ...ANY_OWNER, seen: new Set() }, NOW).reply).toEqual({ kind: "deleted" });
  expect(deleteLock(undefined, seen, NOW)).toEqual({ reply: { kind: "deleted" } });
});

it("knows of a deletion of whom was seen that it has landed, also when the next one holds the lock", () => {
  const attempted = { writeIds: new Set(["w9"]), holderIds: new Set(["a"]) };
  const seen = { ...ANY_OWNER, seen: new Set(["a"]), attempted };
  const next = { holders: [holderOf({ id: "b" })] };
  const landed = recordOf({ ...next, recent: [turnOf({ id: "a", ended: "deleted" })] });
  expect(deleteLock(landed, seen, NOW)).toEqual({ reply: { kind: "deleted" } });
  const released = recordOf({ ...next, recent: [turnOf({ id: "a", ended: "released" })] });
  expect(deleteLock(released, seen, NOW)).toEqual({ reply: { kind: "changed" } });
});

it("leaves nothing after a deletion by force that would keep the next one waiting", () => {
  const farMs = T0 + 1e12;
  const delayed = recordOf({ holders: [holderOf()], notBeforeMs: farMs });
  const forced = written(deleteLock(delayed, ANY_OWNER, NOW));
  expect(forced.notBeforeMs).toBeUndefined();
  expect(forced).toMatchObject({ deleted: true, freeSinceMs: T0 + 100 });
  expect(deleteLock(forced, ANY_OWNER, RESTED).change?.kind).not.toBe("write");

  const freed = recordOf({ notBeforeMs: farMs, freeSinceMs: farMs, touchedAtMs: farMs });
  const undelayed = written(deleteLock(freed, ANY_OWNER, NOW));
  expect(undelayed.notBeforeMs).toBeUndefined();
  expect(undelayed.freeSinceMs).toBe(T0 + 100);
  // Not hours ahead, which any write puts right.
  const soon = recordOf({ freeSinceMs: T0 + 1000 });
  expect(written(deleteLock(soon, ANY_OWNER, NOW)).freeSinceMs).toBe(T0 + 100);
  // Deleted by a version that left it there.
  expect(written(deleteLock({ ...freed, deleted: true }, ANY_OWNER, NOW)).notBeforeMs).toBeUndefined();

  const own = recordOf({ holders: [holderOf({ owner: "us", via: "name" })], notBeforeMs: farMs });
  expect(written(deleteLock(own, { owner: "us", restMs: REST_MS }, NOW)).notBeforeMs).toBe(farMs);
});

it("knows that a record without a write id is not its own", () => {
  const of1x = recordOf({ writeId: undefined, holders: [holderOf({ id: "a", expiresAtMs: T0 })] });
  const attempted = { writeIds: new Set(["w9"]), holderIds: new Set(["a"]) };
  expect(written(deleteLock(of1x, { ...ANY_OWNER, attempted }, NOW)).deleted).toBe(true);
  expect(cleanup(of1x, { ...SWEEP, attempted: new Set(["w9"]) }, NOW).change).toMatchObject({ kind: "write" });
});

it("says of a sweep that it is done where one of its writes has landed, whatever has ended since", () => {
  const freed = recordOf({ writeId: "w9", limit: 2, holders: [holderOf({ expiresAtMs: T0 })] });
  const again = { ...SWEEP, attempted: new Set(["w9"]) };
  expect(cleanup(freed, again, NOW)).toEqual({ reply: { kind: "stale" } });
  expect(cleanup(undefined, again, NOW)).toEqual({ reply: { kind: "removed" } });
  expect(cleanup({ ...freed, writeId: "w10" }, again, NOW).change).toMatchObject({ kind: "write" });
});

it("keeps the tolerance of the lease that ended last, where a sweep frees several", () => {
  const holders = [T0 + 10, T0 + 90, T0 + 50].map((expiresAtMs, at) => holderOf({ id: `h${at}`, expiresAtMs }));
  const freed = written(cleanup(recordOf({ limit: 3, holders }), SWEEP, NOW));
  expect(freed).toMatchObject({ holders: [], notBeforeMs: T0 + 90 + TOLERANCE_MS });
});

it("replaces what is not a record by a tombstone whose counter starts at store time", () => {
  const replaced = replaceCorrupt(NOW);
  expect(replaced.reply.kind).toBe("deleted");
  expect(written(replaced)).toMatchObject({ deleted: true, token: T0 + 100, holders: [], writeId: "w1" });
});

it("frees leases that have ended, and grants nothing before their tolerance is over", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 99 })], queue: [waiterOf()] });
  const { reply, change } = cleanup(record, SWEEP, NOW);
  expect(reply).toEqual({ kind: "stale" });
  const turn = { id: "holder", ended: "expired", toMs: T0 + 99 };
  const next = { holders: [], queue: record.queue, recent: [turn], notBeforeMs: T0 + 99 + TOLERANCE_MS };
  expect(change).toMatchObject({ record: next });
  expect(cleanup(written({ change } as never), SWEEP, NOW)).toEqual({ reply: { kind: "kept" } });
});

it("never shortens a time that an earlier cleanup set", () => {
  const record = recordOf({ limit: 2, holders: [holderOf({ expiresAtMs: T0 + 99 })], notBeforeMs: T0 + 50_000 });
  expect(written(cleanup(record, SWEEP, NOW)).notBeforeMs).toBe(T0 + 50_000);
});

it("makes no waiter wait for an end that was told by some wall clock, where there is no store time", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 5 * 3_600_000, leaseWriteId: "r" })] });
  const attempt = attemptAt(T0, { lacksStoreTime: true, observedEnded: new Set(record.holders.map(leaseKey)) });
  expect(written(cleanup(record, SWEEP, attempt))).not.toHaveProperty("notBeforeMs");
});

it("keeps live holders, and those that were renewed since the time asked for", () => {
  const live = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 100 })] });
  expect(cleanup(live, SWEEP, NOW)).toEqual({ reply: { kind: "kept" } });
  const both = recordOf({ limit: 2, holders: [holderOf({ id: "dead", expiresAtMs: T0 }), ...live.holders] });
  expect(written(cleanup(both, SWEEP, NOW)).holders).toEqual(live.holders);
  const ended = recordOf({ holders: [holderOf({ renewedAtMs: T0 - 50, expiresAtMs: T0 })] });
  expect(cleanup(ended, { ...SWEEP, olderThanMs: T0 - 50 }, NOW).reply.kind).toBe("kept");
  expect(cleanup(ended, { ...SWEEP, olderThanMs: T0 - 49 }, NOW).reply.kind).toBe("stale");
});

it("removes free objects only where it was asked to, and counts tombstones as absent", () => {
  expect(cleanup(recordOf(), SWEEP, RESTED)).toEqual({ reply: { kind: "removed" }, change: { kind: "remove" } });
  expect(cleanup(recordOf(), { ...SWEEP, includeReleased: false }, RESTED)).toEqual({ reply: { kind: "kept" } });
  expect(cleanup(recordOf(), SWEEP, NOW)).toEqual({ reply: { kind: "kept" } });
  expect(cleanup(recordOf({ deleted: true }), SWEEP, NOW)).toEqual({ reply: { kind: "absent" } });
  expect(cleanup(undefined, SWEEP, NOW)).toEqual({ reply: { kind: "absent" } });
});

it("leaves locks of 1.x that are free, and frees those that are stale", () => {
  const parsed = parseRecord('{"locked":false}');
  if (parsed.kind !== "record") throw new Error(parsed.kind);
  expect(cleanup(parsed.record, SWEEP, RESTED)).toEqual({ reply: { kind: "kept" } });
});

it("removes a free lock whose last waiter died in the queue long ago", () => {
  const record = recordOf({ queue: [waiterOf({ expiresAtMs: T0 + 15_000 })] });
  expect(cleanup(record, SWEEP, RESTED).reply.kind).toBe("removed");
});

it("writes a record that can be read, whatever the tolerance is", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 })] });
  const freed = written(cleanup(record, SWEEP, { ...NOW, toleranceMs: Number.POSITIVE_INFINITY }));
  expect(parseRecord(JSON.stringify(freed)).kind).toBe("record");
});

it("knows its own deletion again by the turn that it ended, and no other one before it was sent", () => {
  const turns = [
    { id: "other", owner: "o", token: 2, fromMs: T0, toMs: T0, ended: "released" },
    { id: "seen", owner: "o", token: 1, fromMs: T0, toMs: T0, ended: "deleted" },
  ] as const;
  const record = recordOf({ holders: [holderOf({ id: "next" })], recent: turns });
  const command = { owner: undefined, seen: new Set(["seen"]), restMs: 0 };
  const attempted = { writeIds: new Set<string>(), holderIds: new Set(["seen"]) };
  expect(deleteLock(record, command, attemptAt(T0))).toEqual({ reply: { kind: "changed" } });
  expect(deleteLock(record, { ...command, attempted }, attemptAt(T0))).toEqual({ reply: { kind: "deleted" } });
});

it("leaves no far-off time behind by force, and nothing to do where there is none", () => {
  const command = { owner: undefined, restMs: Number.POSITIVE_INFINITY };
  const far = recordOf({ freeSinceMs: T0 + 1e9 });
  expect(written(deleteLock(far, command, attemptAt(T0))).freeSinceMs).toBe(T0);
  const deleted = recordOf({ deleted: true, freeSinceMs: T0 });
  expect(deleteLock(deleted, command, attemptAt(T0))).toEqual({ reply: { kind: "deleted" } });
});

it("does not remove what a client without store time wrote last: how long it has been at rest is not known", () => {
  const undated = recordOf({ undated: true });
  const { change, reply } = cleanup(undated, SWEEP, RESTED);
  expect(reply).toEqual({ kind: "kept" });
  const next = written({ change } as never);
  expect(next).not.toHaveProperty("undated");
  expect(next).not.toHaveProperty("deleted");
  expect(next.touchedAtMs).toBe(RESTED.now.latestMs);
  const deleted = cleanup(recordOf({ undated: true, deleted: true }), SWEEP, RESTED);
  expect(deleted.reply).toEqual({ kind: "absent" });
  expect(written(deleted)).toMatchObject({ deleted: true });
  expect(cleanup(undated, { ...SWEEP, includeReleased: false }, RESTED)).toEqual({ reply: { kind: "kept" } });
  expect(cleanup(undated, SWEEP, { ...RESTED, lacksStoreTime: true })).toEqual({ reply: { kind: "kept" } });
});

it("says for how long it is not certain that an object was at rest for long enough, by the bounds of store time", () => {
  const now = { earliestMs: T0 + REST_MS - 400, latestMs: T0 + REST_MS + 600 };
  const young = { ...RESTED, now };
  expect(cleanup(recordOf(), SWEEP, young)).toEqual({ reply: { kind: "unsettled", forMs: 401 } });
  // Its writer may have known the time less well: so far ahead of the bounds of now as clocks may be.
  const ahead = 600 + young.toleranceMs;
  const byWriter = cleanup(recordOf({ touchedAtMs: T0 + ahead - 1 }), SWEEP, young);
  expect(byWriter).toEqual({ reply: { kind: "unsettled", forMs: 400 + ahead } });
  const byCounter = cleanup(recordOf({ token: T0 + REST_MS + ahead - 1 }), SWEEP, young);
  expect(byCounter).toEqual({ reply: { kind: "unsettled", forMs: 400 + ahead } });
  const kept: [string, ReturnType<typeof recordOf>][] = [
    ["too young by either bound", recordOf({ touchedAtMs: T0 + ahead })],
    ["waited for", recordOf({ queue: [waiterOf({ expiresAtMs: T0 + 2 * REST_MS })] })],
    ["a counter ahead of time", recordOf({ token: T0 + REST_MS + ahead })],
  ];
  for (const [why, record] of kept) expect(cleanup(record, SWEEP, young).reply, why).toEqual({ kind: "kept" });
  expect(cleanup(recordOf(), { ...SWEEP, includeReleased: false }, young).reply).toEqual({ kind: "kept" });
  expect(cleanup(recordOf(), SWEEP, { ...young, lacksStoreTime: true }).reply).toEqual({ kind: "kept" });
  expect(cleanup(recordOf({ deleted: true }), SWEEP, young).reply).toEqual({ kind: "absent" });
});

it("leaves a tombstone where a bucket keeps versions, however long the object was at rest", () => {
  const keeping = { ...RESTED, keepsVersions: true };
  const { reply, change } = deleteLock(recordOf({ token: T0 - 1 }), ANY_OWNER, keeping);
  expect(reply).toEqual({ kind: "deleted" });
  expect(change).toMatchObject({ kind: "write", record: { deleted: true, holders: [], queue: [], token: T0 - 1 } });
  const swept = cleanup(recordOf(), SWEEP, keeping);
  expect(swept.reply).toEqual({ kind: "removed" });
  const tombstone = written(swept);
  expect(tombstone).toMatchObject({ deleted: true, holders: [], queue: [] });
  // Nor is it written again, by whichever of the two.
  const later = { ...attemptAt(T0 + 3 * REST_MS, { writeId: "w3" }), keepsVersions: true };
  expect(cleanup(tombstone, SWEEP, later)).toEqual({ reply: { kind: "absent" } });
  expect(deleteLock(tombstone, ANY_OWNER, later)).toEqual({ reply: { kind: "deleted" } });
});

it("sweeps nothing there that it would not remove elsewhere", () => {
  const keeping = { ...RESTED, keepsVersions: true };
  const young = recordOf({ touchedAtMs: T0 + 1 + keeping.toleranceMs });
  expect(cleanup(young, SWEEP, keeping)).toEqual({ reply: { kind: "kept" } });
  expect(cleanup(recordOf(), { ...SWEEP, includeReleased: false }, keeping)).toEqual({ reply: { kind: "kept" } });
});

it("knows its own tombstone after a lost answer, and counts it as removed", () => {
  const tombstone = written(cleanup(recordOf(), SWEEP, { ...RESTED, keepsVersions: true }));
  const attempted = new Set([tombstone.writeId as string]);
  const again = { ...attemptAt(T0 + REST_MS + 2), keepsVersions: true };
  expect(cleanup(tombstone, { ...SWEEP, attempted }, again)).toEqual({ reply: { kind: "removed" } });
});
