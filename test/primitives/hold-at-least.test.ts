import { expect, it } from "vitest";
import type { AcquireOptions } from "../../src/index.js";
import { type Client, cutOff, FINE, KEY, NAME, Scene } from "../../testkit/scene.js";

const MINUTE = 60_000;
const LEASE_MS = 10_000;
/** A lease's end is respected for so much longer, and a waiter has to poll. */
const TOLERANCE_MS = 1000;
const LOOK_MS = 3000;

const sceneOf = () => new Scene();
const clientOf = (scene: Scene) => scene.client({ lockTimeoutMs: LEASE_MS });

/** Measures when another process gets in that asks all the time, counted from this moment. */
async function freeAfterMs(scene: Scene, limitMs = 5 * MINUTE): Promise<number> {
  const fromMs = scene.nowMs;
  const { mutex } = clientOf(scene);
  const lock = await scene.until(mutex.acquire(NAME), limitMs);
  await scene.until(lock.release());
  return scene.nowMs - fromMs;
}

function expectAbout(actualMs: number, earliestMs: number): void {
  expect(actualMs).toBeGreaterThanOrEqual(earliestMs);
  expect(actualMs).toBeLessThan(earliestMs + TOLERANCE_MS + LOOK_MS);
}

/** A job of a second. */
const job = (scene: Scene) => async () => {
  await scene.world.sleep(1000);
  return "done";
};

const run = (scene: Scene, { mutex }: Client, options: AcquireOptions = { holdAtLeastMs: MINUTE }) =>
  scene.until(mutex.withLock(NAME, job(scene), options));

it("P19: a job of a second, started two seconds later on another machine, runs once", async () => {
  const scene = sceneOf();
  const [first, second] = [clientOf(scene), clientOf(scene)];
  expect(await run(scene, first)).toBe("done");
  await scene.pass(1000);
  expect(await run(scene, second, { holdAtLeastMs: MINUTE, timeoutMs: 0 })).toBeNull();
  expectAbout(await freeAfterMs(scene), MINUTE - 3000);
  expect(scene.problems).toEqual([]);
});

it("P19: is over when its time is, also where the process has ended long before", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  await run(scene, client);
  const { leftBehind } = await scene.until(client.mutex.close());
  expect(leftBehind).toEqual([]);
  const sent = scene.requestsOf(client.process).length;
  client.process.kill();
  expectAbout(await freeAfterMs(scene), MINUTE - 1500);
  expect(scene.requestsOf(client.process)).toHaveLength(sent);
});

it("P19: costs no request more than a lock that is given back, and none while no caller works", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  await run(scene, client, {});
  const before = scene.sent.length;
  await run(scene, client, {});
  const usual = scene.sent.length - before;
  await run(scene, client);
  expect(scene.sent.length - before).toBe(2 * usual);
  await scene.pass(MINUTE);
  expect(scene.sent.length - before).toBe(2 * usual);
});

it("P19: has the same process's next call wait as well, and one that has come before", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  const startedMs = scene.nowMs;
  const running = run(scene, client);
  await scene.pass(500);
  const waiting = client.mutex.acquire(NAME);
  await running;
  expect(await scene.until(client.mutex.tryAcquire(NAME))).toBeNull();
  expect(await scene.until(client.mutex.isLocked(NAME))).toBe(true);
  expect(await scene.until(client.mutex.isOwnedByUs(NAME))).toBe(false);
  await scene.until(waiting, 2 * MINUTE);
  expectAbout(scene.nowMs - startedMs, MINUTE);
});

it("P19: work that takes longer is renewed as ever, and gives the lock back at its end", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  const lock = await scene.until(client.mutex.acquire(NAME, { holdAtLeastMs: MINUTE }));
  expect(lock.remainingMs).toBeGreaterThan(MINUTE - 1000);
  await scene.pass(3 * MINUTE);
  expect(lock.held).toBe(true);
  // By now the lease is as short as the caller wants it to be.
  expect(lock.remainingMs).toBeLessThan(LEASE_MS);
  expect(await scene.until(lock.release())).toBe(true);
  expect(await freeAfterMs(scene)).toBeLessThan(1000);
});

it("P19: a process that dies keeps it for as long as it was to be held, or its lease", async () => {
  for (const [holdAtLeastMs, diesAfterMs, freeAtMs] of [
    [MINUTE, 1000, MINUTE],
    [2000, 1000, LEASE_MS],
    [MINUTE, 3 * MINUTE, 3 * MINUTE],
  ] as const) {
    const scene = sceneOf();
    const client = clientOf(scene);
    const grantedMs = scene.nowMs;
    await scene.until(client.mutex.acquire(NAME, { holdAtLeastMs }));
    await scene.pass(diesAfterMs);
    client.process.kill();
    await freeAfterMs(scene);
    const endMs = scene.nowMs - grantedMs;
    expect(endMs).toBeGreaterThanOrEqual(freeAtMs);
    expect(endMs).toBeLessThan(freeAtMs + LEASE_MS + TOLERANCE_MS + LOOK_MS);
  }
});

it("P19: a release that never arrives changes nothing about that, and keeps its caller for a lease at most", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  const grantedMs = scene.nowMs;
  const lock = await scene.until(client.mutex.acquire(NAME, { holdAtLeastMs: 3 * MINUTE }));
  await scene.pass(1000);
  scene.fate = cutOff(client.process);
  const releasing = lock.release().catch((error: Error) => error);
  expect(await scene.until(releasing, LEASE_MS + 6000)).toMatchObject({ code: "store-unavailable" });
  // What is cleared up then leaves it for its time, too.
  scene.fate = () => FINE;
  await scene.pass(LEASE_MS);
  expect(scene.record()?.holders).toMatchObject([{ releasedAtMs: expect.any(Number) }]);
  await freeAfterMs(scene);
  expectAbout(scene.nowMs - grantedMs, 3 * MINUTE);
});

it("P19: a hold that is lost to force does not last", async () => {
  const scene = sceneOf();
  const [client, operator] = [clientOf(scene), clientOf(scene)];
  await run(scene, client);
  expect(await scene.until(operator.mutex.inspect(NAME))).toMatchObject({
    state: "held",
    holders: [{ releasedAt: expect.any(Number) }],
  });
  expect(await scene.until(operator.mutex.releaseLock(NAME, true))).toBe(true);
  expect(await freeAfterMs(scene)).toBeLessThan(1000);
});

it("P19: what several locks were not all had of is given back at once", async () => {
  const scene = sceneOf();
  const [client, other] = [clientOf(scene), clientOf(scene)];
  const taken = await scene.until(other.mutex.acquire("y"));
  const both = client.mutex.withLocks([NAME, "y"], job(scene), { holdAtLeastMs: MINUTE, timeoutMs: 3000 });
  expect(await scene.until(both)).toBeNull();
  expect(await freeAfterMs(scene)).toBeLessThan(1000);
  await scene.until(taken.release());
  const again = client.mutex.withLocks([NAME, "y"], job(scene), { holdAtLeastMs: MINUTE });
  expect(await scene.until(again)).toBe("done");
  for (const name of [NAME, "y"]) expect(await scene.until(other.mutex.tryAcquire(name))).toBeNull();
});

it("P19: what was granted and no caller learnt of is given back at once: timed out, aborted, closed", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  const aborting = new AbortController();
  // The grant lands while its answer is under way, and its caller is gone by then.
  scene.bucket.onChange = () => aborting.abort();
  const options = { holdAtLeastMs: MINUTE, signal: aborting.signal };
  await expect(scene.until(client.mutex.acquire(NAME, options))).rejects.toMatchObject({ code: "aborted" });
  await scene.pass(1000);
  expect(scene.record()?.holders).toEqual([]);
});

it("P19: permits are held at least as long as well, each by itself", async () => {
  const scene = sceneOf();
  const pool = (client: Client) => client.mutex.semaphore("pool", { permits: 2 });
  const [client, other] = [clientOf(scene), clientOf(scene)];
  await scene.until(pool(client).withPermits(job(scene), { holdAtLeastMs: MINUTE }));
  const second = await scene.until(pool(other).tryAcquire());
  expect(second).not.toBeNull();
  expect(await scene.until(pool(client).tryAcquire())).toBeNull();
  const fromMs = scene.nowMs;
  await scene.until(pool(other).acquire(), 2 * MINUTE);
  expectAbout(scene.nowMs - fromMs, MINUTE - 2000);
});

it("P19: shares are held at least as long, and let other shares in", async () => {
  const scene = sceneOf();
  const client = clientOf(scene);
  await run(scene, client, { holdAtLeastMs: MINUTE, mode: "shared" });
  expect(await scene.until(client.mutex.tryAcquire(NAME))).toBeNull();
  const reader = await scene.until(client.mutex.tryAcquire(NAME, { mode: "shared" }));
  expect(await scene.until(reader?.release() ?? Promise.resolve(false))).toBe(true);
  expectAbout(await freeAfterMs(scene), MINUTE - 2000);
});

it("P19: goes with a hold to another process", async () => {
  const scene = sceneOf();
  const [client, other] = [clientOf(scene), clientOf(scene)];
  const lock = await scene.until(client.mutex.acquire(NAME, { holdAtLeastMs: MINUTE }));
  const text = await scene.until(lock.serialize());
  await scene.pass(5000);
  const restored = await scene.until(other.mutex.restore(text));
  expect(restored.remainingMs).toBeGreaterThan(MINUTE - 6000);
  await scene.until(restored.release());
  expectAbout(await freeAfterMs(scene), MINUTE - 6000);
  // It goes on with the lease that it was acquired with.
  expect(JSON.parse(text)).toMatchObject({ leaseMs: LEASE_MS });
});

it("P19: clients that watch leases wait for as long, and so does 1.x", async () => {
  const scene = sceneOf();
  await run(scene, clientOf(scene));
  expect(JSON.parse(scene.bucket.objects.get(KEY)?.body ?? "")).toMatchObject({ locked: true });
  const observer = scene.client({ takeover: "observed", lockTimeoutMs: LEASE_MS });
  const fromMs = scene.nowMs;
  await scene.until(observer.mutex.acquire(NAME), 3 * MINUTE);
  expectAbout(scene.nowMs - fromMs, MINUTE - 1500);
});

it("P19: is a whole number, and none in a call that nests or that is remembered anyway", async () => {
  const scene = sceneOf();
  const { mutex } = clientOf(scene);
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "60", null, 366 * 24 * 3_600_000]) {
    const options = { holdAtLeastMs: value as number };
    const refusal = { code: "invalid-argument", message: expect.stringMatching(/^holdAtLeastMs is /) };
    for (const call of [
      () => mutex.acquire(NAME, options),
      () => mutex.tryAcquire(NAME, options),
      () => mutex.withLock(NAME, () => {}, options),
      () => mutex.withLocks([NAME], () => {}, options),
      () => mutex.acquireAll([NAME], options),
      () => mutex.semaphore("pool", { permits: 2 }).acquire(options),
    ])
      await expect(scene.until<unknown>(call())).rejects.toMatchObject(refusal);
  }
  expect(scene.sent).toEqual([]);
  const nesting = mutex.withLock(NAME, () =>
    mutex.withLock(NAME, () => {}, { reentrant: true, holdAtLeastMs: MINUTE }),
  );
  await expect(scene.until(nesting)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining("nests in a hold"),
  });
  expect(await freeAfterMs(scene)).toBeLessThan(1000);
  const once = mutex.runOnce("job", () => 1, { holdAtLeastMs: MINUTE } as never);
  await expect(scene.until(once)).rejects.toMatchObject({ code: "invalid-argument" });
});
