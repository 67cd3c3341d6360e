import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";
import { outcomeOf, pause, problemsBySeed, untilQueued } from "./place.js";

/** `takeover: "observed"`: a lease ends when it was watched, unrenewed, for its whole length, and no clock is believed. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 5000;
const OBSERVED = { takeover: "observed", lockTimeoutMs: LEASE_MS } as const;

it("takes a dead holder's lock after a whole lease watched, and not before, with clocks hours off", async () => {
  for (const [seed, wallOffsetMs] of [0, 5 * HOUR_MS, -5 * HOUR_MS, 300_000].entries()) {
    const scene = new Scene({ seed: seed + 1 });
    const holder = scene.client({ ...OBSERVED, clocks: { wallOffsetMs: -wallOffsetMs } });
    await scene.until(holder.mutex.acquire(NAME));
    holder.process.kill();
    // Long over by the store's clock: that counts for nothing.
    await scene.pass(60_000);
    const { mutex, process } = scene.client({ ...OBSERVED, clocks: { wallOffsetMs, drift: 1e-4 } });
    const startedAtMs = scene.nowMs;
    scene.believe(await scene.until(mutex.acquire(NAME)), process);
    const tookMs = scene.nowMs - startedAtMs;
    expect(tookMs).toBeGreaterThan(LEASE_MS);
    expect(tookMs).toBeLessThan(LEASE_MS * 1.5 + 2000);
    expect(scene.problems).toEqual([]);
  }
});

it("never takes a lock from a holder who renews, whatever the clocks say", async () => {
  const bad = await problemsBySeed(16, async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const clocks = () => ({
      wallOffsetMs: random.pick([0, 5, -5, 0.1]) * HOUR_MS,
      drift: random.pick([0, 1e-4, -1e-4]),
    });
    const holder = scene.client({ ...OBSERVED, clocks: clocks() });
    const lock = await scene.until(holder.mutex.acquire(NAME));
    scene.believe(lock, holder.process);
    const waiters = Array.from({ length: 3 }, () => scene.client({ ...OBSERVED, clocks: clocks() }));
    const waits = waiters.map(async ({ mutex, process }) => {
      const own = await mutex.acquire(NAME);
      scene.believe(own, process);
      await pause(process, 50);
      scene.disbelieve(own);
      await own.release();
    });
    await scene.pass(60_000);
    const problems = lock.held && scene.record()?.holders[0]?.token === lock.fencingToken ? [] : ["taken over"];
    scene.disbelieve(lock);
    await scene.until(lock.release());
    await scene.until(Promise.all(waits));
    return [...problems, ...scene.problems];
  });
  expect(bad).toEqual({});
});

it("begins to count anew with each renewal that it sees", async () => {
  const scene = new Scene();
  const holder = scene.client({ ...OBSERVED });
  const lock = await scene.until(holder.mutex.acquire(NAME));
  const { mutex, process } = scene.client(OBSERVED);
  const waiting = outcomeOf(scene, mutex.acquire(NAME));
  await untilQueued(scene, 1);
  await scene.pass(20_000);
  holder.process.kill();
  const renewedAtMs = scene.record()?.holders[0]?.renewedAtMs as number;
  const { value, atMs } = await scene.until(waiting);
  scene.believe(value as never, process);
  expect(atMs - renewedAtMs).toBeGreaterThan(LEASE_MS);
  expect(atMs - renewedAtMs).toBeLessThan(LEASE_MS * 2);
  expect(lock.fencingToken).toBeLessThan(value?.fencingToken as number);
  expect(scene.problems).toEqual([]);
});

it("does not count the time that the watcher was suspended for", async () => {
  for (const stopsMonotonic of [true, false]) {
    const scene = new Scene();
    const holder = scene.client(OBSERVED);
    const lock = await scene.until(holder.mutex.acquire(NAME));
    scene.believe(lock, holder.process);
    const watcher = scene.client(OBSERVED);
    const waiting = outcomeOf(scene, watcher.mutex.acquire(NAME, { timeoutMs: 60_000 }));
    await untilQueued(scene, 1);
    // Twelve leases pass while it sleeps; the holder renewed all the time.
    watcher.process.freeze(12 * LEASE_MS, stopsMonotonic);
    await scene.pass(12 * LEASE_MS + 3000);
    expect(lock.held).toBe(true);
    expect(scene.problems).toEqual([]);
    await scene.until(lock.release());
    await scene.until(waiting);
  }
});

it("does not count time that only the watcher's wall clock says has passed", async () => {
  for (const byMs of [HOUR_MS, 2 * LEASE_MS, -HOUR_MS]) {
    const scene = new Scene();
    const holder = scene.client(OBSERVED);
    const lock = await scene.until(holder.mutex.acquire(NAME));
    scene.believe(lock, holder.process);
    const watcher = scene.client(OBSERVED);
    const waiting = outcomeOf(scene, watcher.mutex.acquire(NAME));
    await untilQueued(scene, 1);
    await scene.pass(2000);
    watcher.process.stepWall(byMs);
    await scene.pass(10_000);
    expect(lock.held).toBe(true);
    expect(scene.record()?.holders[0]?.token).toBe(lock.fencingToken);
    expect(scene.problems).toEqual([]);
    await scene.until(lock.release());
    await scene.until(waiting);
  }
});

it("passes on at once, as ever, where the holder releases", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client(OBSERVED).mutex.acquire(NAME));
  const waiting = outcomeOf(scene, scene.client(OBSERVED).mutex.acquire(NAME));
  await untilQueued(scene, 1);
  await scene.pass(1000);
  const freedAtMs = scene.nowMs;
  await scene.until(lock.release());
  expect((await scene.until(waiting)).atMs - freedAtMs).toBeLessThan(1000);
});
