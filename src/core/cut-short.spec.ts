import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, written } from "../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "./codec.js";
import { CUTS_MAX, cutOf, rememberedCuts, withCuts } from "./cut-short.js";
import type { LockRecord } from "./record.js";
import { nextVersion } from "./transition/decision.js";
import { forceRelease } from "./transition/release.js";
import { deleteLock } from "./transition/remove.js";
import { reasonOfLoss } from "./transition/renew.js";

const NOW = attemptAt(T0 + 100);
const MANY = Array.from({ length: 20 }, (_, index) => holderOf({ id: `h${index}`, token: T0 + index }));
const ALL = { ids: undefined };

/** As if others had come and gone since, more than the record remembers. */
function later(record: LockRecord): LockRecord {
  const recent = Array.from({ length: 8 }, (_, index) => turnOf({ id: `later ${index}`, token: T0 + 100 + index }));
  return { ...record, recent };
}

function reasons(record: LockRecord): readonly string[] {
  return MANY.map(({ token }) => reasonOfLoss(record, token));
}

it("tells each of many holders that it was ended by force, also when others have come and gone since", () => {
  const forced = written(forceRelease(recordOf({ limit: 20, holders: MANY }), ALL, NOW));
  expect(new Set(reasons(forced))).toEqual(new Set(["force-released"]));
  expect(new Set(reasons(later(forced)))).toEqual(new Set(["force-released"]));
});

it("tells each of many holders that its lock was deleted, also when it has been taken since", () => {
  const command = { owner: undefined, restMs: 0 };
  const { deleted, ...taken } = written(deleteLock(recordOf({ limit: 20, holders: MANY }), command, NOW));
  expect(deleted).toBe(true);
  expect(new Set(reasons(later(taken)))).toEqual(new Set(["deleted"]));
});

it("does not tell a holder of force that was not ended by it: one taken over before, or one that was spared", () => {
  const [gone, spared, ...others] = MANY;
  const held = recordOf({ limit: 20, holders: MANY.slice(1), recent: [] });
  const ids = new Set(others.map(({ id }) => id));
  const forced = later(written(forceRelease(held, { ids }, NOW)));
  expect(reasonOfLoss(forced, gone?.token ?? 0)).toBe("taken-over");
  expect(reasonOfLoss(forced, spared?.token ?? 0)).toBe("taken-over");
});

it("believes the turn that the record remembers before anything else", () => {
  const record = recordOf({
    recent: [turnOf({ token: 5, ended: "expired" })],
    cutShort: { forced: { untilMs: T0 + 9000, tokens: [5] } },
  });
  expect(reasonOfLoss(record, 5)).toBe("taken-over");
});

it("remembers for as long as the longest lease may last, and not longer", () => {
  const holders = [holderOf({ id: "a", leaseMs: 1000 }), holderOf({ id: "b", leaseMs: 5000, token: T0 + 1 })];
  const cutShort = withCuts(recordOf(), holders, "forced", NOW);
  expect(cutShort).toEqual({ forced: { untilMs: T0 + 5100, tokens: [T0, T0 + 1] } });
  expect(rememberedCuts(cutShort, attemptAt(T0 + 5100))).toEqual(cutShort);
  expect(rememberedCuts(cutShort, attemptAt(T0 + 5101))).toBeUndefined();
  const unsure = attemptAt(T0, { now: { earliestMs: T0 + 5100, latestMs: T0 + 6000 } });
  expect(rememberedCuts(cutShort, unsure)).toEqual(cutShort);
  const both = { ...cutShort, deleted: { untilMs: T0 + 9000, tokens: [7] } };
  expect(rememberedCuts(both, attemptAt(T0 + 5101))).toEqual({ deleted: both.deleted });
  expect(rememberedCuts(undefined, NOW)).toBeUndefined();
});

it("is kept by every write until then, and not written any more after that", () => {
  const forced = written(forceRelease(recordOf({ limit: 20, holders: MANY }), ALL, NOW));
  const kept = nextVersion(forced, attemptAt(T0 + 10_100), {});
  expect(kept.cutShort).toEqual(forced.cutShort);
  expect(nextVersion(kept, attemptAt(T0 + 10_101), {})).not.toHaveProperty("cutShort");
});

it("adds to what is remembered, the newest first, and forgets the oldest when that is too much", () => {
  const first = withCuts(recordOf(), MANY, "forced", NOW);
  const short = [holderOf({ token: 1, leaseMs: 10 })];
  const second = withCuts(recordOf({ cutShort: first }), short, "forced", attemptAt(T0 + 200));
  expect(second.forced).toEqual({ untilMs: T0 + 10_100, tokens: [1, ...MANY.map(({ token }) => token)] });
  expect(withCuts(recordOf({ cutShort: first }), short, "deleted", NOW)).toEqual({
    ...first,
    deleted: { untilMs: T0 + 110, tokens: [1] },
  });
  const full = { forced: { untilMs: T0, tokens: Array.from({ length: CUTS_MAX }, (_, index) => T0 + index) } };
  const { forced } = withCuts(recordOf({ cutShort: full }), short, "forced", NOW);
  expect(forced?.tokens).toEqual([1, ...full.forced.tokens.slice(0, -1)]);
});

it("has room for all holders of a record in 6 KB, and remembers nothing where it was not held", () => {
  const tokens = Array.from({ length: CUTS_MAX }, (_, index) => T0 + index);
  const cuts = { untilMs: T0, tokens };
  const size = (record: LockRecord) => serializeRecord(record).length;
  expect(size(recordOf({ cutShort: { forced: cuts, deleted: cuts } })) - size(recordOf())).toBeLessThan(6144);
  expect(written(deleteLock(recordOf(), { owner: undefined, restMs: 900_000_000 }, NOW))).not.toHaveProperty(
    "cutShort",
  );
});

it("says how a hold was cut short, and nothing of others", () => {
  const record = recordOf({
    cutShort: { forced: { untilMs: T0, tokens: [1] }, deleted: { untilMs: T0, tokens: [2] } },
  });
  expect([1, 2, 3].map((token) => cutOf(record, token))).toEqual(["forced", "deleted", undefined]);
  expect(cutOf(recordOf(), 1)).toBeUndefined();
});

it("is read again as it was written, with what a later version may add; what is of another shape is not a record", () => {
  const cuts = { untilMs: T0 + 10, tokens: [1, 2] };
  const record = { ...recordOf(), cutShort: { forced: cuts, later: { color: "red" } } };
  const parsed = parseRecord(serializeRecord(record));
  expect(parsed).toEqual({ kind: "record", record });
  expect(nextVersion(record, attemptAt(T0 + 11), {}).cutShort).toEqual({ later: { color: "red" } });
  const bad = { ...recordOf(), cutShort: { forced: { untilMs: T0 } } } as unknown as LockRecord;
  expect(parseRecord(serializeRecord(bad))).toMatchObject({
    kind: "corrupt",
    problem: expect.stringContaining("`cutShort`"),
  });
});
