import { expect, it } from "vitest";
import { attemptAt, holderOf, recordOf, T0, waiterOf } from "../../../test/protocol/samples.js";
import { type Holder, type LockRecord, MAX_QUEUE, type TurnEnd } from "../record.js";
import { leaseFrom, nextVersion, withTurns } from "./decision.js";

/** What becomes of a hold when the record is written ten seconds after the hold began. */
function afterWrite(changes: Partial<Holder>, lacksStoreTime = false): Holder | undefined {
  const record = recordOf({ holders: [holderOf({ leaseMs: 6000, ...changes })] });
  return nextVersion(record, attemptAt(T0 + 10_000, { lacksStoreTime }), {}).holders[0];
}

it("says of a lease that began without store time that it did", () => {
  expect(leaseFrom(6000, attemptAt(T0, { lacksStoreTime: true }))).toMatchObject({ undated: true });
  expect(leaseFrom(6000, attemptAt(T0))).not.toHaveProperty("undated");
});

it("dates a lease that began without store time: a whole one from now, and no earlier start than it said", () => {
  const holder = afterWrite({ undated: true, acquiredAtMs: T0 + 9_000_000, expiresAtMs: T0 + 9_006_000 });
  const times = { acquiredAtMs: T0 + 10_000, renewedAtMs: T0 + 10_000, expiresAtMs: T0 + 16_000 };
  expect(holder).toEqual(holderOf({ leaseMs: 6000, ...times }));
  expect(afterWrite({ undated: true, acquiredAtMs: T0 - 5000 })?.acquiredAtMs).toBe(T0 - 5000);
});

it("does not date one where there is no store time, nor one of 1.x", () => {
  const ends = { undated: true, expiresAtMs: T0 + 9_006_000 } as const;
  expect(afterWrite(ends, true)).toMatchObject(ends);
  expect(afterWrite({ ...ends, leaseWriteId: "1.x/web-1" })).toMatchObject(ends);
});

it("does not believe an end that is further away than the lease is long and clocks may differ", () => {
  const farthestMs = T0 + 10_000 + 6000 + 60_000;
  expect(afterWrite({ expiresAtMs: farthestMs })?.expiresAtMs).toBe(farthestMs);
  expect(afterWrite({ expiresAtMs: farthestMs + 1 })?.expiresAtMs).toBe(T0 + 16_000);
});

it("says of a version that was written without store time that it was, until a client that has it writes", () => {
  const undated = nextVersion(recordOf(), attemptAt(T0, { lacksStoreTime: true }), {});
  expect(undated.undated).toBe(true);
  expect(nextVersion(undated, attemptAt(T0), {})).not.toHaveProperty("undated");
});

it("carries proofs along as they are: a writer has not checked by that", () => {
  const proofs = [{ way: "here", atMs: T0 - 5000, versions: "none" as const }];
  expect(nextVersion(recordOf({ proofs }), attemptAt(T0 + 10_000), {}).proofs).toEqual(proofs);
});

const waiters = (count: number) => Array.from({ length: count }, (_, index) => waiterOf({ id: `w${index}` }));
const [reader, other, writer] = [
  holderOf({ id: "r", mode: "shared" }),
  holderOf({ id: "s", mode: "shared" }),
  holderOf({ id: "w" }),
];

it.each<[string, Partial<LockRecord>, Partial<LockRecord>]>([
  ["a fencing token that falls", { token: 8 }, { token: 7 }],
  [
    "a second holder",
    { holders: [holderOf({ id: "a" })] },
    { holders: [holderOf({ id: "a" }), holderOf({ id: "b" })] },
  ],
  ["a writer beside a reader", { holders: [reader] }, { holders: [reader, writer] }],
  ["a writer in the place of one of two readers", { holders: [reader, other] }, { holders: [reader, writer] }],
  [
    "two writers in the place of two readers",
    { holders: [reader, other] },
    { holders: [writer, holderOf({ id: "v" })] },
  ],
  ["more permits than there are", { limit: 2 }, { holders: [holderOf({ permits: 3 })] }],
  [
    "one holder more, where there are too many already",
    { limit: 1, holders: [holderOf({ id: "a" }), holderOf({ id: "b" })] },
    { holders: [holderOf({ id: "a" }), holderOf({ id: "b" }), holderOf({ id: "c" })] },
  ],
  ["a queue without end", { queue: waiters(MAX_QUEUE) }, { queue: waiters(MAX_QUEUE + 1) }],
])("makes no version with %s, whatever transition asks for it", (_, base, changes) => {
  expect(() => nextVersion(recordOf(base), attemptAt(T0), changes)).toThrow(/would/);
});

it.each<[string, Partial<LockRecord>, Partial<LockRecord>]>([
  ["the token that it had", { token: 8 }, { token: 8 }],
  ["readers side by side", { holders: [reader] }, { holders: [reader, other] }],
  ["one holder after the other", { holders: [writer] }, { holders: [reader] }],
  ["fewer permits than are out", { limit: 3, holders: [holderOf({ permits: 3 })] }, { limit: 1 }],
  [
    "one holder fewer, of more than there are permits for",
    { limit: 1, holders: [holderOf({ id: "a" }), holderOf({ id: "b" }), holderOf({ id: "c" })] },
    { holders: [holderOf({ id: "a" }), holderOf({ id: "b" })] },
  ],
  ["as many waiters as another program has let in", { queue: waiters(MAX_QUEUE + 2) }, {}],
  ["as many waiters as there may be", {}, { queue: waiters(MAX_QUEUE) }],
])("makes one with %s", (_, base, changes) => {
  expect(nextVersion(recordOf(base), attemptAt(T0), changes)).toMatchObject(changes);
});

it("remembers of holds only those that were cut short", () => {
  const record = recordOf({ holders: [holderOf()] });
  const remembered = (ended: readonly Holder[], how: TurnEnd) => withTurns(record, ended, how, attemptAt(T0)).cutShort;
  for (const how of ["forced", "deleted"] as const) {
    expect(Object.keys(remembered(record.holders, how) ?? {})).toEqual([how]);
    expect(remembered([], how)).toBeUndefined();
  }
  for (const how of ["released", "expired"] as const) expect(remembered(record.holders, how)).toBeUndefined();
});
