import fc from "fast-check";
import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, turnOf, waiterOf } from "../../test/protocol/samples.js";
import {
  asOne,
  CAPACITY,
  firstTooWide,
  hasOtherShares,
  isOneOfSeveral,
  laterParts,
  nextToken,
  numberIn,
  numberOf,
  roomIn,
  shareIn,
  sharesOf,
  type Use,
  withShare,
} from "./shares.js";

const SMALL = { inOne: 4, share: 3, records: 5 };
const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);
/** What has to be given back before a waiter can be let in, or could be let in: per record, the larger of both. */
const spoken = (limits: readonly number[], uses: readonly Use[]) =>
  sum(limits.map((limit, part) => Math.max(limit, uses[part]?.inUse ?? 0)));

it("gives a new semaphore as many records as it needs, with shares that are as equal as they can be", () => {
  expect(sharesOf([], 1000, CAPACITY)).toEqual(Array.from({ length: 20 }, () => 50));
  expect(sharesOf([], 101, CAPACITY)).toEqual([34, 34, 33]);
  expect(sharesOf([], 100_000, CAPACITY)).toEqual(Array.from({ length: 40 }, () => 2500));
  expect(sharesOf([], 1, { inOne: 0, share: 1, records: 4 })).toEqual([1]);
});

it("fills the smallest shares up, and leaves the others as they are", () => {
  const uses = [100, 10, 0, 0].map((limit) => ({ limit, inUse: 0 }));
  expect(sharesOf(uses, 150, { inOne: 9, share: 50, records: 9 })).toEqual([100, 25, 25, 0]);
  expect(sharesOf(uses, 200, { inOne: 9, share: 50, records: 9 })).toEqual([100, 33, 34, 33]);
  expect(sharesOf([{ limit: 5, inUse: 0 }], 8, SMALL)).toEqual([5, 2, 1]);
  const uneven = [9, 3, 0].map((limit) => ({ limit, inUse: 0 }));
  expect(sharesOf(uneven, 33, { inOne: 9, share: 11, records: 3 })).toEqual([11, 11, 11]);
  expect(sharesOf(uneven, 12, SMALL)).toEqual([9, 3, 0, 0]);
});

it("takes unused permits first, from the last record on, and leaves the first one something", () => {
  const uses = [
    { limit: 5, inUse: 5 },
    { limit: 5, inUse: 1 },
    { limit: 5, inUse: 2 },
  ];
  expect(sharesOf(uses, 11, SMALL)).toEqual([5, 4, 2]);
  expect(sharesOf(uses, 9, SMALL)).toEqual([5, 2, 2]);
  expect(sharesOf(uses, 7, SMALL)).toEqual([5, 1, 1]);
  expect(sharesOf(uses, 1, SMALL)).toEqual([1, 0, 0]);
});

it("gives what grows to those first who have more out than their share", () => {
  const uses = [
    { limit: 2, inUse: 2 },
    { limit: 0, inUse: 3 },
  ];
  expect(sharesOf(uses, 4, SMALL)).toEqual([2, 2]);
  expect(sharesOf(uses, 6, SMALL)).toEqual([3, 3]);
});

const someUses = fc.array(fc.record({ limit: fc.nat(9), inUse: fc.nat(12) }), { minLength: 1, maxLength: 5 });

it("is the number, nowhere smaller or nowhere larger than before, and lets no waiter in for what is still out", () => {
  fc.assert(
    fc.property(someUses, fc.integer({ min: 1, max: 60 }), ([first, ...others], number) => {
      const uses = [{ limit: (first?.limit ?? 0) + 1, inUse: first?.inUse ?? 0 }, ...(others as Use[])];
      const before = uses.map(({ limit }) => limit);
      const after = sharesOf(uses, number, SMALL);
      expect(sum(after)).toBe(number);
      expect(after[0]).toBeGreaterThanOrEqual(1);
      expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
      expect(after.length).toBeGreaterThanOrEqual(before.length);
      const changes = after.map((share, part) => Math.sign(share - (before[part] ?? 0)));
      expect(changes.includes(1) && changes.includes(-1)).toBe(false);
      expect(spoken(after, uses)).toBeLessThanOrEqual(Math.max(number, spoken(before, uses)));
    }),
    { numRuns: 2000 },
  );
});

it("tells the room in a record: beside live holders, and beside its waiters", () => {
  const record = recordOf({
    limit: 5,
    holders: [holderOf({ id: "a", permits: 2 }), holderOf({ id: "dead", expiresAtMs: T0 - 1001 })],
    queue: [waiterOf({ id: "w" }), waiterOf({ id: "gone", expiresAtMs: T0 - 1 })],
  });
  const share = { part: 1, limit: 6, version: 1 };
  expect(roomIn(record, share, attemptAt(T0))).toBe(3);
  expect(roomIn(undefined, share, attemptAt(T0))).toBe(6);
});

it("finds the waiter that keeps a caller from permits which are free", () => {
  const waiters = [{ permits: 1, id: "a" }, { permits: 3, id: "b" }, { id: "c" }];
  const found = (free: number, permits: number) => firstTooWide(waiters, free, permits)?.id;
  expect([found(3, 1), found(3, 2), found(2, 1), found(3, 3), found(4, 1)]).toEqual([
    "b",
    "b",
    "b",
    undefined,
    undefined,
  ]);
  expect([found(0, 1), found(1, 1), found(3, 4), firstTooWide([], 2, 1)]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(firstTooWide([{ permits: 2 }, { id: "c" }], 2, 1)).toBeUndefined();
});

const shares = { version: 7, permits: [3, 2, 0] };
const anchor = recordOf({ limit: 3, shares });

it("knows which shares a record has", () => {
  expect(shareIn(shares, 1)).toEqual({ part: 1, version: 7, limit: 2 });
  expect(shareIn(shares, 9)).toEqual({ part: 9, version: 7, limit: 0 });
  const part = (sharesVersion: number) => recordOf({ limit: 2, sharesVersion });
  expect([hasOtherShares(anchor, shareIn(shares, 0)), hasOtherShares(recordOf(), shareIn(shares, 0))]).toEqual([
    false,
    true,
  ]);
  expect(hasOtherShares(undefined, shareIn(shares, 0))).toBe(true);
  expect([6, 7, 8].map((version) => hasOtherShares(part(version), shareIn(shares, 1)))).toEqual([false, false, true]);
  expect(hasOtherShares(undefined, shareIn(shares, 1))).toBe(false);
  expect(withShare(part(6), shareIn(shares, 1))).toMatchObject({ limit: 2, sharesVersion: 7 });
  expect(withShare(anchor, { ...shareIn(shares, 0), limit: 9 })).toBe(anchor);
  const level = part(7);
  expect(withShare(level, { ...shareIn(shares, 1), limit: 9 })).toBe(level);
  expect([anchor, part(1), recordOf()].map(isOneOfSeveral)).toEqual([true, true, false]);
  expect([numberIn(shares), numberOf(anchor), numberOf(recordOf({ limit: 4 }))]).toEqual([5, 5, 4]);
});

it("gives each record tokens of its own", () => {
  expect(nextToken(recordOf({ token: 5 }), 3)).toBe(6);
  expect(nextToken(recordOf({ token: 5 }), 9)).toBe(9);
  const next = (token: number, nowMs: number, part?: number) =>
    nextToken(recordOf({ token, sharesVersion: 1 }), nowMs, part);
  expect([next(0, 64, 0), next(0, 65, 0), next(0, 65, 3), next(67, 65, 3), next(66, 65, 3)]).toEqual([
    64, 128, 67, 131, 67,
  ]);
  // A holder that goes on stays among the tokens of its record.
  expect([next(67, 65), next(128, 65), nextToken({ ...anchor, token: 67 }, 65)]).toEqual([131, 192, 128]);
});

it("shows several records as one", () => {
  const one = recordOf({
    limit: 2,
    sharesVersion: 7,
    token: T0 + 9,
    touchedAtMs: T0 + 5,
    holders: [holderOf({ id: "b", token: T0 + 9 })],
    queue: [waiterOf()],
    recent: Array.from({ length: 8 }, (_, index) => turnOf({ id: `t${index}`, toMs: T0 - index })),
  });
  const all = asOne(
    { ...anchor, holders: [holderOf({ id: "a" })], recent: [turnOf({ id: "fifth", toMs: T0 - 3.5 })] },
    [one],
  );
  expect(all).toMatchObject({ limit: 5, token: T0 + 9, touchedAtMs: T0 + 5 });
  expect([all.holders.map(({ id }) => id), all.queue.length]).toEqual([["a", "b"], 1]);
  expect(all.recent.map(({ id }) => id)).toEqual(["t0", "t1", "t2", "t3", "fifth", "t4", "t5", "t6"]);
});

it("says which records there are besides the anchor", () => {
  expect(laterParts(undefined)).toEqual([]);
  expect(laterParts({ version: 1, permits: [50] })).toEqual([]);
  expect(laterParts({ version: 1, permits: [50, 50, 20] })).toEqual([1, 2]);
});
