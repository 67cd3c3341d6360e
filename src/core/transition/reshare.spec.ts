import { expect, it } from "vitest";
import {
  attemptAt,
  commandOf,
  ENTRY,
  holderOf,
  recordOf,
  T0,
  waiterOf,
  written,
} from "../../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "../codec.js";
import type { LockRecord } from "../record.js";
import { shareIn } from "../shares.js";
import { searchCycle } from "../waits/deadlock.js";
import { acquire } from "./acquire.js";
import { deleteLock, isRemovable } from "./remove.js";
import { found, level, reshare } from "./reshare.js";

const AT = (ms: number) => attemptAt(T0 + ms, { writeId: `write at ${ms}` });
const CAPACITY = { inOne: 3, share: 2, records: 4 };

const shares = { version: 7, permits: [2, 2] };
const anchor = recordOf({ limit: 2, shares });
const partOf = (sharesVersion: number, changes: Partial<LockRecord> = {}) =>
  recordOf({ limit: 2, sharesVersion, ...changes });
const asking = (number: number, seen?: { readonly version: number; readonly inUse?: number }) => ({
  number,
  capacity: CAPACITY,
  seen: seen && { version: seen.version, others: [{ limit: 2, inUse: seen.inUse ?? 0 }] },
});

it("makes several records where one has no room for so many, and the semaphore was not used yet", () => {
  for (const none of [undefined, recordOf({ limit: 9, deleted: true })]) {
    const record = written(found(none, { number: 5, capacity: CAPACITY }, AT(1)));
    expect(record).toMatchObject({ limit: 2, shares: { version: T0 + 1, permits: [2, 2, 1] }, holders: [] });
    expect(record.deleted).toBeUndefined();
    expect(parseRecord(serializeRecord(record))).toEqual({ kind: "record", record });
  }
  for (const known of [recordOf({ limit: 9 }), anchor, { ...anchor, deleted: true as const }]) {
    expect(found(known, { number: 5, capacity: CAPACITY }, AT(1))).toEqual({ reply: { kind: "found" } });
  }
});

it("changes the number of one record as ever, up to what that has room for, and to less", () => {
  const resized = (record: LockRecord | undefined, number: number) => reshare(record, asking(number), AT(1));
  expect(resized(undefined, 3)).toMatchObject({ reply: { from: undefined }, change: { record: { limit: 3 } } });
  expect(written(resized(recordOf({ limit: 9 }), 8))).toMatchObject({ limit: 8 });
  expect(written(resized(recordOf({ limit: 9 }), 8))).not.toHaveProperty("shares");
  expect(resized(recordOf({ limit: 2 }), 2)).toEqual({ reply: { kind: "reshared", from: 2 } });
  const deleted = recordOf({ limit: 9, deleted: true });
  expect(resized(deleted, 4)).toMatchObject({
    reply: { from: undefined },
    change: { record: { shares: { permits: [2, 2] } } },
  });
});

it("makes one record several where there are to be more than it has room for, and leaves it what it has", () => {
  const held = recordOf({ limit: 3, holders: [holderOf()] });
  const decision = reshare(held, asking(6), AT(1));
  expect(decision.reply).toEqual({ kind: "reshared", from: 3 });
  expect(written(decision)).toMatchObject({ limit: 3, shares: { permits: [3, 2, 1] }, holders: [{}] });
});

it("decides new shares only from those that all records are known to have, and later ones each time", () => {
  const more = reshare(anchor, asking(6, { version: 7 }), AT(1));
  expect(more.reply).toEqual({ kind: "reshared", from: 4 });
  expect(written(more)).toMatchObject({ limit: 2, shares: { version: T0 + 1, permits: [2, 2, 2] } });
  const ahead = { ...anchor, shares: { ...shares, version: T0 + 50 } };
  expect(written(reshare(ahead, asking(1, { version: T0 + 50 }), AT(1)))).toMatchObject({
    limit: 1,
    shares: { version: T0 + 51, permits: [1, 0] },
  });
  for (const seen of [undefined, { version: 6 }]) {
    expect(reshare(anchor, asking(6, seen), AT(1))).toEqual({ reply: { kind: "other-shares" } });
  }
  expect(reshare(undefined, asking(6, { version: 7 }), AT(1))).toEqual({ reply: { kind: "other-shares" } });
  expect(reshare(anchor, asking(4, { version: 7 }), AT(1))).toEqual({ reply: { kind: "reshared", from: 4 } });
  // One that was deleted has its other records still.
  const deleted = reshare({ ...anchor, deleted: true }, asking(3, { version: 7 }), AT(1));
  expect(deleted.reply).toEqual({ kind: "reshared", from: 4 });
});

it("counts what is out in the first record as it is then", () => {
  const full = { ...anchor, holders: [holderOf({ id: "a" }), holderOf({ id: "b" })] };
  expect(written(reshare(full, asking(2, { version: 7 }), AT(1)))).toMatchObject({ shares: { permits: [2, 0] } });
  expect(written(reshare(anchor, asking(2, { version: 7, inUse: 2 }), AT(1)))).toMatchObject({
    shares: { permits: [1, 1] },
  });
});

it("gives each record its share once, whether it is there or not, and none an earlier one", () => {
  const share = shareIn({ version: 7, permits: [2, 1] }, 1);
  for (const record of [undefined, recordOf({ limit: 1, deleted: true }), partOf(6)]) {
    const next = level(record, share, AT(1));
    expect(next.reply).toEqual({ kind: "levelled", use: { limit: 1, inUse: 0 } });
    expect(written(next)).toMatchObject({ limit: 1, sharesVersion: 7 });
    expect(written(next).deleted).toBeUndefined();
  }
  const held = partOf(7, { limit: 1, holders: [holderOf({ permits: 2 })] });
  expect(level(held, share, AT(1))).toEqual({ reply: { kind: "levelled", use: { limit: 1, inUse: 2 } } });
  expect(level(partOf(8), share, AT(1))).toEqual({ reply: { kind: "other-shares" } });
  const none = written(level(partOf(6), { ...share, limit: 0 }, AT(1)));
  expect(parseRecord(serializeRecord(none))).toEqual({ kind: "record", record: none });
});

it("grants from one of several only to a client that knows its shares, and gives it its share with that", () => {
  const share = shareIn(shares, 1);
  const ask = (record: LockRecord | undefined, changes: object) =>
    acquire(record, commandOf({ limit: 2, ...changes }), AT(1));
  expect(ask(anchor, {}).reply).toEqual({ kind: "other-shares" });
  expect(ask(anchor, { limit: "stored" }).reply).toEqual({ kind: "other-shares" });
  expect(ask(anchor, { limit: undefined }).reply).toEqual({ kind: "limit-differs", limit: 2 });
  expect(ask(anchor, { share: shareIn(shares, 0) }).reply.kind).toBe("granted");
  expect(ask({ ...anchor, deleted: true }, { share: shareIn(shares, 0) }).reply.kind).toBe("granted");
  expect(ask(anchor, { share: { ...shareIn(shares, 0), version: 6 } }).reply).toEqual({ kind: "other-shares" });
  expect(ask(partOf(8), { share }).reply).toEqual({ kind: "other-shares" });
  for (const record of [undefined, recordOf({ limit: 1, deleted: true }), partOf(6, { limit: 9 }), partOf(7)]) {
    const next = written(ask(record, { share }));
    expect(next).toMatchObject({ limit: 2, sharesVersion: 7, holders: [{ id: "newcomer" }] });
    expect((next.holders[0]?.token ?? 0) % 64).toBe(1);
  }
  expect(ask(partOf(6, { limit: 9 }), { share, permits: 3 }).reply).toEqual({ kind: "too-few", limit: 2 });
  // A share that has become smaller lets no caller in, from the first read that knows of it.
  const held = partOf(6, { limit: 3, holders: [holderOf({ permits: 2 })] });
  expect(ask(held, { share, entry: ENTRY }).reply.kind).toBe("waiting");
  expect(written(ask(held, { share, entry: ENTRY }))).toMatchObject({ limit: 2, sharesVersion: 7 });
});

it("removes none of several, and deletes none of their shares", () => {
  const later = AT(24 * 3_600_000);
  expect(isRemovable(recordOf(), 1000, later)).toBe(true);
  for (const record of [anchor, partOf(7)]) expect(isRemovable(record, 1000, later)).toBe(false);
  expect(written(deleteLock(anchor, { owner: undefined, restMs: 1000 }, later))).toMatchObject({
    deleted: true,
    shares,
  });
});

it("does not take a waiter for stuck behind the holders of one of several records", () => {
  const me = waiterOf({ id: "me", holds: [{ kind: "semaphore", name: "pool", token: T0 }], priority: 0 });
  const other = waiterOf({ id: "other", holds: [{ name: "wanted", token: T0 }], priority: 1 });
  const pool = (changes: Partial<LockRecord>) =>
    recordOf({ limit: 1, holders: [holderOf()], queue: [other], ...changes });
  const find = (record: LockRecord) => {
    const wanted = recordOf({ holders: [holderOf()], queue: [me] });
    const records = new Map([
      ["semaphore pool", record],
      ["lock wanted", wanted],
    ]);
    return searchCycle({ name: "wanted" }, me, records, AT(1)).kind;
  };
  expect(find(pool({}))).toBe("cycle");
  expect(find(pool({ shares: { version: 7, permits: [1, 1] } }))).toBe("none");
  expect(find(pool({ sharesVersion: 7 }))).toBe("none");
});
