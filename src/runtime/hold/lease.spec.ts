import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { LEASE_MS, leased } from "../../../test/protocol/leases.js";
import { S3MutexError } from "../../errors.js";

const USABLE_MS = 9800;
const down = () => Promise.reject(new S3MutexError("store-unavailable", "down"));
const never = () => new Promise<never>(() => {});

describe("a lease that is kept", () => {
  it("is renewed after each third of its length, and counts from each renewal", async () => {
    const { lease, clockwork, calls, names, events } = leased();
    const first = lease.holder;
    lease.keep();
    await clockwork.pass(3333);
    expect(calls.renew).toHaveLength(0);
    await clockwork.pass(1);
    expect(calls.renew).toHaveLength(1);
    expect(calls.renew[0]?.command).toMatchObject({ id: "me", token: 7, leaseMs: LEASE_MS, onlyUnexpired: false });
    const isOver = calls.renew[0]?.command.isOverHere;
    const told = { now: { earliestMs: 0, latestMs: 0 } };
    const asked = [lease.holder, { ...lease.holder, id: "another" }, { ...first, leaseWriteId: "a twin's" }];
    expect(asked.map((holder) => isOver?.(holder, told))).toEqual([false, undefined, undefined]);
    expect(lease.remainingMs).toBeGreaterThan(USABLE_MS - 2);
    expect(lease.holder.leaseWriteId).toBe("w1");
    const { expiresAtMs: expiresAt } = lease.holder;
    expect(events).toEqual([["renewed", { lockName: "x", acquisitionId: "me", fencingToken: 7, expiresAt }]]);
    await clockwork.pass(100_000);
    expect(calls.renew.length).toBeGreaterThanOrEqual(30);
    expect(calls.renew.length).toBeLessThanOrEqual(31);
    expect(lease.isHeld).toBe(true);
    expect(new Set(names())).toEqual(new Set(["renewed"]));
  });

  it("looks at its clocks each second: a machine that slept renews when it wakes", async () => {
    const { lease, clockwork, calls } = leased();
    lease.keep();
    expect(clockwork.pendingMs).toEqual([1000]);
    clockwork.wallMs += 5000;
    await clockwork.pass(1000);
    expect(lease.isHeld).toBe(true);
    clockwork.wallMs += 60_000;
    await clockwork.pass(1000);
    expect(calls.renew).toHaveLength(1);
    expect(lease.remainingMs).toBeGreaterThan(0);
  });

  it("asks the store at once, and once, where its clocks begin to disagree", async () => {
    const { lease, localQueue, calls, clockwork } = leased();
    localQueue.renew = never;
    lease.keep();
    clockwork.wallMs += 60_000;
    expect([lease.isHeld, lease.remainingMs]).toEqual([false, 0]);
    expect(calls.renew).toHaveLength(1);
    expect(() => lease.assertHeld()).toThrow("is not known to be held at this moment");
    expect(lease.loss).toBeUndefined();
  });

  it("asks nothing where it is not kept", () => {
    const { lease, calls, clockwork } = leased();
    clockwork.wallMs += 60_000;
    expect(lease.isHeld).toBe(false);
    expect(calls.renew).toHaveLength(0);
  });
});

describe("a renewal that fails", () => {
  it("is mentioned, and tried again after a ninth of the lease", async () => {
    const { lease, localQueue, clockwork, calls, warnings } = leased();
    localQueue.renew = down;
    lease.keep();
    await clockwork.pass(3334);
    const said = { err: expect.objectContaining({ message: "down" }) };
    expect(warnings).toEqual([[expect.stringContaining('renewing "x" failed and is tried again'), said]]);
    await clockwork.pass(1110);
    expect(calls.renew).toHaveLength(1);
    await clockwork.pass(1);
    expect(calls.renew).toHaveLength(2);
    expect(lease.isHeld).toBe(true);
  });

  it("again and again loses the lock at its end: not reached, with what was seen last as the cause", async () => {
    const { lease, localQueue, clockwork, ends, names, calls } = leased();
    localQueue.renew = down;
    lease.keep();
    await clockwork.pass(USABLE_MS - 1);
    expect(lease.isHeld).toBe(true);
    await clockwork.pass(1);
    expect(lease.loss).toMatchObject({ code: "lost", reason: "store-unavailable", cause: { message: "down" } });
    expect(lease.signal.aborted).toBe(true);
    expect(ends).toEqual(["end"]);
    expect(names()).toEqual(["lost"]);
    expect(calls.cancel).toHaveLength(1);
    expect(() => lease.assertHeld()).toThrow("could not be reached");
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("that hangs does not keep the loss from being noticed in time", async () => {
    const { lease, localQueue, clockwork } = leased();
    localQueue.renew = never;
    lease.keep();
    await clockwork.pass(USABLE_MS);
    expect(lease.loss?.reason).toBe("store-unavailable");
  });

  it("that hangs is not why the lease ran out where the process stood still", async () => {
    const { lease, localQueue, clockwork } = leased();
    localQueue.renew = never;
    lease.keep();
    await clockwork.pass(USABLE_MS - 1);
    clockwork.monotonicMs += 1001;
    expect(() => lease.assertHeld()).toThrow("its lease ran out");
  });

  it("tells of each failed try what it was, for the loss that may follow", async () => {
    const { lease, localQueue, clockwork, calls } = leased();
    localQueue.renew = never;
    lease.keep();
    await clockwork.pass(4000);
    calls.renew[0]?.options.onFailure?.(new S3MutexError("access-denied", "denied"), false);
    await clockwork.pass(USABLE_MS);
    expect(lease.loss).toMatchObject({ reason: "store-unavailable", cause: { message: "denied" } });
  });
});

describe("a renewal that fails late", () => {
  function underWay() {
    const stage = leased();
    let fail = () => {};
    stage.localQueue.renew = () =>
      new Promise((_, reject) => {
        fail = () => reject(new S3MutexError("store-unavailable", "down"));
      });
    stage.lease.keep();
    return { ...stage, fail: () => fail() };
  }

  it("is mentioned once, however often it was looked at meanwhile, and however the clocks disagreed", async () => {
    const beside = underWay();
    await beside.clockwork.pass(1700);
    beside.lease.renewIfDueSoon();
    beside.lease.renewIfDueSoon();
    beside.fail();
    await settled();
    expect(beside.warnings).toHaveLength(1);
    const doubted = underWay();
    await doubted.clockwork.pass(3334);
    doubted.clockwork.wallMs += 60_000;
    expect(doubted.lease.isHeld).toBe(false);
    doubted.fail();
    await settled();
    expect(doubted.calls.renew).toHaveLength(1);
    expect(doubted.warnings).toHaveLength(1);
  });

  it("just at the end, before any timer could come, has lost the lock: nothing is tried again", async () => {
    const { lease, clockwork, warnings, fail, calls } = underWay();
    await clockwork.pass(3334);
    clockwork.monotonicMs += USABLE_MS - 3334;
    fail();
    await settled();
    expect(lease.loss).toMatchObject({ reason: "store-unavailable", cause: { message: "down" } });
    expect(warnings).toEqual([["a lock was lost", expect.anything()]]);
    await clockwork.pass(LEASE_MS);
    expect(calls.renew).toHaveLength(1);
  });

  it("is nothing to one that is released in the same turn", async () => {
    const { lease, clockwork, warnings, names, fail } = underWay();
    // The caller learns first that the renewal has failed, and releases before the lease looks at it.
    lease.renew().catch(() => lease.release());
    await clockwork.pass(3334);
    fail();
    await settled();
    expect(names()).toEqual(["released"]);
    expect(warnings).toEqual([]);
    expect(clockwork.pendingMs).toEqual([]);
  });
});

describe("a renewal that has failed", () => {
  it("long ago is not the cause of a loss after one that succeeded", async () => {
    const { lease, localQueue, clockwork, renewed } = leased();
    localQueue.renew = down;
    lease.keep();
    await clockwork.pass(3400);
    localQueue.renew = async () => renewed();
    await clockwork.pass(1200);
    localQueue.renew = never;
    await clockwork.pass(LEASE_MS);
    expect(lease.loss).toMatchObject({ reason: "store-unavailable" });
    expect(lease.loss?.cause).toBeUndefined();
  });

  it("because it was stopped is not a failure", async () => {
    const { lease, localQueue, warnings } = leased();
    const gate = new AbortController();
    localQueue.renew = () =>
      new Promise((_, reject) => gate.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    const renewing = lease.renew();
    const releasing = lease.release();
    gate.abort();
    expect(await renewing).toBe(false);
    expect(await releasing).toBe(true);
    expect(await lease.renew()).toBe(false);
    expect(warnings).toEqual([]);
    await expect(Object.assign(leased(), { localQueue }).lease.renew()).resolves.toBe(true);
  });

  it("is told to the caller that has asked for it", async () => {
    const { lease, localQueue } = leased();
    localQueue.renew = down;
    await expect(lease.renew()).rejects.toThrow("down");
  });
});

describe("a renewal", () => {
  it("is one for all who ask at the same time", async () => {
    const { lease, calls } = leased();
    expect(await Promise.all([lease.renew(), lease.renew()])).toEqual([true, true]);
    expect(calls.renew).toHaveLength(1);
    await lease.renew();
    expect(calls.renew).toHaveLength(2);
  });

  it("that finds it gone loses it, for the reason that it finds", async () => {
    const { lease, localQueue, names, calls } = leased();
    localQueue.renew = async () =>
      ({ reply: { kind: "gone", reason: "released" } }) as Awaited<ReturnType<typeof localQueue.renew>>;
    expect(await lease.renew()).toBe(false);
    expect(lease.loss?.reason).toBe("force-released");
    expect(names()).toEqual(["lost"]);
    expect(calls.cancel).toHaveLength(1);
  });

  it("by a write whose time is not known changes nothing", async () => {
    const { lease, localQueue, holder, clockwork, names } = leased();
    localQueue.renew = async () =>
      ({ reply: { kind: "renewed", holder: { ...holder, leaseWriteId: "unknown" } } }) as Awaited<
        ReturnType<typeof localQueue.renew>
      >;
    await clockwork.pass(1000);
    expect(await lease.renew()).toBe(true);
    expect(lease.remainingMs).toBe(USABLE_MS - 1000);
    expect(names()).toEqual([]);
  });

  it("whose answer comes after the end says nothing", async () => {
    const { lease, localQueue, renewed, names } = leased();
    let answer = () => {};
    localQueue.renew = () =>
      new Promise((resolve) => {
        answer = () => resolve(renewed());
      });
    const renewing = lease.renew();
    lease.lose("taken-over");
    answer();
    expect(await renewing).toBe(false);
    expect(names()).toEqual(["lost"]);
  });

  it.each([USABLE_MS, LEASE_MS + 5000])(
    "whose answer comes %i ms after it was asked has kept nothing",
    async (lateMs) => {
      const { lease, localQueue, clockwork, renewed, names, calls } = leased();
      localQueue.renew = async () => {
        const answer = renewed();
        await clockwork.pass(lateMs);
        return answer;
      };
      expect(await lease.renew()).toBe(false);
      expect([lease.loss?.code, names(), calls.renew.length]).toEqual(["lost", ["lost"], 1]);
    },
  );

  it("is made again where the wall clock was set meanwhile", async () => {
    const { lease, localQueue, clockwork, renewed, names, calls } = leased();
    localQueue.renew = async () => {
      const answer = renewed();
      if (calls.renew.length === 1) clockwork.wallMs += 3_600_000;
      return answer;
    };
    expect(await lease.renew()).toBe(true);
    expect([lease.loss, names(), calls.renew.length]).toEqual([undefined, ["renewed"], 2]);
  });

  it("may be one that makes a share of the whole: others are told, and it comes after one that is under way", async () => {
    const { lease, calls } = leased();
    const renewing = lease.renew();
    expect(await lease.downgrade()).toBe(true);
    expect(await renewing).toBe(true);
    expect(calls.renew.map(({ command }) => command.mode)).toEqual([undefined, "shared"]);
    expect(calls.renew[0]?.command).not.toHaveProperty("mode");
    expect(calls.renew[1]?.command.onlyUnexpired).toBe(false);
    expect(lease.holder.mode).toBe("shared");
    expect(calls.changed).toBe(1);
  });
});
