import { expect, it } from "vitest";
import { KEY, NAME, Scene } from "../../testkit/scene.js";
import { telling } from "./telling.js";

/**
 * The first answer that a process gets tells the time wrong, and its wall clock is wrong by as much: nothing that it writes by that stays.
 * A lease is confirmed before it is handed out; what else a version says of the time is not written by one answer.
 */

const OFFS = [-3_600_000, -40_000, -20_000];

/** Makes a client whose first read tells a time that is off like its wall clock. */
function misled(scene: Scene, offByMs: number, isWrongWall = true) {
  let reads = 0;
  const through = telling((operation) => {
    if (operation === "write") return "date";
    reads += 1;
    return reads === 1 ? { offByMs } : "date";
  });
  return scene.client({ clocks: { wallOffsetMs: isWrongWall ? offByMs : 0 }, through });
}

it.each(OFFS)("holdAtLeastMs: it is held for as long as was asked for (%i ms off)", async (offByMs) => {
  const scene = new Scene();
  const before = await scene.until(scene.client().mutex.acquire(NAME));
  await scene.until(before.release());
  await scene.pass(7_200_000);
  const { mutex } = misled(scene, offByMs);
  const sinceMs = scene.nowMs;
  const lock = await scene.until(mutex.acquire(NAME, { holdAtLeastMs: 60_000 }));
  await scene.pass(45_000);
  await scene.until(lock.release());
  await scene.until(scene.client().mutex.acquire(NAME, { timeoutMs: 120_000 }), 120_000);
  expect(scene.nowMs - sinceMs).toBeGreaterThanOrEqual(60_000);
});

it.each(OFFS)("the queue: a latecomer comes last (%i ms off)", async (offByMs) => {
  for (const freedAfterMs of [1000, 10_000]) {
    const scene = new Scene();
    const held = await scene.until(scene.client().mutex.acquire(NAME));
    const order: string[] = [];
    const wait = ({ mutex }: Pick<ReturnType<typeof misled>, "mutex">, who: string) =>
      mutex.acquire(NAME).then(async (lock) => {
        order.push(who);
        await scene.world.sleep(300);
        await lock.release();
      });
    const all = [wait(scene.client(), "first")];
    await scene.pass(3000);
    all.push(wait(scene.client(), "second"));
    await scene.pass(3000);
    all.push(wait(misled(scene, offByMs), "late"));
    await scene.pass(freedAfterMs);
    await scene.until(held.release());
    await scene.until(Promise.all(all), 60_000);
    expect(order, `freed after ${freedAfterMs} ms`).toEqual(["first", "second", "late"]);
  }
});

it.each(OFFS)("a forced release: a newcomer does not overtake who waits (%i ms off)", async (offByMs) => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire(NAME));
  const waiter = scene.client().mutex.acquire(NAME);
  await scene.pass(10_300);
  const operator = misled(scene, offByMs);
  expect(await scene.until(operator.mutex.releaseLock(NAME, true))).toBe(true);
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
  await scene.until(waiter, 30_000);
});

it.each(OFFS)("what 1.x has left: the first token is above those that were granted (%i ms off)", async (offByMs) => {
  for (const isWrongWall of [true, false]) {
    const scene = new Scene();
    const before = await scene.until(scene.client().mutex.acquire(NAME));
    await scene.until(before.release());
    await scene.pass(60_000);
    scene.bucket.put(KEY, '{"locked":false}');
    await scene.pass(60_000);
    const { mutex } = misled(scene, offByMs, isWrongWall);
    const after = await scene.until(mutex.acquire(NAME));
    expect(after.fencingToken).toBeGreaterThan(before.fencingToken);
  }
});
