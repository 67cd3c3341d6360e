import { expect, it } from "vitest";
import { type Client, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";

/** Tests what depends on a few milliseconds, which a machine that has much else to do does not have for everything. */

it("acquire, renew and release succeed well within a second each, although their write is done and answered by 500", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const tookMs: number[] = [];
  const withFailedAnswer = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    scene.fate = nth(0, writesOf(process), { kind: "error", status: 500, applied: true });
    const startedAtMs = scene.nowMs;
    const result = await scene.until(call());
    tookMs.push(scene.nowMs - startedAtMs);
    return result;
  };
  await scene.until((await withFailedAnswer(() => mutex.acquire("warm-up"))).release());
  const lock = await withFailedAnswer(() => mutex.acquire(NAME));
  const { expiresAt } = lock;
  expect(await withFailedAnswer(() => lock.renew())).toBe(true);
  expect(lock.expiresAt).toBeGreaterThanOrEqual(expiresAt);
  expect(lock.expiresAt).toBe(scene.record()?.holders[0]?.expiresAtMs);
  expect(await withFailedAnswer(() => lock.release())).toBe(true);
  for (const ms of tookMs.slice(1)) expect(ms).toBeLessThan(900);
  expect(await scene.until(scene.client().mutex.isLocked(NAME))).toBe(false);
  expect(scene.problems).toEqual([]);
});

it("priority decides which waiter is next, negative ones included", async () => {
  const scene = new Scene();
  const holder = scene.client();
  await scene.until(holder.mutex.acquireLock(NAME));
  const order: number[] = [];
  const wait = async ({ mutex }: Client, priority: number) => {
    expect(await mutex.acquireLock(NAME, 10_000, priority)).toBe(true);
    order.push(priority);
    await mutex.releaseLock(NAME);
  };
  const waiting: Promise<void>[] = [];
  for (const [index, priority] of [-5, 0, Number.MIN_SAFE_INTEGER, 7, Number.MAX_SAFE_INTEGER].entries()) {
    waiting.push(wait(scene.client(), priority));
    while (scene.record()?.queue.length !== index + 1) await scene.pass(10);
  }
  await scene.until(holder.mutex.releaseLock(NAME));
  await scene.until(Promise.all(waiting));
  expect(order).toEqual(order.toSorted((one, other) => other - one));
  expect(scene.problems).toEqual([]);
});

// Requests have a sixth of the lease: 17 ms.
it("leases of 100 ms work: taken, refreshed, respected and ended", async () => {
  const scene = new Scene({ roundTripMs: () => 5 });
  const { mutex } = scene.client({ lockTimeoutMs: 100, clockSkewToleranceMs: 0 });
  const { mutex: other } = scene.client({ clockSkewToleranceMs: 0 });
  expect(await scene.until(mutex.acquireLock(NAME, 0))).toBe(true);
  for (let times = 0; times < 4; times += 1) {
    await scene.pass(40);
    expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
  }
  expect(await scene.until(other.acquireLock(NAME, 0))).toBe(false);
  await scene.pass(120);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(false);
  expect(await scene.until(other.acquireLock(NAME, 0))).toBe(true);
  expect(await scene.until(other.releaseLock(NAME))).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("leases of 100 ms renew themselves in withLock and acquire", async () => {
  const scene = new Scene({ roundTripMs: () => 5 });
  const { mutex, process } = scene.client({ lockTimeoutMs: 100 });
  const lock = await scene.until(mutex.acquire(NAME));
  scene.believe(lock, process);
  for (let times = 0; times < 50; times += 1) {
    await scene.pass(10);
    lock.assertHeld();
  }
  expect(scene.record()?.holders[0]?.token).toBe(lock.fencingToken);
  expect(await scene.until(lock.release())).toBe(true);
  scene.disbelieve(lock);
  expect(await scene.until(mutex.withLock(NAME, () => scene.world.sleep(300).then(() => "done")))).toBe("done");
  expect(scene.problems).toEqual([]);
});
