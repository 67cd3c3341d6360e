import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";
import { untilQueued } from "../waiting/place.js";
import { telling } from "./telling.js";

/** A store without `Date`: no client knows store time, and wall clocks may be hours off. */

const HOUR_MS = 3_600_000;

it("cleanup does not free a live lease because its own wall clock is ahead", async () => {
  const scene = new Scene({ hasDate: false });
  const lock = await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: 10_000 }));
  const sweeper = scene.client({ clocks: { wallOffsetMs: HOUR_MS } });
  expect(await scene.until(sweeper.mutex.cleanupStaleLocks())).toMatchObject({ total: 1, stale: 0, cleaned: 0 });
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});

it("no object is removed, so that tokens go on growing", async () => {
  const scene = new Scene({ hasDate: false });
  const ahead = scene.client({ clocks: { wallOffsetMs: HOUR_MS } });
  const first = await scene.until(ahead.mutex.acquire(NAME));
  await scene.until(first.release());
  await scene.pass(60_000);
  await scene.until(ahead.mutex.cleanupStaleLocks({ includeReleased: true, restMs: 30_000 }));
  await scene.until(ahead.mutex.deleteLock(NAME, true));
  const second = await scene.until(scene.client().mutex.acquire(NAME));
  expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
});

it("no waiter waits for hours for one that died waiting, among clients whose wall clocks were ahead", async () => {
  const scene = new Scene({ hasDate: false });
  const clocks = { wallOffsetMs: 5 * HOUR_MS };
  const lock = await scene.until(scene.client({ clocks }).mutex.acquire(NAME));
  const ahead = scene.client({ clocks });
  ahead.mutex.acquire(NAME, { priority: 1 }).catch(() => {});
  await untilQueued(scene, 1);
  ahead.process.kill();
  await scene.until(lock.release());
  const freedAtMs = scene.nowMs;
  await scene.until(scene.client().mutex.acquire(NAME));
  expect(scene.nowMs - freedAtMs).toBeLessThan(20_000);
});

it("a client without store time whose wall clock is hours behind waits for no more than the tolerance after a sweep", async () => {
  const scene = new Scene();
  const dying = scene.client();
  await scene.until(dying.mutex.acquire(NAME, { leaseMs: 10_000 }));
  dying.process.kill();
  const behind = scene.client({ clocks: { wallOffsetMs: -5 * HOUR_MS }, through: telling(() => "none") });
  await scene.pass(10_100);
  await scene.until(scene.client().mutex.cleanupStaleLocks());
  expect(scene.record()).toMatchObject({ holders: [], notBeforeMs: expect.any(Number) });
  const restsUntilMs = scene.record()?.notBeforeMs ?? 0;
  await scene.until(behind.mutex.acquire(NAME, { timeoutMs: 60_000 }));
  expect(scene.nowMs).toBeGreaterThan(restsUntilMs);
  expect(scene.nowMs - restsUntilMs).toBeLessThan(2000);
});
