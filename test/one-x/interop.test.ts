import { describe, expect } from "vitest";
import { BUCKET, codeOf, it, sleep, until, type World } from "../api/fixture.js";

const LOCK = "shared-resource";
const KEY = "locks/shared-resource.json";

/** Makes the body that s3-mutex 1.x writes for a lock that it holds. */
function heldBy1x(owner: string, expiresAt: number, acquiredAt = Date.now()): object {
  return { locked: true, owner, acquiredAt, expiresAt, priority: 0 };
}

/** Takes or frees a lock as 1.x does, by rewriting the whole body that it has parsed. */
function rewriteAs1x(world: World, changes: object): void {
  const body = JSON.parse(world.server.getObject(BUCKET, KEY)?.text ?? "{}");
  world.server.putObject(BUCKET, KEY, JSON.stringify({ ...body, ...changes }));
}

const bodyOf = (world: World): Record<string, unknown> => JSON.parse(world.server.getObject(BUCKET, KEY)?.text ?? "{}");

describe.concurrent("a lock that 1.x holds", () => {
  it("is respected", async ({ world }) => {
    const mutex = world.mutex();
    world.put(LOCK, heldBy1x("old-fleet", Date.now() + 60_000));
    expect(await mutex.isLocked(LOCK)).toBe(true);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(false);
    expect(await mutex.acquireLock(LOCK)).toBe(false);
    expect(await mutex.tryAcquire(LOCK)).toBeNull();
    expect(await mutex.withLock(LOCK, () => "ran")).toBeNull();
    expect(await codeOf(mutex.acquire(LOCK, { timeoutMs: 50 }))).toBe("timed-out");
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.refreshLock(LOCK)).toBe(false);
    expect(await mutex.deleteLock(LOCK)).toBe(false);
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 1, stale: 0, unreadable: [] });
    await until(() => world.record(LOCK)?.queue.length === 0);
    expect(bodyOf(world)).toMatchObject({ locked: true, owner: "old-fleet" });
    world.leaves(LOCK);
  });

  it("is left as it is by callers that do not wait", async ({ world }) => {
    const mutex = world.mutex();
    const body = heldBy1x("old-fleet", Date.now() + 60_000);
    world.put(LOCK, body);
    await mutex.tryAcquire(LOCK);
    await mutex.isLocked(LOCK);
    await mutex.acquireLock(LOCK, 0);
    expect(bodyOf(world)).toEqual(body);
    world.leaves(LOCK);
  });

  it("stays held for 1.x while we wait for it, and is ours when 1.x has released it", async ({ world }) => {
    const mutex = world.mutex();
    const body = heldBy1x("old-fleet", Date.now() + 60_000);
    world.put(LOCK, body);
    const waiting = mutex.acquireLock(LOCK, 10_000);
    await until(() => world.record(LOCK)?.queue?.length === 1);
    expect(bodyOf(world)).toMatchObject(body);
    rewriteAs1x(world, { locked: false });
    expect(await waiting).toBe(true);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("is taken over when its lease has ended, tolerance included", async ({ world }) => {
    const mutex = world.mutex({ clockSkewToleranceMs: 200 });
    await mutex.isLocked(LOCK);
    const expiresAt = Date.now() + 200;
    world.put(LOCK, heldBy1x("old-fleet", expiresAt));
    expect(await mutex.acquireLock(LOCK, 5000)).toBe(true);
    expect(world.holder(LOCK).acquiredAtMs).toBeGreaterThan(expiresAt + 200);
    expect(world.holder(LOCK).owner).toBe(mutex.ownerId);
    await mutex.releaseLock(LOCK);
  });

  it("is ended by force, and cleaned up when stale", async ({ world }) => {
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    world.put(LOCK, heldBy1x("old-fleet", Date.now() + 60_000));
    expect(await mutex.releaseLock(LOCK, true)).toBe(true);
    expect(bodyOf(world)).toMatchObject({ locked: false });
    world.put(LOCK, heldBy1x("old-fleet", Date.now() - 60_000, Date.now() - 120_000));
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 1, stale: 1, cleaned: 1 });
    expect(await mutex.acquireLock(LOCK)).toBe(true);
    await mutex.releaseLock(LOCK);
    world.put(LOCK, heldBy1x("old-fleet", Date.now() + 60_000));
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it("is ours to refresh and release if it has our ownerId", async ({ world }) => {
    const mutex = world.mutex({ ownerId: "same-owner" });
    world.put(LOCK, heldBy1x("same-owner", Date.now() + 5000));
    expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
    expect(await mutex.refreshLock(LOCK)).toBe(true);
    expect(bodyOf(world)["expiresAt"]).toBeGreaterThan(Date.now() + 50_000);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
    expect(bodyOf(world)).toMatchObject({ locked: false });
  });
});

describe.concurrent("a lock that 1.x has released", () => {
  it.for([{ locked: false }, { locked: false, priority: 0 }, { ...heldBy1x("old-fleet", 1), locked: false }])(
    "%j can be had",
    async (body, { world }) => {
      const mutex = world.mutex();
      world.put(LOCK, body);
      expect(await mutex.isLocked(LOCK)).toBe(false);
      const before = Date.now();
      expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
      expect(world.holder(LOCK).token).toBeGreaterThanOrEqual(before - 1);
      expect(await mutex.releaseLock(LOCK)).toBe(true);
    },
  );

  it("goes to one of several who ask at once", async ({ world }) => {
    world.put(LOCK, { locked: false });
    const mutexes = Array.from({ length: 6 }, () => world.mutex());
    const taken = await Promise.all(mutexes.map((mutex) => mutex.acquireLock(LOCK, 0)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await mutexes[taken.indexOf(true)]?.releaseLock(LOCK)).toBe(true);
  });
});

describe.concurrent("our locks, as 1.x sees them", () => {
  it("are locked with owner, times and priority while held, by name or by handle, and free afterwards", async ({
    world,
  }) => {
    const mutex = world.mutex({ lockTimeoutMs: 5000 });
    await mutex.acquireLock(LOCK, undefined, 4);
    const held = world.holder(LOCK);
    expect(bodyOf(world)).toMatchObject({
      locked: true,
      owner: mutex.ownerId,
      acquiredAt: held.renewedAtMs,
      expiresAt: held.expiresAtMs,
      priority: 4,
    });
    await sleep(20);
    await mutex.refreshLock(LOCK);
    // Its cleanup deletes by this time, so it has to be the last renewal.
    expect(bodyOf(world)["acquiredAt"]).toBe(world.holder(LOCK).renewedAtMs);
    expect(world.holder(LOCK).renewedAtMs).toBeGreaterThan(held.renewedAtMs);
    await mutex.releaseLock(LOCK);
    expect(bodyOf(world)["locked"]).toBe(false);

    const lock = await mutex.acquire(LOCK);
    expect(bodyOf(world)).toMatchObject({ locked: true, owner: mutex.ownerId, expiresAt: lock.expiresAt });
    await lock.release();
    expect(bodyOf(world)["locked"]).toBe(false);
    await mutex.acquireLock(LOCK);
    await mutex.deleteLock(LOCK);
    expect(bodyOf(world)["locked"]).toBe(false);
  });

  it("have the same key for names of letters, digits, - and _", async ({ world }) => {
    await world.mutex().withLock("Order-47_a", () => {});
    expect(world.server.getObject(BUCKET, "locks/Order-47_a.json")).toBeDefined();
  });

  it("have the same key for all names with keyEncoding 1.x", async ({ world }) => {
    const [old, one] = [world.mutex({ keyEncoding: "1.x" }), world.mutex()];
    await old.acquireLock("orders/2026 è");
    expect(world.server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/orders_2026__.json"]);
    // Names that 1.x could not tell apart are one lock then; and one of ours spells it as 1.x does.
    expect(await old.acquireLock("orders.2026 é", 0)).toBe(false);
    expect(await one.isLocked("orders_2026__")).toBe(true);
    expect(await old.cleanupStaleLocks()).toMatchObject({ total: 1, stale: 0 });
    expect(await old.releaseLock("orders/2026 è")).toBe(true);
  });
});

describe.concurrent("when 1.x writes over ours", () => {
  it("its hold counts, and ends when it says so", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.withLock(LOCK, () => {});
    rewriteAs1x(world, heldBy1x("old-fleet", Date.now() + 60_000));
    expect(await mutex.isLocked(LOCK)).toBe(true);
    expect(await mutex.acquireLock(LOCK, 0)).toBe(false);
    rewriteAs1x(world, { locked: false });
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("tokens go on growing, although it knows of none", async ({ world }) => {
    const mutex = world.mutex();
    let last = 0;
    for (let turn = 0; turn < 3; turn += 1) {
      const lock = await mutex.acquire(LOCK);
      expect(lock.fencingToken).toBeGreaterThan(last);
      last = lock.fencingToken;
      await lock.release();
      rewriteAs1x(world, heldBy1x("old-fleet", Date.now() + 60_000));
      if (turn === 1) world.server.putObject(BUCKET, KEY, '{"locked":false}');
      else rewriteAs1x(world, { locked: false });
    }
  });

  it("a hold of ours that it took is lost", async ({ world }) => {
    const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
    rewriteAs1x(world, heldBy1x("old-fleet", Date.now() + 60_000));
    await until(() => lock.signal.aborted);
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "taken-over" });
    expect(bodyOf(world)).toMatchObject({ locked: true, owner: "old-fleet" });
    world.leaves(LOCK);
  });

  it("a hold of ours that it freed is lost", async ({ world }) => {
    const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
    rewriteAs1x(world, { locked: false });
    await until(() => lock.signal.aborted);
    expect(lock.signal.reason).toMatchObject({ code: "lost" });
    expect(await lock.release()).toBe(false);
  });

  it("waiters in our queue keep their places", async ({ world }) => {
    const [first, second] = [world.mutex(), world.mutex()];
    const holder = world.mutex();
    await holder.acquireLock(LOCK);
    const order: string[] = [];
    const turn = async (mutex: typeof first, name: string) => {
      await mutex.acquireLock(LOCK, 10_000);
      order.push(name);
      await mutex.releaseLock(LOCK);
    };
    const waiting = [turn(first, "first")];
    await until(() => world.record(LOCK)?.queue.length === 1);
    waiting.push(turn(second, "second"));
    await until(() => world.record(LOCK)?.queue.length === 2);
    await holder.releaseLock(LOCK, true);
    rewriteAs1x(world, {});
    await Promise.all(waiting);
    expect(order).toEqual(["first", "second"]);
  });
});
