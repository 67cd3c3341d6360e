import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, waiterOf, written } from "../../../test/protocol/samples.js";
import type { TurnEnd } from "../record.js";
import { holderLoss, reasonOfLoss, renew } from "./renew.js";

const COMMAND = { id: "holder", token: T0, leaseMs: 5000, onlyUnexpired: false };
const AT = (nowMs: number) => attemptAt(nowMs, { writeId: "renewal" });

it("extends the lease from now, under the id of this write, and leaves token and start as they were", () => {
  const others = { queue: [waiterOf()], recent: [turnOf()] };
  const { reply, change } = renew(recordOf({ holders: [holderOf()], ...others }), COMMAND, AT(T0 + 3000));
  const holder = {
    ...holderOf(),
    leaseMs: 5000,
    renewedAtMs: T0 + 3000,
    expiresAtMs: T0 + 8000,
    leaseWriteId: "renewal",
  };
  expect(reply).toEqual({ kind: "renewed", holder });
  expect(change).toMatchObject({ record: { writeId: "renewal", holders: [holder], ...others } });
});

it("counts as held since then where the time of the grant was wrong, and nothing was handed out yet", () => {
  const record = recordOf({ holders: [holderOf({ acquiredAtMs: T0 - 3_600_000, holdAtLeastMs: 60_000 })] });
  const { reply } = renew(record, { ...COMMAND, isHeldSinceNow: true }, AT(T0));
  expect(reply).toMatchObject({ holder: { acquiredAtMs: T0, leaseMs: 60_000, expiresAtMs: T0 + 60_000 } });
});

it("publishes from the upper bound of store time", () => {
  const now = { earliestMs: T0 + 1000, latestMs: T0 + 2000 };
  const { reply } = renew(recordOf({ holders: [holderOf()] }), COMMAND, attemptAt(0, { now }));
  expect(reply).toMatchObject({ holder: { expiresAtMs: T0 + 7000 } });
});

it("renews its own entry only", () => {
  const other = holderOf({ id: "other" });
  const record = written(renew(recordOf({ limit: 2, holders: [other, holderOf()] }), COMMAND, AT(T0 + 1)));
  expect(record.holders[0]).toEqual(other);
  expect(record.holders[1]).toMatchObject({ id: "holder", leaseWriteId: "renewal" });
});

it("needs membership, not an expiry in the future, unless it is asked for", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 10_000 })] });
  expect(renew(record, COMMAND, AT(T0 + 3_600_000)).reply.kind).toBe("renewed");
  const onlyUnexpired = { ...COMMAND, onlyUnexpired: true };
  expect(renew(record, onlyUnexpired, AT(T0 + 9999)).reply.kind).toBe("renewed");
  expect(renew(record, onlyUnexpired, AT(T0 + 10_000))).toEqual({ reply: { kind: "gone", reason: "expired" } });
});

it("goes on with what may not have ended where the time is doubted: one answer may be hours off", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 10_000 })] });
  const kindAt = (earliestMs: number, isTimeDoubted: boolean) => {
    const now = { earliestMs, latestMs: earliestMs + 3_600_000 };
    return renew(record, { ...COMMAND, onlyUnexpired: true }, attemptAt(0, { now, isTimeDoubted })).reply.kind;
  };
  expect([kindAt(T0 + 10_000, true), kindAt(T0 + 10_000, false), kindAt(T0 + 10_001, true)]).toEqual([
    "renewed",
    "gone",
    "gone",
  ]);
});

it("goes on with a lease that the store's time says nothing of", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 10_000, undated: true })] });
  expect(renew(record, { ...COMMAND, onlyUnexpired: true }, AT(T0 + 3_600_000)).reply.kind).toBe("renewed");
});

it("believes its holder's clocks before the store's, as far as they say anything", () => {
  const record = recordOf({ holders: [holderOf({ expiresAtMs: T0 + 10_000 })] });
  const kindAt = (nowMs: number, isOver: boolean | undefined, onlyUnexpired = true) =>
    renew(record, { ...COMMAND, onlyUnexpired, isOverHere: () => isOver }, AT(nowMs)).reply.kind;
  expect([kindAt(T0 + 1, true), kindAt(T0 + 1, undefined), kindAt(T0 + 1, true, false)]).toEqual([
    "gone",
    "renewed",
    "renewed",
  ]);
  expect([kindAt(T0 + 3_600_000, false), kindAt(T0 + 3_600_000, undefined)]).toEqual(["renewed", "gone"]);
});

it("renews again what it has renewed: its answer may have been lost", () => {
  const first = written(renew(recordOf({ holders: [holderOf()] }), COMMAND, AT(T0 + 100)));
  const second = renew(first, COMMAND, attemptAt(T0 + 900, { writeId: "again" }));
  expect(second.reply).toMatchObject({ kind: "renewed", holder: { leaseWriteId: "again", token: T0, id: "holder" } });
});

it("is content with a renewal of its own that has landed, and sends none on top", () => {
  const first = written(renew(recordOf({ holders: [holderOf()] }), COMMAND, AT(T0 + 100)));
  const again = { ...COMMAND, attempted: new Set(["renewal"]) };
  const { reply, change } = renew(first, again, attemptAt(T0 + 900, { writeId: "again" }));
  expect(reply).toEqual({ kind: "renewed", holder: first.holders[0] });
  expect(change).toBeUndefined();
});

it("never creates an object that is gone", () => {
  expect(renew(undefined, COMMAND, AT(T0))).toEqual({ reply: { kind: "gone", reason: "deleted" } });
});

it("does not take the place of a successor, whatever its owner is", () => {
  const successor = holderOf({ id: "successor", owner: "owner of holder", token: T0 + 1 });
  expect(renew(recordOf({ holders: [successor] }), COMMAND, AT(T0))).toEqual({
    reply: { kind: "gone", reason: "taken-over" },
  });
});

it.each<[TurnEnd, string]>([
  ["released", "released"],
  ["expired", "taken-over"],
  ["forced", "force-released"],
  ["deleted", "deleted"],
])("says of a turn that ended as %s that it was %s", (ended, reason) => {
  expect(reasonOfLoss(recordOf({ recent: [turnOf({ token: 5, ended })] }), 5)).toBe(reason);
});

it("says deleted of a tombstone, and taken over where the record does not remember", () => {
  expect(reasonOfLoss(recordOf({ deleted: true, recent: [turnOf({ token: 5 })] }), 5)).toBe("deleted");
  expect(reasonOfLoss(recordOf({ recent: [turnOf({ token: 4 })] }), 5)).toBe("taken-over");
});

it("is lost to force, to the holder of what another client has released", () => {
  expect(holderLoss("released")).toBe("force-released");
  expect(holderLoss("expired")).toBe("expired");
});

it("leaves a hold to the copy of its process that has renewed it", () => {
  const record = recordOf({ holders: [holderOf({ leaseWriteId: "of the copy" })] });
  const decision = renew(record, { ...COMMAND, isOwn: (writeId) => writeId !== "of the copy" }, AT(T0 + 1000));
  expect(decision).toEqual({ reply: { kind: "gone", reason: "cloned" } });
  expect(renew(record, { ...COMMAND, isOwn: () => true }, AT(T0 + 1000)).reply.kind).toBe("renewed");
});
