import { expect, it } from "vitest";
import { attemptAt, commandOf, ENTRY, holderOf, recordOf, T0, written } from "../../../test/protocol/samples.js";
import { parseRecord, serializeRecord } from "../codec.js";
import { reportOf } from "../report.js";
import { acquire } from "./acquire.js";
import { owedMs } from "./hold-at-least.js";
import { cancel, forceRelease, release } from "./release.js";
import { cleanup } from "./remove.js";
import { renew } from "./renew.js";
import { restore } from "./restore.js";
import { transfer } from "./transfer.js";

const MINUTE = 60_000;
const at = (ms: number, changes = {}) => attemptAt(T0 + ms, { writeId: `write at ${ms}`, ...changes });
const granted = (holdAtLeastMs: number | undefined, leaseMs = 10_000) =>
  written(
    acquire(
      undefined,
      commandOf({ id: "me", leaseMs, ...(holdAtLeastMs === undefined ? {} : { holdAtLeastMs }) }),
      at(0),
    ),
  );
const ME = { id: "me" };
const OTHER = commandOf({ id: "other", sinceMs: T0 + 100, entry: ENTRY });

it("P19: grants a lease that lasts at least as long, so that the record says so whatever becomes of the process", () => {
  expect(granted(MINUTE).holders).toMatchObject([{ holdAtLeastMs: MINUTE, leaseMs: MINUTE, expiresAtMs: T0 + MINUTE }]);
  expect(granted(5000).holders).toMatchObject([{ holdAtLeastMs: 5000, leaseMs: 10_000, expiresAtMs: T0 + 10_000 }]);
  for (const none of [0, undefined]) {
    expect(granted(none).holders[0]).not.toHaveProperty("holdAtLeastMs");
    expect(granted(none).holders).toMatchObject([{ leaseMs: 10_000 }]);
  }
});

it("P19: renews for what is left of it, and for a lease once that is longer", () => {
  const renewed = (ms: number) =>
    written(renew(granted(MINUTE), { id: "me", token: T0, leaseMs: 10_000, onlyUnexpired: false }, at(ms))).holders[0];
  expect(renewed(20_000)).toMatchObject({ leaseMs: 40_000, expiresAtMs: T0 + MINUTE, acquiredAtMs: T0 });
  expect(renewed(55_000)).toMatchObject({ leaseMs: 10_000, expiresAtMs: T0 + 65_000, holdAtLeastMs: MINUTE });
});

it("P19: counts by what has passed for certain, where bounds are an hour wide after one wrong answer", () => {
  const wide = { earliestMs: T0 + 1000, latestMs: T0 + 3_600_000 };
  const { change } = release(granted(MINUTE), ME, at(1000, { now: wide }));
  expect(written({ change }).holders).toMatchObject([{ id: "me", leaseMs: 59_000, expiresAtMs: T0 + 3_659_000 }]);
});

it("P19: stays when it is given back before, unrenewed, and its turn is over when its time is", () => {
  const { reply, change } = release(granted(MINUTE), ME, at(1000));
  expect(reply).toMatchObject({ kind: "released", holders: [{ id: "me" }] });
  const resting = written({ change });
  const entry = {
    id: "me",
    releasedAtMs: T0 + 1000,
    renewedAtMs: T0 + 1000,
    leaseMs: 59_000,
    expiresAtMs: T0 + MINUTE,
  };
  expect(resting.holders).toMatchObject([{ ...entry, acquiredAtMs: T0, leaseWriteId: "write at 1000" }]);
  expect(resting.recent).toEqual([]);
  expect(parseRecord(serializeRecord(resting))).toEqual({ kind: "record", record: resting });
  // Again, as after a lost answer: it is done.
  expect(release(resting, ME, at(2000))).toEqual({ reply: { kind: "released", holders: [] } });
  expect(acquire(resting, OTHER, at(61_000)).reply).toMatchObject({ kind: "waiting" });
  const next = written(acquire(resting, OTHER, at(61_001)));
  expect(next.holders).toMatchObject([{ id: "other" }]);
  expect(next.recent).toMatchObject([{ id: "me", ended: "released", toMs: T0 + MINUTE }]);
  expect(release(next, ME, at(62_000))).toEqual({ reply: { kind: "released", holders: [] } });
});

it("P19: is given back for good once it was held for long enough, or where no work was done under it", () => {
  const done = written(release(granted(MINUTE), ME, at(MINUTE)));
  expect(done).toMatchObject({ holders: [], recent: [{ id: "me", ended: "released" }] });
  expect(written(release(granted(MINUTE), ME, at(MINUTE - 1))).holders).toMatchObject([{ leaseMs: 1 }]);
  expect(written(release(granted(MINUTE), { ...ME, isUnused: true }, at(1000))).holders).toEqual([]);
  expect(written(release(granted(undefined), ME, at(1000))).holders).toEqual([]);
});

it("P19: lets the next of the same process wait like all others, in the same write", () => {
  const { reply, change } = transfer(granted(MINUTE), { from: ME, to: OTHER }, at(1000));
  expect(reply).toMatchObject({ from: { kind: "released" }, to: { kind: "waiting", enqueued: true } });
  expect(written({ change })).toMatchObject({
    holders: [{ id: "me", releasedAtMs: T0 + 1000 }],
    queue: [{ id: "other" }],
  });
});

it("P19: a clean-up after a loss leaves it for its time as well, and takes it out where it was never used", () => {
  const command = { id: "me", mustChange: false };
  expect(written(cancel(granted(MINUTE), command, at(1000))).holders).toMatchObject([{ releasedAtMs: T0 + 1000 }]);
  expect(written(cancel(granted(MINUTE), { ...command, isUnused: true }, at(1000))).holders).toEqual([]);
  const resting = written(release(granted(MINUTE), ME, at(1000)));
  expect(cancel(resting, command, at(2000))).toEqual({ reply: { kind: "cancelled" } });
  const changed = written(cancel(resting, { ...command, mustChange: true }, at(2000)));
  expect(changed).toMatchObject({ holders: resting.holders, writeId: "write at 2000" });
});

const RESTORING = {
  from: { id: "me", token: T0, writeIds: ["write at 0"] },
  ...{ id: "new", owner: "o", leaseMs: 10_000, identity: {} },
};

it("P19: nothing renews it or goes on with it once it was given back; force ends it", () => {
  const resting = written(release(granted(MINUTE), ME, at(1000)));
  const gone = { reply: { kind: "gone", reason: "released" } };
  expect(renew(resting, { id: "me", token: T0, leaseMs: 10_000, onlyUnexpired: false }, at(2000))).toEqual(gone);
  expect(restore(resting, RESTORING, at(2000))).toEqual(gone);
  const forced = written(forceRelease(resting, { ids: undefined }, at(2000)));
  expect(forced).toMatchObject({ holders: [], recent: [{ id: "me", ended: "forced", toMs: T0 + 2000 }] });
});

it("P19: goes with a hold that is handed over", () => {
  const restored = written(restore(granted(MINUTE), RESTORING, at(20_000)));
  expect(restored.holders).toMatchObject([{ id: "new", holdAtLeastMs: MINUTE, leaseMs: 40_000, acquiredAtMs: T0 }]);
  expect(written(release(restored, { id: "new" }, at(30_000))).holders).toMatchObject([{ expiresAtMs: T0 + MINUTE }]);
});

it("P19: takes up one permit, and leaves the others", () => {
  const both = recordOf({ limit: 2, holders: [holderOf({ id: "me", holdAtLeastMs: MINUTE }), holderOf({ id: "b" })] });
  const one = written(release(both, ME, at(1000)));
  expect(one.holders.map(({ id }) => id)).toEqual(["me", "b"]);
  const other = written(release(one, { id: "b" }, at(2000)));
  expect(acquire(other, { ...OTHER, limit: 2 }, at(3000)).reply).toMatchObject({ kind: "granted" });
});

it("P19: counts from the release where the store tells no time, and never for longer than was asked for", () => {
  const holder = holderOf({ holdAtLeastMs: MINUTE });
  expect(owedMs(holder, at(20_000))).toBe(40_000);
  expect(owedMs(holder, at(-3_600_000))).toBe(MINUTE);
  expect(owedMs(holder, at(20_000, { lacksStoreTime: true }))).toBe(MINUTE);
  expect(owedMs({ ...holder, undated: true }, at(20_000))).toBe(MINUTE);
  expect(owedMs(holderOf(), at(0, { lacksStoreTime: true }))).toBe(0);
});

it("P19: one that was not dated counts from the moment at which it is", () => {
  const wrong = { acquiredAtMs: T0 - 3_600_000, undated: true as const };
  const holder = holderOf({ id: "me", holdAtLeastMs: MINUTE, ...wrong });
  const held = recordOf({ holders: [holder] });
  const renewed = written(renew(held, { id: "me", token: T0, leaseMs: 10_000, onlyUnexpired: false }, at(1000)));
  expect(renewed.holders).toMatchObject([{ acquiredAtMs: T0 + 1000, expiresAtMs: T0 + 1000 + MINUTE }]);
  expect(renewed.holders[0]).not.toHaveProperty("undated");
  const seen = written(acquire(held, OTHER, at(1000)));
  expect(seen.holders).toMatchObject([{ acquiredAtMs: T0 + 1000 }]);
  const resting = written(release(held, ME, at(1000)));
  expect(resting.holders).toMatchObject([{ expiresAtMs: T0 + 1000 + MINUTE, releasedAtMs: T0 + 1000 }]);
  expect(resting.holders[0]).not.toHaveProperty("undated");
  // One that need not last keeps the moment at which its holder thinks it came.
  const plain = recordOf({ holders: [holderOf({ id: "me", ...wrong })] });
  const command = { id: "me", token: T0, leaseMs: 10_000, onlyUnexpired: false };
  expect(written(renew(plain, command, at(1000))).holders).toMatchObject([{ acquiredAtMs: T0 - 3_600_000 }]);
  const dated = recordOf({ holders: [{ ...holder, undated: undefined } as never] });
  expect(written(renew(dated, command, at(1000))).holders).toMatchObject([{ acquiredAtMs: T0 - 3_600_000 }]);
  // Nor is one dated where the store tells no time.
  const untold = written(renew(held, command, at(1000, { lacksStoreTime: true })));
  expect(untold.holders).toMatchObject([{ acquiredAtMs: T0 - 3_600_000, leaseMs: MINUTE, undated: true }]);
});

it("P19: reads as held and given back, then as free, and never as a hold that is not renewed", () => {
  const resting = written(release(granted(MINUTE), ME, at(1000)));
  const report = (ms: number) => reportOf(resting, { lockName: "x", key: "x.json", now: at(ms).now });
  expect(report(2000)).toMatchObject({ state: "held", holders: [{ releasedAt: T0 + 1000, expiresAt: T0 + MINUTE }] });
  expect(report(MINUTE + 1)).toMatchObject({ state: "free", holders: [] });
  const held = reportOf(granted(MINUTE), { lockName: "x", key: "x.json", now: at(MINUTE + 1).now });
  expect(held).toMatchObject({ state: "expired", holders: [{ acquisitionId: "me" }] });
  expect(held.holders[0]).not.toHaveProperty("releasedAt");
});

it("P19: a sweep frees it when its time is over, as a turn that was given back", () => {
  const resting = written(release(granted(MINUTE), ME, at(1000)));
  const command = { olderThanMs: undefined, includeReleased: false, restMs: 0 };
  expect(cleanup(resting, command, at(MINUTE)).reply).toEqual({ kind: "kept" });
  expect(written(cleanup(resting, command, at(MINUTE + 1))).recent).toMatchObject([{ ended: "released" }]);
  const died = written(cleanup(granted(MINUTE), command, at(MINUTE + 1)));
  expect(died.recent).toMatchObject([{ ended: "expired" }]);
});
