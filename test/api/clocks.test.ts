import { describe, expect } from "vitest";
import { heldRecord, it, sleep } from "./fixture.js";

const LOCK = "resource";
const MINUTE_MS = 60_000;
/** How far this machine's clock is off, seen from the store. */
const OFFSETS = [-5 * 60, -5, 5, 5 * 60].map((minutes) => minutes * MINUTE_MS);
/** After one answer the store's clock is known to about a second. */
const WIDTH_MS = 1100;
const MARGIN_MS = 2500;
/** Each of its requests may take a sixth of it, and a busy machine needs that. */
const LEASE_MS = 3000;

describe.concurrent("a client whose clock is off", () => {
  it.for(OFFSETS)("by %s ms takes no live lock, and takes over an expired one on time", async (offsetMs, { world }) => {
    world.server.setClockOffset(offsetMs);
    const storeNow = () => Date.now() + offsetMs;
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    const expiresAtMs = storeNow() + 700;
    world.put(LOCK, heldRecord({ acquiredAtMs: storeNow() - 300, expiresAtMs }));
    for (;;) {
      const askedMs = storeNow();
      const lock = await mutex.tryAcquire(LOCK);
      const answeredMs = storeNow();
      if (lock !== null) {
        expect(answeredMs).toBeGreaterThan(expiresAtMs);
        expect(askedMs).toBeLessThan(expiresAtMs + WIDTH_MS + MARGIN_MS);
        expect(Math.abs(lock.fencingToken - storeNow())).toBeLessThan(WIDTH_MS + MARGIN_MS);
        await lock.release();
        return;
      }
      await sleep(15);
    }
  });

  it.for(OFFSETS)("by %s ms waits for an expired lock no longer than that takes", async (offsetMs, { world }) => {
    world.server.setClockOffset(offsetMs);
    const mutex = world.mutex({ clockSkewToleranceMs: 200 });
    const expiresAtMs = Date.now() + offsetMs + 300;
    world.put(LOCK, heldRecord({ acquiredAtMs: expiresAtMs - 1000, expiresAtMs }));
    expect(await mutex.acquireLock(LOCK, 10_000)).toBe(true);
    const takenMs = Date.now() + offsetMs;
    expect(takenMs).toBeGreaterThan(expiresAtMs + 200);
    expect(takenMs).toBeLessThan(expiresAtMs + 200 + WIDTH_MS + MARGIN_MS);
    await mutex.releaseLock(LOCK);
  });

  it.for(OFFSETS)("by %s ms keeps its own", async (offsetMs, { world }) => {
    world.server.setClockOffset(offsetMs);
    const [mutex, other] = [
      world.mutex({ lockTimeoutMs: LEASE_MS }),
      world.mutex({ lockTimeoutMs: LEASE_MS, clockSkewToleranceMs: 0 }),
    ];
    const lock = await mutex.acquire(LOCK);
    const endMs = Date.now() + 1.5 * LEASE_MS;
    while (Date.now() < endMs) {
      lock.assertHeld();
      expect(await other.tryAcquire(LOCK)).toBeNull();
      // Published by the store's clock, so that others respect it whatever theirs says.
      expect(world.holder(LOCK).expiresAtMs).toBeGreaterThan(Date.now() + offsetMs);
      await sleep(100);
    }
    expect(await other.isLocked(LOCK)).toBe(true);
    expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
    expect(await lock.release()).toBe(true);
  });

  it.for(OFFSETS)("by %s ms does all else as well", async (offsetMs, { world }) => {
    world.server.setClockOffset(offsetMs);
    const storeNow = Date.now() + offsetMs;
    const mutex = world.mutex();
    expect(await mutex.acquireLock("named")).toBe(true);
    expect(await mutex.refreshLock("named")).toBe(true);
    expect(await mutex.releaseLock("named")).toBe(true);
    expect(await mutex.withLock("with", () => "done")).toBe("done");
    world.put("stale", heldRecord({ acquiredAtMs: storeNow - 20_000, expiresAtMs: storeNow - 10_000 }));
    world.put("live", heldRecord({ acquiredAtMs: storeNow - 20_000, expiresAtMs: storeNow + 10_000 }));
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 4, stale: 1, cleaned: 1 });
    expect(await mutex.isLocked("live")).toBe(true);
    world.leaves("live");
  });
});

describe.concurrent("answers without a date", () => {
  it("now and then change nothing", async ({ world }) => {
    let count = 0;
    const random = () => (count++ % 2 === 0 ? 0 : 0.9);
    world.server.faults.add({ fault: "omit-date", probability: 0.5, random });
    const [mutex, other] = [world.mutex({ lockTimeoutMs: LEASE_MS }), world.mutex({ clockSkewToleranceMs: 0 })];
    const lock = await mutex.acquire(LOCK);
    await sleep(1.5 * LEASE_MS);
    expect(await other.tryAcquire(LOCK)).toBeNull();
    expect(await lock.release()).toBe(true);
  });

  it("at all: an expired lease is taken over after it was watched for its whole length", async ({ world }) => {
    world.server.setQuirks({ noDate: true });
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    const now = Date.now();
    world.put(LOCK, heldRecord({ acquiredAtMs: now - 60_000, renewedAtMs: now - 30_500, expiresAtMs: now - 30_000 }));
    const startedMs = performance.now();
    expect(await mutex.acquireLock(LOCK, 10_000)).toBe(true);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(490);
    expect(performance.now() - startedMs).toBeLessThan(500 + 5000);
    await mutex.releaseLock(LOCK);
  });
});
