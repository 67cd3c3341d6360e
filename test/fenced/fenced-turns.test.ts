import { beforeEach, expect, it } from "vitest";
import { createTestMutex, type TestMutex } from "../../src/testing/index.js";

/** Calls that wait for each other: each one's time begins when it is made. */

const LEASE_MS = 60_000;
const FULL_ATTEMPT_MS = 30_000;

let world: TestMutex;

beforeEach(async () => {
  world = await createTestMutex({ roundTripMs: 20, lockTimeoutMs: LEASE_MS });
});

async function opened() {
  const { clock, mutex } = world;
  const lock = await clock.runUntil(mutex.acquire("x"));
  const object = await clock.runUntil(lock.fencedObject<number>({ key: "object" }));
  await clock.runUntil(object.write(0));
  return { lock, object };
}

/** Measures after how many milliseconds each of them ended, and says how. */
async function ends(calls: readonly (() => Promise<unknown>)[], limitMs = 1_000_000) {
  const { clock } = world;
  const startedAtMs = clock.nowMs;
  const ended = calls.map((call) =>
    call().then(
      () => ({ afterMs: clock.nowMs - startedAtMs, how: "done" }),
      (error) => ({ afterMs: clock.nowMs - startedAtMs, how: error.code as string, error }),
    ),
  );
  return await clock.runUntil(Promise.all(ended), { limitMs });
}

it("calls on one fenced object, made at once over a silent store, end as if each was alone", async () => {
  const { object } = await opened();
  world.store.faults.add({ fault: "never-answer" });
  const calls = Array.from({ length: 8 }, (_, count) => [
    () => object.write(count),
    () => object.read(),
    () => object.update((content = 0) => content + 1),
    () => object.delete(),
  ]).flat();
  for (const { afterMs, how } of await ends(calls)) {
    expect(how).toBe("store-unavailable");
    expect(afterMs).toBeLessThanOrEqual(LEASE_MS + 10);
  }
});

it("and so where reads are answered and writes are not", async () => {
  const { object } = await opened();
  world.store.faults.add({ fault: "never-answer", operation: "PutObject", key: "object" });
  const calls = Array.from({ length: 8 }, (_, count) => () => object.write(count));
  const all = await ends(calls);
  expect(all.map(({ how }) => how)).toEqual(calls.map(() => "store-unavailable"));
  for (const { afterMs } of all) expect(afterMs).toBeLessThanOrEqual(LEASE_MS + 10);
});

it("a call that comes later has its own time, and one full attempt near the end of the lease", async () => {
  const { object } = await opened();
  world.store.faults.add({ fault: "never-answer" });
  const later = () => world.clock.sleep(50_000).then(() => object.write(2));
  const [, second] = await ends([() => object.write(1), later]);
  expect(second?.how).toBe("store-unavailable");
  expect(second?.afterMs).toBeGreaterThan(LEASE_MS);
  expect(second?.afterMs).toBeLessThanOrEqual(50_000 + FULL_ATTEMPT_MS + 10);
});

it("what a caller's own function takes counts neither for its call nor for those that wait behind it", async () => {
  const { object } = await opened();
  const slow = () => object.update((content = 0) => world.clock.sleep(5 * LEASE_MS).then(() => content + 1));
  expect((await ends([slow, () => object.write(2), () => object.read()])).map(({ how }) => how)).toEqual([
    "done",
    "done",
    "done",
  ]);
  const whenSilent = () =>
    object.update((content = 0) =>
      world.clock.sleep(5 * LEASE_MS).then(() => {
        world.store.faults.add({ fault: "never-answer" });
        return content + 1;
      }),
    );
  for (const { afterMs, how } of await ends([whenSilent, () => object.write(2), () => object.read()])) {
    expect(how).toBe("store-unavailable");
    expect(afterMs).toBeLessThanOrEqual(6 * LEASE_MS + 10);
  }
});

it("calls that waited while the process stood still share one more attempt", async () => {
  const { object } = await opened();
  world.store.faults.add({ fault: "never-answer" });
  const calls = Array.from({ length: 8 }, (_, count) => () => object.write(count));
  const all = ends(calls);
  await world.clock.advance(100);
  world.process.freeze({ forMs: 5 * LEASE_MS });
  for (const { afterMs } of await all) expect(afterMs).toBeLessThanOrEqual(5 * LEASE_MS + FULL_ATTEMPT_MS + 200);
});
