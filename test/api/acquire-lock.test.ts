import { describe, expect } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { freeze, heldRecord, it, sleep, until } from "./fixture.js";

const LOCK = "resource";
/** Store time and local time are read from the same clock here; what is left is how late timers come. */
const MARGIN_MS = 2500;

async function elapsed<T>(action: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const startedMs = performance.now();
  const value = await action();
  return { value, ms: performance.now() - startedMs };
}

describe.concurrent("acquireLock", () => {
  it("gives true for a free lock and false while another owner has it", async ({ world }) => {
    const [one, other] = [world.mutex(), world.mutex()];
    expect(await one.acquireLock(LOCK)).toBe(true);
    expect(await other.acquireLock(LOCK)).toBe(false);
    expect(await one.releaseLock(LOCK)).toBe(true);
    expect(await other.acquireLock(LOCK)).toBe(true);
    expect(await other.releaseLock(LOCK)).toBe(true);
  });

  it("excludes two calls on one instance, and two at the same time", async ({ world }) => {
    const mutex = world.mutex();
    const both = await Promise.all([mutex.acquireLock(LOCK), mutex.acquireLock(LOCK)]);
    expect(both.toSorted()).toEqual([false, true]);
    expect(await mutex.acquireLock(LOCK, 0)).toBe(false);
    expect(world.record(LOCK)?.holders).toHaveLength(1);
    // This code goes on where the call that failed was made, which may be another request's.
    expect(await mutex.releaseLock(LOCK)).toBe(false);
    expect(await mutex.detached(() => mutex.releaseLock(LOCK))).toBe(true);
  });

  it("lets exactly one of twelve instances in, each time", async ({ world }) => {
    const mutexes = Array.from({ length: 12 }, () => world.mutex());
    for (let round = 0; round < 3; round += 1) {
      const taken = await Promise.all(mutexes.map((mutex) => mutex.acquireLock(LOCK, 0)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await (mutexes[taken.indexOf(true)] as S3Mutex).releaseLock(LOCK)).toBe(true);
    }
  });

  it("locks of different names, prefixes and buckets have nothing to do with each other", async ({ world }) => {
    world.server.createBucket("another-bucket");
    const mutexes = [{}, { keyPrefix: "other/" }, { keyPrefix: "" }, { bucketName: "another-bucket" }].map((options) =>
      world.mutex(options),
    );
    const taken = await Promise.all(mutexes.flatMap((mutex) => ["a", "b"].map((name) => mutex.acquireLock(name))));
    expect(taken.filter(Boolean)).toHaveLength(8);
    await Promise.all(mutexes.flatMap((mutex) => ["a", "b"].map((name) => mutex.releaseLock(name))));
  });
});

describe.concurrent("patience", () => {
  it("without a timeout is the sum of the doubling delays", async ({ world }) => {
    const holder = world.mutex();
    await holder.acquireLock(LOCK);
    // 40 + 80 + 100 + 100
    const waiter = world.mutex({ maxRetries: 4, retryDelayMs: 40, maxRetryDelayMs: 100 });
    const { value, ms } = await elapsed(() => waiter.acquireLock(LOCK));
    expect(value).toBe(false);
    expect(ms).toBeGreaterThanOrEqual(300);
    expect(ms).toBeLessThan(320 + MARGIN_MS);
    await holder.releaseLock(LOCK);
  });

  it("of an explicit timeout is waited out in full, whatever the retry options say", async ({ world }) => {
    const holder = world.mutex();
    await holder.acquireLock(LOCK);
    const waiter = world.mutex({ maxRetries: 0 });
    const { value, ms } = await elapsed(() => waiter.acquireLock(LOCK, 350));
    expect(value).toBe(false);
    expect(ms).toBeGreaterThanOrEqual(345);
    expect(ms).toBeLessThan(350 + MARGIN_MS);
    await holder.releaseLock(LOCK);
  });

  it("takes a lock that becomes free meanwhile", async ({ world }) => {
    const [holder, waiter] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = elapsed(() => waiter.acquireLock(LOCK, 5000));
    await until(() => world.record(LOCK)?.queue.length === 1);
    await holder.releaseLock(LOCK);
    const { value, ms } = await waiting;
    expect(value).toBe(true);
    expect(ms).toBeLessThan(4500);
    await waiter.releaseLock(LOCK);
  });

  it.for([0, 1])("of %s ms is one full attempt, also when a round trip takes longer", async (timeoutMs, { world }) => {
    world.server.setLatency(60);
    const mutex = world.mutex();
    expect(await mutex.acquireLock(LOCK, timeoutMs)).toBe(true);
    expect(await world.mutex().acquireLock(LOCK, timeoutMs)).toBe(false);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("of no retries at all is one full attempt", async ({ world }) => {
    world.server.setLatency(60);
    const mutex = world.mutex({ maxRetries: 0 });
    expect(await mutex.acquireLock(LOCK)).toBe(true);
    expect(await mutex.acquireLock(LOCK)).toBe(false);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("of one attempt survives a lost answer: the attempt is not over before it is known what it did", async ({
    world,
  }) => {
    world.server.faults.add({ fault: "lose-response", operation: "PutObject", times: 1 });
    const mutex = world.mutex();
    expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("that ends leaves no entry in the queue, and the caller is not kept waiting for that", async ({ world }) => {
    const [holder, waiter] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    world.server.faults.add({ fault: "latency", latencyMs: 2500, operation: "PutObject", skip: 1, times: 1 });
    const { value, ms } = await elapsed(() => waiter.acquireLock(LOCK, 200));
    expect(value).toBe(false);
    expect(ms).toBeLessThan(2200);
    await until(() => world.record(LOCK)?.queue.length === 0);
    expect(world.holder(LOCK).owner).toBe(holder.ownerId);
    await holder.releaseLock(LOCK);
  });

  it("that ends while the request is under way takes back what the request did", async ({ world }) => {
    world.server.faults.add({ fault: "latency", latencyMs: 800, operation: "PutObject", times: 1 });
    const [mutex, holder] = [world.mutex(), world.mutex()];
    world.put(LOCK, heldRecord({ acquiredAtMs: Date.now(), expiresAtMs: Date.now() + 250 }));
    expect(await mutex.acquireLock(LOCK, 300)).toBe(false);
    await until(async () => !(await holder.isLocked(LOCK)));
    await until(() => world.record(LOCK)?.queue.length === 0);
    expect(await holder.acquireLock(LOCK, 5000)).toBe(true);
    await holder.releaseLock(LOCK);
  });
});

describe.concurrent("priority", () => {
  const EXTREMES = [Number.MIN_SAFE_INTEGER, -1, 0, 1, Number.MAX_SAFE_INTEGER];

  it.for(EXTREMES)("may be %s", async (priority, { world }) => {
    const mutex = world.mutex();
    expect(await mutex.acquireLock(LOCK, undefined, priority)).toBe(true);
    expect(world.holder(LOCK).priority).toBe(priority);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });
});

describe.concurrent("leases", () => {
  it("acquireLock does not renew: nothing is written until the lease is over, and then another owner gets it", async ({
    world,
  }) => {
    const holder = world.mutex({ lockTimeoutMs: 900 });
    const other = world.mutex({ clockSkewToleranceMs: 0 });
    expect(await holder.acquireLock(LOCK)).toBe(true);
    const { expiresAtMs, leaseMs } = world.holder(LOCK);
    expect(leaseMs).toBe(900);
    world.server.resetRequests();
    await sleep(500);
    expect(world.server.requests.total).toBe(0);
    expect(await other.acquireLock(LOCK, 10_000)).toBe(true);
    expect(Date.now()).toBeGreaterThan(expiresAtMs);
    expect(Date.now()).toBeLessThan(expiresAtMs + MARGIN_MS);
    expect(await holder.isOwnedByUs(LOCK)).toBe(false);
    await other.releaseLock(LOCK);
  });

  it("expire to the millisecond", async ({ world }) => {
    const looking = world.mutex({ clockSkewToleranceMs: 0 });
    await looking.isLocked(LOCK); // the clock of the store is known from here on
    for (let round = 0; round < 5; round += 1) {
      const expiresAtMs = Date.now() + 150;
      world.put(LOCK, heldRecord({ acquiredAtMs: Date.now() - 500, expiresAtMs }));
      for (let isOver = false; !isOver; ) {
        const askedMs = Date.now();
        const isLocked = await looking.isLocked(LOCK);
        const answeredMs = Date.now();
        // A look that began and ended on one side of the expiry has one right answer.
        if (answeredMs <= expiresAtMs) expect(isLocked).toBe(true);
        if (askedMs > expiresAtMs) expect(isLocked).toBe(false);
        isOver = askedMs > expiresAtMs;
        await sleep(1);
      }
    }
    world.leaves(LOCK);
  });

  it("are taken over not before their end, and with tolerance 0 at once after it", async ({ world }) => {
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    await mutex.isLocked(LOCK);
    const expiresAtMs = Date.now() + 200;
    world.put(LOCK, heldRecord({ acquiredAtMs: Date.now() - 100, expiresAtMs }));
    expect(await mutex.acquireLock(LOCK, 10_000)).toBe(true);
    expect(world.holder(LOCK).acquiredAtMs).toBeGreaterThan(expiresAtMs);
    expect(world.holder(LOCK).acquiredAtMs).toBeLessThan(expiresAtMs + MARGIN_MS);
    await mutex.releaseLock(LOCK);
  });

  it("are left alone for the tolerance after their end, 1 s by default", async ({ world }) => {
    const mutex = world.mutex();
    const expiresAtMs = Date.now() - 300;
    world.put(LOCK, heldRecord({ acquiredAtMs: expiresAtMs - 1000, expiresAtMs }));
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.acquireLock(LOCK, 0)).toBe(false);
    expect(await mutex.acquireLock(LOCK, 10_000)).toBe(true);
    expect(world.holder(LOCK).acquiredAtMs).toBeGreaterThan(expiresAtMs + 1000);
    expect(world.holder(LOCK).acquiredAtMs).toBeLessThan(expiresAtMs + 1000 + MARGIN_MS);
    await mutex.releaseLock(LOCK);
  });

  it("of 60 s by default", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    const { acquiredAtMs, expiresAtMs } = world.holder(LOCK);
    expect(expiresAtMs - acquiredAtMs).toBe(60_000);
    await mutex.releaseLock(LOCK);
  });
});

// On their own: a freeze stands still for all, and 100 ms are not long for a test that shares the process with others.
describe("short leases and frozen processes", () => {
  it("leases are over for their holder although the process stood still", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    const lock = await mutex.acquire(LOCK);
    expect(lock.held).toBe(true);
    freeze(1100);
    // No timer has run yet.
    expect(lock.held).toBe(false);
    expect(lock.remainingMs).toBe(0);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: "lost", reason: "expired" }));
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "expired", lockName: LOCK });
  });
});
