import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, waiterOf, written } from "../../../test/protocol/samples.js";
import { cancel, forceRelease, release } from "./release.js";

const NOW = attemptAt(T0 + 100, { writeId: "w1" });
const LATER = attemptAt(T0 + 90_000, { writeId: "w2" });
const ANY_HOLDER = { ids: undefined };
const HELD = recordOf({ holders: [holderOf()], queue: [waiterOf()], token: T0 + 7 });

it("leaves a tombstone that keeps the counter, the queue and what happened, and says since when it is free", () => {
  const { reply, change } = release(HELD, { id: "holder" }, NOW);
  expect(reply).toEqual({ kind: "released", holders: HELD.holders });
  const turn = { id: "holder", token: T0, fromMs: T0, toMs: T0 + 100, ended: "released" };
  expect(change).toMatchObject({
    record: { writeId: "w1", token: T0 + 7, holders: [], queue: HELD.queue, recent: [turn], freeSinceMs: T0 + 100 },
  });
  expect(written({ change } as never)).not.toHaveProperty("deleted");
});

it("says that it has released when it is asked again, also after others have had their turns", () => {
  const done = written(release(HELD, { id: "holder" }, NOW));
  expect(release(done, { id: "holder" }, LATER)).toEqual({ reply: { kind: "released", holders: [] } });
  const taken = { ...done, holders: [holderOf({ id: "next", owner: "owner of holder" })] };
  expect(release(taken, { id: "holder" }, LATER)).toEqual({ reply: { kind: "released", holders: [] } });
});

it("releases its own acquisition only, and releases it also when its lease has ended", () => {
  expect(release(HELD, { id: "other" }, NOW)).toEqual({ reply: { kind: "not-held" } });
  expect(release(undefined, { id: "holder" }, NOW)).toEqual({ reply: { kind: "not-held" } });
  expect(release(HELD, { id: "holder" }, LATER).reply.kind).toBe("released");
  const both = recordOf({ limit: 2, holders: [holderOf(), holderOf({ id: "b" })] });
  expect(written(release(both, { id: "b" }, NOW)).holders.map(({ id }) => id)).toEqual(["holder"]);
});

it("P23: remembers a hold that is given back or cancelled after the end of its lease as expired, held until that", () => {
  const own = { id: "holder", mustChange: false };
  const turn = { id: "holder", fromMs: T0, toMs: T0 + 10_000 };
  const endedAt = (nowMs: number) => [
    written(release(HELD, own, attemptAt(nowMs))).recent,
    written(cancel(HELD, own, attemptAt(nowMs))).recent,
  ];
  expect(endedAt(T0 + 10_001)).toMatchObject([[{ ...turn, ended: "expired" }], [{ ...turn, ended: "expired" }]]);
  expect(endedAt(T0 + 10_000)).toMatchObject([[{ ...turn, ended: "released" }], [{ ...turn, ended: "released" }]]);
  expect(written(release(HELD, own, LATER))).toMatchObject({ holders: [], freeSinceMs: T0 + 90_000 });
});

it("P23: does not take for expired what an end says that no clock of the store has told", () => {
  const undated = recordOf({ holders: [holderOf({ undated: true })] });
  const noStoreTime = { ...LATER, lacksStoreTime: true };
  const released = [release(undated, { id: "holder" }, LATER), release(HELD, { id: "holder" }, noStoreTime)];
  const turns = released.map((decision) => written(decision).recent);
  expect(turns).toMatchObject(released.map(() => [{ ended: "released", toMs: T0 + 90_000 }]));
});

it("P23: says of a hold that was ended from outside after its lease who ended it, and that it was held until its lease ended", () => {
  const { recent } = written(forceRelease(HELD, ANY_HOLDER, LATER));
  expect(recent).toMatchObject([{ ended: "forced", toMs: T0 + 10_000 }]);
});

it("does not say released of a turn that ended otherwise", () => {
  const expired = turnOf({ id: "holder", ended: "expired" });
  expect(release(recordOf({ recent: [expired] }), { id: "holder" }, NOW).reply.kind).toBe("not-held");
  const another = turnOf({ id: "another", ended: "released" });
  expect(release(recordOf({ recent: [another, expired] }), { id: "holder" }, NOW).reply.kind).toBe("not-held");
});

it("drops waiters whose entries have run out with every write, and no others", () => {
  const queue = [waiterOf({ id: "dead", expiresAtMs: T0 + 99 }), waiterOf({ id: "live", expiresAtMs: T0 + 100 })];
  expect(written(release({ ...HELD, queue }, { id: "holder" }, NOW)).queue.map(({ id }) => id)).toEqual(["live"]);
});

it("recognises by whom it meant that it has ended them already, and spares later holders", () => {
  const forced = written(forceRelease(recordOf({ holders: [holderOf({ id: "a" })] }), ANY_HOLDER, NOW));
  const meant = { ids: new Set(["a"]) };
  expect(forceRelease(forced, meant, LATER)).toEqual({ reply: { kind: "released", holders: [] } });
  const later = { ...forced, holders: [holderOf({ id: "b" })] };
  expect(forceRelease(later, meant, LATER)).toEqual({ reply: { kind: "released", holders: [] } });
  const wentOn = { ...forced, recent: [turnOf({ id: "b", ended: "released" }), ...forced.recent] };
  expect(forceRelease(wentOn, meant, LATER)).toEqual({ reply: { kind: "released", holders: [] } });
});

it("ends by force the holds that it was told to end, and no others", () => {
  const holders = [holderOf({ id: "seen", mode: "shared" }), holderOf({ id: "later", mode: "shared" })];
  const forced = forceRelease(recordOf({ holders }), { ids: new Set(["seen", "gone"]) }, NOW);
  expect(forced.reply).toEqual({ kind: "released", holders: [holders[0]] });
  expect(written(forced).holders).toEqual([holders[1]]);
  expect(forceRelease(recordOf({ holders }), { ids: new Set(["gone"]) }, NOW)).toEqual({ reply: { kind: "not-held" } });
  expect(forceRelease(recordOf({ holders }), { ids: new Set() }, NOW)).toEqual({ reply: { kind: "not-held" } });
});

it("does not claim to have ended by force what its holder has released", () => {
  const record = recordOf({ recent: [turnOf({ id: "a", ended: "released" })] });
  expect(forceRelease(record, { ids: new Set(["a"]) }, NOW)).toEqual({ reply: { kind: "not-held" } });
});

it("ends every hold by force, and finds nothing to end when asked again", () => {
  const holders = [holderOf({ id: "a", mode: "shared" }), holderOf({ id: "b", mode: "shared" })];
  const forced = forceRelease(recordOf({ holders }), ANY_HOLDER, NOW);
  expect(forced.reply).toEqual({ kind: "released", holders });
  expect(written(forced)).toMatchObject({
    holders: [],
    recent: [
      { id: "a", ended: "forced" },
      { id: "b", ended: "forced" },
    ],
  });
  expect(forceRelease(written(forced), ANY_HOLDER, LATER)).toEqual({ reply: { kind: "not-held" } });
  expect(forceRelease(undefined, ANY_HOLDER, NOW)).toEqual({ reply: { kind: "not-held" } });
});

it("takes a cancelled acquisition out of the holders and the queue, and out of nothing else", () => {
  const queue = [waiterOf({ id: "x" }), waiterOf({ id: "y" })];
  const record = recordOf({ limit: 2, holders: [holderOf({ id: "x" }), holderOf({ id: "z" })], queue });
  const cancelled = written(cancel(record, { id: "x", mustChange: false }, NOW));
  expect(cancelled.holders.map(({ id }) => id)).toEqual(["z"]);
  expect(cancelled.queue.map(({ id }) => id)).toEqual(["y"]);
  expect(cancel(cancelled, { id: "x", mustChange: false }, LATER)).toEqual({ reply: { kind: "cancelled" } });
});

it("takes a cancelled acquisition out where it only holds, which ends a turn, and where it only waits, which does not", () => {
  const command = { id: "x", mustChange: false };
  const held = written(cancel(recordOf({ holders: [holderOf({ id: "x" })] }), command, NOW));
  expect(held).toMatchObject({ holders: [], recent: [{ id: "x", ended: "released", toMs: T0 + 100 }] });
  const waited = written(cancel(recordOf({ holders: [holderOf()], queue: [waiterOf({ id: "x" })] }), command, NOW));
  expect(waited).toMatchObject({ holders: [{ id: "holder" }], queue: [], recent: [] });
});

it("gives a new first in the queue all of its grace, and the present one none on top", () => {
  const free = recordOf({
    queue: [waiterOf({ id: "a" }), waiterOf({ id: "b", sinceMs: T0 + 1 })],
    freeSinceMs: T0 + 5,
  });
  const freeSinceWithout = (id: string) => written(cancel(free, { id, mustChange: false }, NOW)).freeSinceMs;
  expect(freeSinceWithout("a")).toBe(T0 + 100);
  expect(freeSinceWithout("b")).toBe(T0 + 5);
});

it("changes the object although there is nothing to take out, where a write may still land on it", () => {
  const record = recordOf({ holders: [holderOf()], queue: [waiterOf()] });
  expect(cancel(record, { id: "x", mustChange: false }, NOW).change).toBeUndefined();
  const changed = written(cancel(record, { id: "x", mustChange: true }, NOW));
  expect(changed).toEqual({ ...record, writeId: "w1", touchedAtMs: T0 + 100 });
});

it("puts a tombstone where a create may still land, which reads as deleted", () => {
  expect(cancel(undefined, { id: "x", mustChange: false }, NOW).change).toBeUndefined();
  const tombstone = written(cancel(undefined, { id: "x", mustChange: true }, NOW));
  expect(tombstone).toMatchObject({
    deleted: true,
    holders: [],
    queue: [],
    recent: [],
    createdAtMs: T0 + 100,
    touchedAtMs: T0 + 100,
  });
});

it("leaves a tombstone deleted, and a lock that was not deleted undeleted", () => {
  expect(written(cancel(recordOf({ deleted: true }), { id: "x", mustChange: true }, NOW)).deleted).toBe(true);
  expect(written(cancel(recordOf(), { id: "x", mustChange: true }, NOW)).deleted).toBeUndefined();
});
