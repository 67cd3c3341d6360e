import { beforeEach, expect, it } from "vitest";
import { createTestMutex, type TestMutex } from "../../src/testing/index.js";

/** Holds that end at the end of their lease, since the store is silent, and are given back once it answers. */

const LEASE_MS = 2000;

let world: TestMutex;

beforeEach(async () => {
  world = await createTestMutex({ roundTripMs: 20, lockTimeoutMs: LEASE_MS });
});

async function turns() {
  const report = await world.clock.runUntil(world.another().mutex.inspect("x"));
  return { state: report?.state, turns: report?.recentTurns.map(({ heldMs, ended }) => ({ heldMs, ended })) };
}

it("P23: a hold that was lost while the store was silent is remembered as expired, held for its lease", async () => {
  const { clock, mutex, store } = world;
  const lock = await clock.runUntil(mutex.acquire("x"));
  store.faults.add({ fault: "never-answer", operation: "PutObject" });
  await clock.runUntil(() => lock.signal.aborted);
  await clock.advance(4 * LEASE_MS);
  expect((await turns()).state).toBe("expired");
  store.faults.clear();
  await clock.advance(2 * LEASE_MS);
  expect(await turns()).toEqual({ state: "free", turns: [{ heldMs: LEASE_MS, ended: "expired" }] });
});

it("P23: and so is one that was taken by name and is released after its lease, or ended by an operator", async () => {
  const { clock, mutex } = world;
  await clock.runUntil(mutex.acquireLock("x"));
  await clock.advance(3 * LEASE_MS);
  await clock.runUntil(mutex.releaseLock("x"));
  expect((await turns()).turns).toEqual([{ heldMs: LEASE_MS, ended: "expired" }]);
  await clock.runUntil(mutex.acquireLock("x"));
  await clock.advance(3 * LEASE_MS);
  await clock.runUntil(world.another().mutex.releaseLock("x", true));
  expect((await turns()).turns?.[0]).toEqual({ heldMs: LEASE_MS, ended: "forced" });
});

it("a hold that is released in time was held until then", async () => {
  const { clock, mutex } = world;
  const lock = await clock.runUntil(mutex.acquire("x"));
  await clock.advance(3 * LEASE_MS);
  await clock.runUntil(lock.release());
  const [turn] = (await turns()).turns ?? [];
  expect(turn?.ended).toBe("released");
  expect(turn?.heldMs).toBeGreaterThanOrEqual(3 * LEASE_MS);
});
