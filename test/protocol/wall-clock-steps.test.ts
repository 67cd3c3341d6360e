import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import { type Client, cutOff, FINE, NAME, Scene } from "../../testkit/scene.js";

/** P11: a wall clock that is set, or a machine that slept, is a doubt. The store is asked, and its answer decides. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 60_000;
const ROUND_TRIP_MS = 20;
/** Two reads, since one answer is not believed alone, and the renewal. */
const QUESTION_MS = 3 * ROUND_TRIP_MS + 10;

async function acquired(scene: Scene, { mutex, process }: Client, leaseMs = LEASE_MS): Promise<Lock> {
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs }));
  scene.believe(lock, process);
  return lock;
}

it.each([HOUR_MS, LEASE_MS, -HOUR_MS])("P11: a wall clock that is set by %i ms loses nothing", async (stepMs) => {
  const scene = new Scene();
  const client = scene.client();
  const losses: unknown[] = [];
  client.mutex.on("lost", (event) => losses.push(event));
  const lock = await acquired(scene, client);
  for (let hours = 0; hours < 3; hours += 1) {
    await scene.pass(7000);
    client.process.stepWall(stepMs);
    // In doubt at most for as long as the question takes.
    expect(lock.held).toBe(stepMs < 0);
    await scene.pass(QUESTION_MS);
    expect(lock.held).toBe(true);
    expect(lock.remainingMs).toBeGreaterThan(stepMs > 0 ? LEASE_MS * 0.9 : LEASE_MS / 2);
  }
  expect(losses).toEqual([]);
  expect(lock.signal.aborted).toBe(false);
  expect(await scene.until(lock.release())).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("P11: the doubt is noticed within a second, though no code asks the handle", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client);
  await scene.pass(3000);
  client.process.stepWall(HOUR_MS);
  const before = scene.requestsOf(client.process).length;
  await scene.pass(1000 + QUESTION_MS);
  expect(scene.requestsOf(client.process).length).toBeGreaterThan(before);
  expect(lock.held).toBe(true);
});

it("P11: in doubt `assertHeld` throws, and ends nothing", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client);
  await scene.pass(3000);
  client.process.stepWall(HOUR_MS);
  expect(() => lock.assertHeld()).toThrow(/not known to be held/);
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: "lost", reason: "in-doubt" }));
  expect(lock.signal.aborted).toBe(false);
  await scene.pass(QUESTION_MS);
  expect(() => lock.assertHeld()).not.toThrow();
});

it("P11: a lock that is released in doubt was held, if the store says so", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client);
  await scene.pass(3000);
  client.process.stepWall(HOUR_MS);
  expect(await scene.until(lock.release())).toBe(true);
  expect(lock.signal.aborted).toBe(false);
  expect(scene.record()?.recent).toMatchObject([{ ended: "released" }]);
});

it("P11: a hold that is handed over in doubt goes on elsewhere", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client);
  await scene.pass(3000);
  client.process.stepWall(HOUR_MS);
  const text = await scene.until(lock.serialize());
  const restored = await scene.until(scene.client().mutex.restore(text));
  expect(restored.held).toBe(true);
});

it("P11: what was taken by name is still refreshed and released after the wall clock was set", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS });
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  process.stepWall(HOUR_MS);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
  process.stepWall(HOUR_MS);
  expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(true);
  expect(await scene.until(mutex.releaseLock(NAME))).toBe(true);
});

it("P11: a suspension while the monotonic clock stood still is a loss as soon as the store says who took over", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client, 10_000);
  await scene.pass(3500);
  client.process.freeze(60_000, true);
  const taken = await scene.probe(30_000, 100, {});
  expect(taken?.held).toBe(true);
  while (client.process.isFrozen) await scene.pass(100);
  // Not for an instant after it wakes up, whatever it is asked.
  expect(lock.held).toBe(false);
  expect(() => lock.assertHeld()).toThrow();
  await scene.pass(4 * ROUND_TRIP_MS);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "taken-over" });
  expect(lock.signal.reason.message).toMatch(/another holder took it over\. .*the wall clock, which went 60 s further/);
  expect(scene.problems).toEqual([]);
});

it("P11: such a suspension costs nothing where it was not taken over", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client, 10_000);
  client.process.freeze(60_000, true);
  await scene.pass(60_001);
  expect(lock.held).toBe(false);
  await scene.pass(4 * ROUND_TRIP_MS);
  expect(lock.held).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("P11: one in which the monotonic clock went on is a loss at once", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client, 10_000);
  client.process.freeze(60_000, false);
  await scene.pass(60_001);
  expect(() => lock.assertHeld()).toThrow(/ran out/);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "expired" });
});

it.each([
  [LEASE_MS, 10_000],
  [9000, 3000],
])(
  "P11: no answer: a lease of %i ms is lost after %i ms of doubt, and not held meanwhile",
  async (leaseMs, limitMs) => {
    const scene = new Scene();
    const client = scene.client();
    const lock = await acquired(scene, client, leaseMs);
    await scene.pass(500);
    client.process.stepWall(HOUR_MS);
    scene.fate = cutOff(client.process);
    const sinceMs = scene.nowMs;
    while (!lock.signal.aborted) {
      expect(lock.held).toBe(false);
      await scene.pass(10);
    }
    expect(scene.nowMs - sinceMs).toBeLessThanOrEqual(limitMs + 20);
    expect(scene.nowMs - sinceMs).toBeGreaterThan(limitMs - 1000);
    expect(lock.signal.reason).toMatchObject({ reason: "store-unavailable" });
    expect(lock.signal.reason.message).toMatch(/the wall clock, which went 3600 s further than the monotonic clock/);
    expect(lock.signal.reason.message).toMatch(/was set, or the machine slept.*slew/);
  },
);

it("P11: a store that refuses is quoted in doubt, and the clock is named beside it", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client, 9000);
  await scene.pass(500);
  client.process.stepWall(HOUR_MS);
  scene.fate = ({ operation }) => (operation === "write" ? { kind: "error", status: 503, applied: false } : FINE);
  await scene.pass(4000);
  expect(lock.signal.reason.message).toMatch(/wall clock/);
});

it("P11: the clocks are not blamed for a store that is away until the lease is over", async () => {
  const scene = new Scene();
  const client = scene.client({ clocks: { drift: 0.0005 } });
  const lock = await acquired(scene, client, 9000);
  scene.fate = cutOff(client.process);
  client.process.stepWall(300);
  await scene.pass(10_000);
  expect(lock.signal.reason).toMatchObject({ reason: "store-unavailable" });
  expect(lock.signal.reason.message).not.toMatch(/clock/);
});

it("P11: in doubt, a handle that is asked all the time does not make the store be asked all the time", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client, 9000);
  await scene.pass(500);
  client.process.stepWall(HOUR_MS);
  scene.fate = cutOff(client.process);
  const before = scene.requestsOf(client.process).length;
  while (!lock.signal.aborted) {
    expect(lock.remainingMs).toBe(0);
    await scene.pass(5);
  }
  expect(scene.requestsOf(client.process).length - before).toBeLessThan(8);
});

it("P11: one whose record was deleted, or whose hold was ended by force, is told so by the answer", async () => {
  const scene = new Scene();
  const client = scene.client();
  const lock = await acquired(scene, client);
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  client.process.stepWall(HOUR_MS);
  expect(lock.held).toBe(false);
  await scene.pass(4 * ROUND_TRIP_MS);
  expect(lock.signal.reason).toMatchObject({ reason: "force-released" });
});

it("P11: a leader, and permits of a semaphore, keep what they have as well", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const permit = await scene.until(mutex.semaphore("pool", { permits: 2 }).acquire());
  const leadership = await scene.until(mutex.election("office").campaign());
  await scene.pass(2000);
  process.stepWall(HOUR_MS);
  await scene.pass(1500);
  expect([permit.held, leadership.held]).toEqual([true, true]);
  expect(permit.signal.aborted || leadership.signal.aborted).toBe(false);
});
