import fc from "fast-check";
import { expect, it } from "vitest";
import { anyHolder } from "../../test/protocol/arbitraries.js";
import { holderOf, recordOf, T0, waiterOf } from "../../test/protocol/samples.js";
import { areCompatible, findHolder, identityOf, isCopys, isListed, type Mode, mirrorOf } from "./record.js";

const claims = fc.array(
  fc.record(
    { mode: fc.constantFrom<Mode>("exclusive", "shared"), permits: fc.integer({ min: 1, max: 3 }) },
    { requiredKeys: ["mode"] },
  ),
  { maxLength: 6 },
);

it("lets readers share with any number of readers, and counts all other permits against the limit", () => {
  fc.assert(
    fc.property(claims, fc.integer({ min: 1, max: 5 }), (held, limit) => {
      const writers = held.filter(({ mode }) => mode === "exclusive");
      const taken = writers.reduce((sum, { permits }) => sum + (permits ?? 1), 0);
      const expected = writers.length === 0 || (writers.length === held.length && taken <= limit);
      expect(areCompatible(held, limit)).toBe(expected);
    }),
  );
});

it("shows 1.x the holder that holds longest, with its last renewal as `acquiredAt`", () => {
  const first = holderOf({ id: "a", expiresAtMs: T0 + 5000 });
  const last = holderOf({ id: "b", expiresAtMs: T0 + 9000, renewedAtMs: T0 + 4000, priority: 3 });
  const mirror = { locked: true, owner: "owner of b", acquiredAt: T0 + 4000, expiresAt: T0 + 9000, priority: 3 };
  expect(mirrorOf([first, last])).toEqual(mirror);
  expect(mirrorOf([last, first])).toEqual(mirror);
});

it("shows 1.x the first of the holders that hold equally long: a choice of another would look like a write of 1.x", () => {
  const [first, second] = [holderOf({ id: "a" }), holderOf({ id: "b" })];
  expect(mirrorOf([first, second])).toMatchObject({ owner: "owner of a" });
  expect(mirrorOf([second, first])).toMatchObject({ owner: "owner of b" });
});

it("shows 1.x a lock with a holder as held, and one without as free", () => {
  fc.assert(
    fc.property(fc.array(anyHolder, { maxLength: 4 }), (holders) => {
      const mirror = mirrorOf(holders);
      expect(mirror.locked).toBe(holders.length > 0);
      if (mirror.locked) expect(mirror.expiresAt).toBe(Math.max(...holders.map(({ expiresAtMs }) => expiresAtMs)));
    }),
  );
});

it("finds a holder by its acquisition's id alone", () => {
  const holder = holderOf({ id: "a", owner: "b" });
  expect(findHolder(recordOf({ holders: [holder] }), "a")).toBe(holder);
  expect(findHolder(recordOf({ holders: [holder] }), "b")).toBeUndefined();
  expect(findHolder(undefined, "a")).toBeUndefined();
});

it("lists holders and waiters, and none where there is no record", () => {
  const record = recordOf({ holders: [holderOf({ id: "a" })], queue: [waiterOf({ id: "b" }), waiterOf({ id: "c" })] });
  for (const id of ["a", "b", "c"]) expect(isListed(record, id), id).toBe(true);
  expect(isListed(record, "owner of a")).toBe(false);
  expect(isListed(undefined, "a")).toBe(false);
});

it("says of a party what is known, and has no field for what is not", () => {
  const identity = fc.record(
    { host: fc.string(), pid: fc.nat(), label: fc.string() },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(identity, (known) => {
      expect(identityOf(known)).toStrictEqual(known);
      expect(identityOf(holderOf(known))).toStrictEqual(known);
    }),
  );
});

it("takes a hold for a copy's only if it is its own, by handle, and was written by others", () => {
  const isOwn = (writeId: string) => writeId === "mine";
  const hold = holderOf({ id: "a", leaseWriteId: "theirs" });
  expect(isCopys(hold, { id: "a", isOwn })).toBe(true);
  expect(isCopys({ ...hold, leaseWriteId: "mine" }, { id: "a", isOwn })).toBe(false);
  expect(isCopys(hold, { id: "b", isOwn })).toBe(false);
  expect(isCopys({ ...hold, via: "name" }, { id: "a", isOwn })).toBe(false);
  expect(isCopys(hold, { id: "a" })).toBe(false);
});
