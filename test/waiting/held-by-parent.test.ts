import { expect, it, test } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { type Client, Scene } from "../../testkit/scene.js";
import { keyOf, outcomeOf, pause } from "./place.js";

/** What a process holds is told to those that it starts, and counts when they wait. */

/** Makes a process that was started under a lock. */
function childOf(scene: Scene, { mutex }: Client, held: Parameters<S3Mutex["heldForChild"]>[0]): Client {
  return scene.client({ heldByParent: mutex.heldForChild(held) });
}

it("C4: tells a process at once that it would wait for the end of its own parent", async () => {
  const scene = new Scene();
  const parent = scene.client();
  const lock = await scene.until(parent.mutex.acquire("job"));
  const child = childOf(scene, parent, lock);
  const startedAtMs = scene.nowMs;
  const outcome = await scene.until(outcomeOf(scene, child.mutex.acquire("job", { timeoutMs: 60_000 })));
  expect(outcome).toMatchObject({ code: "deadlock", error: { cycle: [{ lockName: "job", host: "p1" }] } });
  expect(outcome.atMs - startedAtMs).toBeLessThan(500);
  await scene.pass(2000);
  expect(scene.record(keyOf("job"))?.queue).toEqual([]);
  expect(await scene.until(child.mutex.tryAcquire("job"))).toBeNull();
  expect(await scene.until(child.mutex.acquireLock("job", 60_000))).toBe(false);
  await scene.until(lock.release());
  expect((await scene.until(child.mutex.acquire("job", { timeoutMs: 5000 }))).held).toBe(true);
  scene.check();
});

it("C4: a hold of the parent's that is over keeps no caller from waiting, whatever holder the lock has by then", async () => {
  const scene = new Scene();
  const parent = scene.client();
  const lock = await scene.until(parent.mutex.acquire("job"));
  const child = childOf(scene, parent, lock);
  await scene.until(lock.release());
  const other = await scene.until(scene.client().mutex.acquire("job"));
  const waiting = outcomeOf(scene, child.mutex.acquire("job", { timeoutMs: 60_000 }));
  await scene.pass(5000);
  await scene.until(other.release());
  expect((await scene.until(waiting)).value?.held).toBe(true);
  scene.check();
});

it("C4: a parent's hold that was given back, and stays for its holdAtLeastMs, is waited for", async () => {
  const scene = new Scene();
  const parent = scene.client();
  const lock = await scene.until(parent.mutex.acquire("job", { holdAtLeastMs: 5000 }));
  const child = childOf(scene, parent, lock);
  await scene.until(lock.release());
  expect((await scene.until(child.mutex.acquire("job", { timeoutMs: 60_000 }))).held).toBe(true);
  scene.check();
});

it("C4: a parent that has died is waited for until its lease is over", async () => {
  const scene = new Scene();
  const parent = scene.client({ lockTimeoutMs: 3000 });
  const lock = await scene.until(parent.mutex.acquire("job"));
  const child = childOf(scene, parent, lock);
  parent.process.kill();
  await scene.pass(3200);
  expect((await scene.until(child.mutex.acquire("job", { timeoutMs: 60_000 }))).held).toBe(true);
});

it("C4: finds the cycle of two that took their locks in opposite orders, each through a child", async () => {
  const scene = new Scene();
  const nest = async (first: string, second: string, priority: number) => {
    const parent = scene.client();
    const outer = await parent.mutex.acquire(first);
    await pause(parent.process, 300);
    const child = childOf(scene, parent, outer);
    try {
      await using _ = await child.mutex.acquire(second, { priority, timeoutMs: 60_000 });
      return "both";
    } finally {
      await outer.release();
    }
  };
  const outcomes = [nest("a", "b", 0), nest("b", "a", -1)].map((work) => outcomeOf(scene, work));
  const [one, other] = await scene.until(Promise.all(outcomes));
  expect(one).toMatchObject({ value: "both" });
  expect(other).toMatchObject({ code: "deadlock", error: { cycle: [{ lockName: "a" }, { lockName: "b" }] } });
  scene.check();
});

it("C4: goes through any number of levels, and through sets and semaphores", async () => {
  const scene = new Scene();
  const first = scene.client();
  const set = await scene.until(first.mutex.acquireAll(["a", "b"]));
  const second = childOf(scene, first, set);
  const permit = await scene.until(second.mutex.semaphore("pool", { permits: 2 }).acquire());
  const third = childOf(scene, second, permit);
  const { code } = await scene.until(outcomeOf(scene, third.mutex.acquire("b", { timeoutMs: 60_000 })));
  expect(code).toBe("deadlock");
  const pool = third.mutex.semaphore("pool", { permits: 2 });
  expect((await scene.until(outcomeOf(scene, pool.acquire({ permits: 2, timeoutMs: 60_000 })))).code).toBe("deadlock");
  expect((await scene.until(pool.acquire({ timeoutMs: 60_000 }))).held).toBe(true);
  // A lock of the name of a semaphore is another thing.
  expect((await scene.until(third.mutex.acquire("pool", { timeoutMs: 60_000 }))).held).toBe(true);
  scene.check();
});

it("C4: a share inside of a share is had, and a deadlock where a waiter that wants all of it is in between", async () => {
  const scene = new Scene();
  const parent = scene.client();
  const share = await scene.until(parent.mutex.acquire("job", { mode: "shared" }));
  const child = childOf(scene, parent, share);
  const inner = await scene.until(child.mutex.acquire("job", { mode: "shared" }));
  await scene.until(inner.release());
  const writer = outcomeOf(scene, scene.client().mutex.acquire("job", { timeoutMs: 30_000 }));
  await scene.pass(1000);
  const again = await scene.until(outcomeOf(scene, child.mutex.acquire("job", { mode: "shared", timeoutMs: 60_000 })));
  expect(again.code).toBe("deadlock");
  await scene.until(share.release());
  expect((await scene.until(writer)).value?.held).toBe(true);
});

it("C4: knows the lock by its key, whatever the prefix makes of its name", async () => {
  const scene = new Scene();
  const parent = scene.client();
  const lock = await scene.until(parent.mutex.acquire("team/job"));
  const heldByParent = parent.mutex.heldForChild(lock);
  const inTeam = scene.client({ heldByParent, keyPrefix: "locks/team/" });
  expect((await scene.until(outcomeOf(scene, inTeam.mutex.acquire("job")))).code).toBe("deadlock");
  const elsewhere = scene.client({ heldByParent, keyPrefix: "others/" });
  expect((await scene.until(elsewhere.mutex.acquire("team/job", { timeoutMs: 5000 }))).held).toBe(true);
  const otherBucket = scene.client({ heldByParent, bucketName: "another" });
  expect((await scene.until(otherBucket.mutex.acquire("x", { timeoutMs: 5000 }))).held).toBe(true);
});

const NO_HOLDS = JSON.stringify({ s3MutexHeld: 1, holds: [] });

test.each<unknown>([
  "x",
  "{}",
  "null",
  7,
  '{"s3MutexHeld":1}',
  NO_HOLDS.replace("[]", '[{"key":"k"}]'),
  NO_HOLDS.replace("1", "2"),
])("heldByParent %j is refused with what to do", (heldByParent) => {
  const options = { s3ClientConfig: {}, bucketName: "b", heldByParent: heldByParent as string };
  expect(() => new S3Mutex(options)).toThrow(/^heldByParent is .*: (pass|use) /);
});

test.each(["", undefined, NO_HOLDS])("heldByParent %j is nothing", (heldByParent) => {
  expect(() => new S3Mutex({ s3ClientConfig: {}, bucketName: "b", heldByParent })).not.toThrow();
});

it("what another mutex has given out is not a lock of this one", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire("job"));
  expect(() => scene.client().mutex.heldForChild(lock)).toThrow('held is "another object": pass a lock');
});
