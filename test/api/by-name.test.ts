import { describe, expect } from "vitest";
import { codeOf, errorOf, freeRecord, heldRecord } from "./fixture.js";
import { it, type VirtualWorld } from "./virtual-world.js";

const LOCK = "resource";

describe.concurrent("releaseLock", () => {
  it("says whether a hold was ended", async (world) => {
    const mutex = world.mutex();
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    await mutex.acquireLock(LOCK);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it("never releases what another owner holds, nor what a handle holds", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    expect(await other.releaseLock(LOCK)).toBe(false);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
    await mutex.releaseLock(LOCK);

    const lock = await mutex.acquire(LOCK);
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    expect(lock.held).toBe(true);
    expect(world.holder(LOCK).token).toBe(lock.fencingToken);
    expect(await lock.release()).toBe(true);
  });

  it("never releases a handle's hold, also not of an instance with the same ownerId", async (world) => {
    const [mutex, twin] = [world.mutex({ ownerId: "shared" }), world.mutex({ ownerId: "shared" })];
    const lock = await mutex.acquire(LOCK);
    expect(await twin.releaseLock(LOCK)).toBe(false);
    expect(await twin.refreshLock(LOCK)).toBe(false);
    expect(await twin.deleteLock(LOCK)).toBe(false);
    expect(await twin.isOwnedByUs(LOCK)).toBe(true);
    expect(await lock.renew()).toBe(true);
    await lock.release();
  });

  it("with force ends whatever hold there is", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    expect(await other.releaseLock(LOCK, true)).toBe(false);
    await mutex.acquireLock(LOCK);
    expect(await other.releaseLock(LOCK, true)).toBe(true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await other.releaseLock(LOCK, true)).toBe(false);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    expect(await mutex.releaseLock(LOCK)).toBe(false);
  });

  it("with force and holderIds ends these holds and no others", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const seen = await mutex.acquire(LOCK, { mode: "shared" });
    const report = await other.inspect(LOCK);
    const later = await mutex.acquire(LOCK, { mode: "shared" });
    const holderIds = report?.holders.map(({ acquisitionId }) => acquisitionId) ?? [];
    expect(await other.releaseLock(LOCK, { force: true, holderIds })).toBe(true);
    expect(world.holder(LOCK).token).toBe(later.fencingToken);
    expect([await seen.renew(), await later.renew()]).toEqual([false, true]);
    expect(await other.deleteLock(LOCK, { force: true, holderIds })).toBe(false);
    expect(await other.releaseLock(LOCK, { force: true, holderIds: [] })).toBe(false);
    expect(await other.releaseLock(LOCK, { force: true })).toBe(true);
    expect(await other.releaseLock(LOCK, {})).toBe(false);
  });

  it("refuses holderIds that say nothing", async (world) => {
    const mutex = world.mutex();
    for (const method of ["releaseLock", "deleteLock"] as const) {
      const call = (options: unknown) => errorOf(mutex[method](LOCK, options as boolean));
      expect((await call({ holderIds: ["a"] })).message).toContain("add force: true");
      expect((await call({ force: true, holderIds: "a" })).message).toContain('holderIds is "a"');
      expect((await call({ force: true, holderIds: ["a", 7] })).message).toContain("holderIds[1] is 7");
      expect((await call({ force: 1 })).message).toContain("force is 1");
      expect((await call(null)).message).toContain("force is null");
    }
    expect(world.requests("read") + world.requests("write")).toBe(0);
  });

  it("called late, does not end the turn of the present holder", async (world) => {
    const [mutex, other] = [
      world.mutex({ lockTimeoutMs: 900, clockSkewToleranceMs: 0 }),
      world.mutex({ clockSkewToleranceMs: 0 }),
    ];
    await mutex.acquireLock(LOCK);
    expect(await other.acquireLock(LOCK, 20_000)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.releaseLock(LOCK, false)).toBe(false);
    expect(await other.isOwnedByUs(LOCK)).toBe(true);
    expect(await other.releaseLock(LOCK)).toBe(true);
  });

  it("called late, does not end the next turn of the same owner", async (world) => {
    const options = { ownerId: "shared", clockSkewToleranceMs: 0 };
    const [first, second] = [world.mutex({ ...options, lockTimeoutMs: 900 }), world.mutex(options)];
    await first.acquireLock(LOCK);
    expect(await second.acquireLock(LOCK, 20_000)).toBe(true);
    expect(await first.releaseLock(LOCK)).toBe(false);
    expect(await second.isOwnedByUs(LOCK)).toBe(true);
    expect(await second.releaseLock(LOCK)).toBe(true);
  });

  it("twice at once ends one hold", async (world) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    const results = await Promise.all([mutex.releaseLock(LOCK), mutex.releaseLock(LOCK)]);
    expect(results).toContain(true);
    expect(world.record(LOCK)?.recent).toHaveLength(1);
  });

  it("leaves the fencing counter behind", async (world) => {
    const mutex = world.mutex();
    const tokens: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await mutex.acquireLock(LOCK);
      tokens.push(world.holder(LOCK).token);
      await mutex.releaseLock(LOCK);
    }
    expect(tokens).toEqual([...new Set(tokens)].toSorted((one, other) => one - other));
    expect(world.record(LOCK)?.token).toBe(tokens.at(-1));
  });
});

describe.concurrent("refreshLock", () => {
  it("makes a lock last for another lease", async (world) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    await mutex.acquireLock(LOCK);
    const before = world.holder(LOCK);
    for (let times = 0; times < 4; times += 1) {
      await world.sleep(200);
      expect(await mutex.refreshLock(LOCK)).toBe(true);
    }
    const after = world.holder(LOCK);
    expect(after.expiresAtMs - before.expiresAtMs).toBeGreaterThanOrEqual(790);
    expect(after.expiresAtMs - after.renewedAtMs).toBe(900);
    expect(after).toMatchObject({ token: before.token, acquiredAtMs: before.acquiredAtMs });
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("is false for what was never taken, was released, or is another owner's", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    await mutex.acquireLock(LOCK);
    expect(await other.refreshLock(LOCK)).toBe(false);
    await mutex.releaseLock(LOCK);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
  });

  it("is false once expired, even if it was not taken over", async (world) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    await mutex.acquireLock(LOCK);
    await world.until(() => world.nowMs > world.holder(LOCK).expiresAtMs);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(false);
  });

  it("is false once lost, and the holder that took it over keeps it", async (world) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    const other = world.mutex({ clockSkewToleranceMs: 0 });
    await mutex.acquireLock(LOCK);
    expect(await other.acquireLock(LOCK, 20_000)).toBe(true);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    expect(await other.refreshLock(LOCK)).toBe(true);
    await other.releaseLock(LOCK);
  });

  it("is false after the lock was deleted", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    await other.deleteLock(LOCK, true);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
  });
});

describe.concurrent("isLocked and isOwnedByUs", () => {
  it("of a lock that there never was are false", async (world) => {
    const mutex = world.mutex();
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(false);
    expect(world.record(LOCK)).toBeUndefined();
  });

  it("know who holds", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    expect([await mutex.isLocked(LOCK), await mutex.isOwnedByUs(LOCK)]).toEqual([true, true]);
    expect([await other.isLocked(LOCK), await other.isOwnedByUs(LOCK)]).toEqual([true, false]);
    await mutex.releaseLock(LOCK);
    expect([await mutex.isLocked(LOCK), await mutex.isOwnedByUs(LOCK)]).toEqual([false, false]);
    expect([await other.isLocked(LOCK), await other.isOwnedByUs(LOCK)]).toEqual([false, false]);
  });

  it("always ask the store", async (world) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    world.put(LOCK, heldRecord({ acquiredAtMs: world.nowMs, expiresAtMs: world.nowMs + 60_000 }));
    expect(await mutex.isOwnedByUs(LOCK)).toBe(false);
    world.put(LOCK, freeRecord(world.nowMs));
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it("change nothing", async (world) => {
    const mutex = world.mutex();
    world.put(LOCK, heldRecord({ acquiredAtMs: world.nowMs - 5000, expiresAtMs: world.nowMs - 4000 }));
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(false);
    expect(world.requests("read")).toBeGreaterThanOrEqual(2);
    expect(world.requests("write") + world.requests("remove")).toBe(0);
    world.leaves(LOCK);
  });

  it("hold for a handle's hold as well", async (world) => {
    const mutex = world.mutex();
    const lock = await mutex.acquire(LOCK);
    expect([await mutex.isLocked(LOCK), await mutex.isOwnedByUs(LOCK)]).toEqual([true, true]);
    await lock.release();
  });
});

describe.concurrent("ownerId", () => {
  it("is in the record, and different for each instance unless it is given", async (world) => {
    const [one, other] = [world.mutex(), world.mutex()];
    expect(one.ownerId).not.toBe(other.ownerId);
    await one.acquireLock(LOCK);
    expect(world.holder(LOCK).owner).toBe(one.ownerId);
    await one.releaseLock(LOCK);
    expect(world.mutex({ ownerId: "mine" }).ownerId).toBe("mine");
  });

  it("given twice, lets two instances refresh and release each other's locks", async (world) => {
    const options = { ownerId: "shared", lockTimeoutMs: 2000 };
    const [one, other] = [world.mutex(options), world.mutex(options)];
    await one.acquireLock(LOCK);
    expect(await other.isOwnedByUs(LOCK)).toBe(true);
    const before = world.holder(LOCK).expiresAtMs;
    await world.sleep(20);
    expect(await other.refreshLock(LOCK)).toBe(true);
    expect(world.holder(LOCK).expiresAtMs).toBeGreaterThan(before);
    expect(await other.acquireLock(LOCK, 0)).toBe(false);
    expect(await other.releaseLock(LOCK)).toBe(true);
    expect(await one.isOwnedByUs(LOCK)).toBe(false);
    expect(await one.refreshLock(LOCK)).toBe(false);
  });

  it("given twice, the twin's refresh is false once the lease has ended", async (world) => {
    const [one, other] = [world.mutex({ ownerId: "shared", lockTimeoutMs: 900 }), world.mutex({ ownerId: "shared" })];
    await one.acquireLock(LOCK);
    await world.until(() => world.nowMs > world.holder(LOCK).expiresAtMs);
    expect(await other.refreshLock(LOCK)).toBe(false);
    expect(await other.releaseLock(LOCK)).toBe(true);
  });

  it("given twice, lets the twin delete", async (world) => {
    const [one, other] = [world.mutex({ ownerId: "shared" }), world.mutex({ ownerId: "shared" })];
    await one.acquireLock(LOCK);
    expect(await other.deleteLock(LOCK)).toBe(true);
    expect(await one.isLocked(LOCK)).toBe(false);
  });

  /** Lets `one` have the lock, and by a refresh of `other` for longer than it knows. */
  async function refreshedByTwin(world: VirtualWorld) {
    const options = { ownerId: "shared", lockTimeoutMs: 1500 };
    const [one, other] = [world.mutex(options), world.mutex(options)];
    await one.acquireLock(LOCK);
    await world.sleep(1000);
    expect(await other.refreshLock(LOCK)).toBe(true);
    await world.sleep(750);
    return [one, other] as const;
  }

  it("a hold that a twin refreshed stays ours to release, longer than our own lease lasted", async (world) => {
    const [one] = await refreshedByTwin(world);
    // The lease as `one` knew it is over; the one in the record is not.
    expect(await one.isOwnedByUs(LOCK)).toBe(true);
    expect(await one.releaseLock(LOCK)).toBe(true);
    expect(await one.isLocked(LOCK)).toBe(false);
  });

  it("a hold that a twin refreshed stays ours to refresh, longer than our own lease lasted", async (world) => {
    const [one, other] = await refreshedByTwin(world);
    const refreshed = await one.refreshLock(LOCK);
    await other.releaseLock(LOCK);
    expect(refreshed).toBe(true);
  });
});

describe.concurrent("deleteLock", () => {
  it("of a lock that does not exist is true when forced, else false", async (world) => {
    const mutex = world.mutex();
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    expect(world.record(LOCK)).toBeUndefined();
  });

  it("deletes what acquireLock of this instance holds", async (world) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    const { token } = world.holder(LOCK);
    expect(await mutex.deleteLock(LOCK)).toBe(true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
    expect(world.holder(LOCK).token).toBeGreaterThan(token);
    await mutex.releaseLock(LOCK);
  });

  it("is false for what is not ours, unless forced", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    expect(await other.deleteLock(LOCK)).toBe(false);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
    expect(await other.deleteLock(LOCK, true)).toBe(true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it("is false for a free lock that was not forced", async (world) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    await mutex.releaseLock(LOCK);
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
  });

  it("is false for a handle's hold, unless forced", async (world) => {
    const mutex = world.mutex();
    const lock = await mutex.acquire(LOCK);
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await lock.renew()).toBe(true);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    expect(await lock.renew()).toBe(false);
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "deleted" });
  });

  it("is false for a lease of ours that has ended", async (world) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    await mutex.acquireLock(LOCK);
    await world.until(() => world.nowMs > world.holder(LOCK).expiresAtMs);
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
  });

  it("of a young object leaves one that lists and reads as absent, and can be deleted again", async (world) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    await mutex.deleteLock(LOCK);
    expect(JSON.parse(world.body(LOCK) ?? "")).toMatchObject({ deleted: true, locked: false, holders: [], queue: [] });
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 0, stale: 0, cleaned: 0, unreadable: [] });
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
  });

  it("removes an object that has been at rest for 20 minutes", async (world) => {
    const mutex = world.mutex();
    world.put(LOCK, freeRecord(world.nowMs - 21 * 60_000));
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    expect(world.record(LOCK)).toBeUndefined();
    expect(world.keys).toEqual([]);
  });

  it(
    "keeps the object on a store without conditional deletes",
    async (world) => {
      const mutex = world.mutex();
      const old = freeRecord(world.nowMs - 21 * 60_000);
      world.put(LOCK, old);
      expect(await mutex.deleteLock(LOCK, true)).toBe(true);
      expect(world.record(LOCK)).toMatchObject({ deleted: true, token: old.token });
      expect(world.keys).toHaveLength(1);
    },
    { removes: false },
  );

  it("takes waiters out, who go on waiting for a lock of that name", async (world) => {
    const [mutex, waiter, third] = [world.mutex(), world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    const waiting = waiter.acquireLock(LOCK, 5000);
    await world.until(() => world.record(LOCK)?.queue.length === 1);
    expect(await third.deleteLock(LOCK, true)).toBe(true);
    expect(await waiting).toBe(true);
    await waiter.releaseLock(LOCK);
  });

  it("clears a corrupt object only with force", async (world) => {
    const mutex = world.mutex();
    world.put(LOCK, "no lock record");
    expect(await codeOf(mutex.deleteLock(LOCK))).toBe("corrupt-record");
    expect(world.body(LOCK)).toBe("no lock record");
    const before = world.nowMs;
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.acquireLock(LOCK)).toBe(true);
    expect(world.holder(LOCK).token).toBeGreaterThanOrEqual(before);
    await mutex.releaseLock(LOCK);
  });

  it("does not touch a record of a newer schema, force or not", async (world) => {
    const mutex = world.mutex();
    const newer = JSON.stringify({ schema: 4, lock: "of the future" });
    world.put(LOCK, newer);
    const error = await errorOf(mutex.deleteLock(LOCK, true));
    expect(error).toMatchObject({ code: "newer-schema", lockName: LOCK });
    expect(world.body(LOCK)).toBe(newer);
    world.leaves(LOCK);
  });
});

describe.concurrent("a hold that was ended otherwise than by its release", () => {
  it("does not stand in the way of the instance that had it: by its lease's end", async (world) => {
    const mutex = world.mutex({ lockTimeoutMs: 900, clockSkewToleranceMs: 0 });
    await mutex.acquireLock(LOCK);
    await world.until(() => world.nowMs > world.holder(LOCK).expiresAtMs);
    expect(await mutex.acquireLock(LOCK)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  for (const way of ["deleteLock", "releaseLock by force"]) {
    it(`nor by its own ${way}`, async (world) => {
      const mutex = world.mutex();
      await mutex.acquireLock(LOCK);
      await (way === "deleteLock" ? mutex.deleteLock(LOCK) : mutex.releaseLock(LOCK, true));
      expect(await mutex.isLocked(LOCK)).toBe(false);
      const taken = await mutex.acquireLock(LOCK, 300);
      if (taken) await mutex.releaseLock(LOCK);
      expect(taken).toBe(true);
    });
  }

  it("nor by another owner's force", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.acquireLock(LOCK);
    await other.releaseLock(LOCK, true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    const taken = await mutex.acquireLock(LOCK, 300);
    if (taken) await mutex.releaseLock(LOCK);
    expect(taken).toBe(true);
  });

  it("nor by force, with more patience or with none", async (world) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    for (const timeoutMs of [0, 5000]) {
      await mutex.acquireLock(LOCK);
      await other.releaseLock(LOCK, true);
      expect(await mutex.acquireLock(LOCK, timeoutMs)).toBe(true);
      expect(await mutex.releaseLock(LOCK)).toBe(true);
    }
  });
});
