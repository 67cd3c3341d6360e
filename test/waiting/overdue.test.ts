import { expect, it } from "vitest";
import { type Client, cutOff, NAME, Scene } from "../../testkit/scene.js";
import { untilQueued } from "./place.js";

/** Leases that could be taken over by the clock, and are not yet: a waiter that waits for what else it takes leaves the store in peace. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 5000;

/** Counts how many requests this client makes in so long. */
async function requestsIn(scene: Scene, { process }: Client, ms: number): Promise<number> {
  const before = scene.requestsOf(process).length;
  await scene.pass(ms);
  return scene.requestsOf(process).length - before;
}

it("a writer who waits for a reader that lives does not ask all the time since another reader has died", async () => {
  const scene = new Scene();
  const options = { lockTimeoutMs: LEASE_MS } as const;
  const [dead, alive, writer] = [scene.client(options), scene.client(options), scene.client(options)];
  const lasting = await scene.until(alive.mutex.acquire(NAME, { mode: "shared" }));
  await scene.until(dead.mutex.acquire(NAME, { mode: "shared" }));
  const waiting = scene.until(writer.mutex.acquire(NAME));
  await untilQueued(scene, 1);
  dead.process.kill();
  await scene.pass(20_000);
  expect(await requestsIn(scene, writer, 60_000)).toBeLessThan(60);
  const releasedAtMs = scene.nowMs;
  await scene.until(lasting.release());
  await waiting;
  expect(scene.nowMs - releasedAtMs).toBeLessThan(2500);
});

it("a waiter that watches a lease that is long over by the clock asks seldom, and takes it soon after it was watched for its length", async () => {
  const scene = new Scene();
  const options = { lockTimeoutMs: 60_000, takeover: "observed" } as const;
  const [dead, watcher] = [scene.client(options), scene.client(options)];
  await scene.until(dead.mutex.acquire(NAME));
  dead.process.kill();
  await scene.pass(HOUR_MS);
  const startedAtMs = scene.nowMs;
  await scene.until(watcher.mutex.acquire(NAME));
  expect(scene.nowMs - startedAtMs).toBeGreaterThan(60_000);
  expect(scene.nowMs - startedAtMs).toBeLessThan(63_000);
  expect(scene.requestsOf(watcher.process).length).toBeLessThan(100);
});

it("a watched lease ends after its length though the clock is set forth and back meanwhile", async () => {
  const scene = new Scene();
  const options = { lockTimeoutMs: LEASE_MS, takeover: "observed" } as const;
  const [dead, watcher] = [scene.client(options), scene.client(options)];
  await scene.until(dead.mutex.acquire(NAME));
  dead.process.kill();
  watcher.process.stepWall(5 * HOUR_MS);
  const startedAtMs = scene.nowMs;
  const waiting = scene.until(watcher.mutex.acquire(NAME));
  await scene.pass(2000);
  watcher.process.stepWall(-5 * HOUR_MS);
  await waiting;
  expect(scene.nowMs - startedAtMs).toBeGreaterThan(LEASE_MS);
  expect(scene.nowMs - startedAtMs).toBeLessThan(LEASE_MS + 4000);
});

it("a waiter behind dead waiters for a dead holder's lock asks some dozens of times until it is its turn", async () => {
  const scene = new Scene();
  const options = { lockTimeoutMs: LEASE_MS } as const;
  const [holder, first, second, last] = Array.from({ length: 4 }, () => scene.client(options)) as [
    Client,
    Client,
    Client,
    Client,
  ];
  await scene.until(holder.mutex.acquire(NAME));
  for (const [index, { mutex }] of [first, second].entries()) {
    void mutex.acquire(NAME).catch(() => {});
    await untilQueued(scene, index + 1);
  }
  for (const { process } of [holder, first, second]) process.kill();
  scene.fate = (sent) =>
    [holder, first, second].map(({ process }) => cutOff(process)(sent)).find(({ kind }) => kind === "lost") ?? {
      kind: "fine",
    };
  await scene.until(last.mutex.acquire(NAME));
  expect(scene.requestsOf(last.process).length).toBeLessThan(80);
});
