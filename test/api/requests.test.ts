import { describe, expect } from "vitest";
import { IN_FULL } from "../scale.js";
import { it, sleep, until } from "./fixture.js";
import { inVirtualTime } from "./virtual-world.js";

const LOCK = "resource";

describe.concurrent("requests of acquire and release of a free lock", () => {
  it("are 3 the first time, and 2 when this process used the lock last", async ({ world }) => {
    const mutex = world.mutex();
    const counts: number[] = [];
    const ways = [
      async () => {
        expect(await mutex.acquireLock(LOCK)).toBe(true);
        expect(await mutex.releaseLock(LOCK)).toBe(true);
      },
      async () => (await mutex.acquire(LOCK)).release(),
      async () => (await mutex.tryAcquire(LOCK))?.release(),
      async () => mutex.withLock(LOCK, () => {}),
      async () => {
        await using lock = await mutex.acquire(LOCK);
        lock.assertHeld();
      },
    ];
    for (const way of ways) {
      world.server.resetRequests();
      await way();
      counts.push(world.server.requests.total);
    }
    expect(counts).toEqual([3, 2, 2, 2, 2]);
  });

  it("are 3 for a process that did not use it before, whichever did", async ({ world }) => {
    await world.mutex().withLock(LOCK, () => {});
    world.server.resetRequests();
    await world.mutex().withLock(LOCK, () => {});
    expect(world.server.requests.total).toBe(3);
    expect(world.server.requests.byOperation).toMatchObject({ GetObject: 1, PutObject: 2 });
  });

  it("are 2 also a while later", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.withLock(LOCK, () => {});
    await sleep(1200);
    world.server.resetRequests();
    await mutex.withLock(LOCK, () => {});
    expect(world.server.requests.total).toBe(2);
  });

  // Not as the issue has it: what this process knew of the lock is tried first, and costs a fourth request when another process
  // else has used it since.
  it("are 4 when this process used it before, and another one since", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    await mutex.withLock(LOCK, () => {});
    await other.withLock(LOCK, () => {});
    world.server.resetRequests();
    await mutex.withLock(LOCK, () => {});
    expect(world.server.requests.total).toBeLessThanOrEqual(4);
  });

  it("are one for a look, and none for what the clocks can tell", async ({ world }) => {
    const mutex = world.mutex();
    const lock = await mutex.acquire(LOCK);
    world.server.resetRequests();
    lock.assertHeld();
    expect(lock.held).toBe(true);
    expect(lock.remainingMs).toBeGreaterThan(0);
    expect(world.server.requests.total).toBe(0);
    await mutex.isLocked(LOCK);
    expect(world.server.requests.total).toBe(1);
    await mutex.isOwnedByUs(LOCK);
    expect(world.server.requests.total).toBe(2);
    await lock.renew();
    expect(world.server.requests.total).toBe(3);
    await lock.release();
    expect(world.server.requests.total).toBe(4);
  });

  it("of a waiter are mostly answered 304", async ({ world }) => {
    const [holder, waiter] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = waiter.acquire(LOCK);
    await until(() => world.record(LOCK)?.queue.length === 1);
    world.server.resetRequests();
    await sleep(800);
    const { total, byStatus } = world.server.requests;
    expect(byStatus[304] ?? 0).toBeGreaterThanOrEqual(total - 2);
    expect(total).toBeLessThan(80);
    await holder.releaseLock(LOCK);
    await (await waiting).release();
  });
});

/** More than the sockets of a client, and than as many again, of which the SDK warns. */
const BURST = IN_FULL ? 500 : 200;

describe(`a burst of ${BURST} different locks at once`, () => {
  // Over HTTP, a write that takes longer than usual on a busy machine has a read beside it.
  it(
    "costs at most 3 requests each",
    inVirtualTime(async (world) => {
      const mutex = world.mutex();
      const names = Array.from({ length: BURST }, (_, index) => `order-${index}`);
      expect((await Promise.all(names.map((name) => mutex.acquireLock(name, 0)))).every(Boolean)).toBe(true);
      expect((await Promise.all(names.map((name) => mutex.releaseLock(name)))).every(Boolean)).toBe(true);
      expect(world.requests()).toBeLessThanOrEqual(3 * BURST);
    }),
  );

  it("times none out, and warns of nothing", async ({ world }) => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(`${warning.name}: ${warning.message}`);
    process.on("warning", onWarning);
    const printed: unknown[] = [];
    // The SDK warns by its logger, which is the console unless told otherwise.
    const { warn } = console;
    console.warn = (...args: unknown[]) => void printed.push(args);
    try {
      const mutex = world.mutex();
      const names = Array.from({ length: BURST }, (_, index) => `order-${index}`);
      const taken = await Promise.all(names.map((name) => mutex.acquireLock(name, 60_000)));
      expect(taken.filter(Boolean)).toHaveLength(BURST);
      const released = await Promise.all(names.map((name) => mutex.releaseLock(name)));
      expect(released.filter(Boolean)).toHaveLength(BURST);
      expect(world.server.requests.unanswered).toBe(0);
      await sleep(20);
    } finally {
      process.off("warning", onWarning);
      console.warn = warn;
    }
    expect(warnings).toEqual([]);
    expect(printed).toEqual([]);
  });
});
