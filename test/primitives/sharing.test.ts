import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";
import { share } from "../scale.js";
import { problemsBySeed } from "../waiting/place.js";
import { Crowd } from "./crowd.js";

const SHARED = { mode: "shared" } as const;

it("lets readers in together, and a writer only alone", async () => {
  const scene = new Scene();
  const readers = await Promise.all([1, 2, 3].map(async () => scene.until(scene.client().mutex.acquire(NAME, SHARED))));
  expect(readers.map((lock) => lock.held)).toEqual([true, true, true]);
  expect(new Set(readers.map(({ fencingToken }) => fencingToken)).size).toBe(3);
  const writer = scene.client();
  expect(await scene.until(writer.mutex.tryAcquire(NAME))).toBeNull();
  const written = writer.mutex.acquire(NAME);
  await scene.pass(500);
  for (const lock of readers) expect(await scene.until(lock.release())).toBe(true);
  const lock = await scene.until(written);
  expect(lock).toMatchObject({ mode: "exclusive", held: true });
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME, SHARED))).toBeNull();
  expect(scene.problems).toEqual([]);
});

it("needs as many requests to share a lock as to have all of it", async () => {
  const requests = async (options: object) => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const counts: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const before = scene.bucket.requests;
      const lock = await scene.until(mutex.acquire(NAME, options));
      await scene.until(lock.release());
      counts.push(scene.bucket.requests - before);
    }
    return counts;
  };
  expect(await requests(SHARED)).toEqual(await requests({}));
  expect(await requests(SHARED)).toEqual([3, 2]);
});

it("does not let readers overtake a writer that waits, and lets those behind it in together", async () => {
  const scene = new Scene();
  const first = await scene.until(scene.client().mutex.acquire(NAME, SHARED));
  const order: string[] = [];
  const writing = scene
    .client()
    .mutex.acquire(NAME)
    .then((lock) => {
      order.push("writer");
      return lock;
    });
  await scene.pass(300);
  const reading = [1, 2, 3].map((index) =>
    scene
      .client()
      .mutex.acquire(NAME, SHARED)
      .then((lock) => {
        order.push(`reader ${index}`);
        return lock;
      }),
  );
  await scene.pass(2000);
  expect(order).toEqual([]);
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME, SHARED))).toBeNull();
  await scene.until(first.release());
  const writer = await scene.until(writing);
  expect(order).toEqual(["writer"]);
  await scene.pass(200);
  await scene.until(writer.release());
  const readers = await scene.until(Promise.all(reading));
  expect(readers.every((lock) => lock.held)).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("has 20 readers of 20 instances in within 1.5 s at 20 ms", async () => {
  const took: number[] = [];
  for (let seed = 1; seed <= share(10); seed += 1) {
    const scene = new Scene({ seed });
    const startedAtMs = scene.nowMs;
    await scene.until(Promise.all(Array.from({ length: 20 }, () => scene.client().mutex.acquire(NAME, SHARED))));
    took.push(Math.round(scene.nowMs - startedAtMs));
  }
  expect(Math.max(...took)).toBeLessThan(1500);
});

it("has 20 readers of one instance in with one write each, one after the other", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const startedAtMs = scene.nowMs;
  const locks = await scene.until(Promise.all(Array.from({ length: 20 }, () => mutex.acquire(NAME, SHARED))));
  expect(locks.every((lock) => lock.held)).toBe(true);
  expect(scene.nowMs - startedAtMs).toBeLessThan(21 * 20 + 50);
  expect(scene.bucket.requests).toBeLessThanOrEqual(21);
});

it("becomes a share without a gap, and refuses to become all of it again", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  const { fencingToken } = lock;
  const waiting = scene.client().mutex.acquire(NAME, SHARED);
  await scene.pass(1000);
  expect(await scene.until(lock.downgrade())).toBe(true);
  expect(lock).toMatchObject({ mode: "shared", held: true, fencingToken });
  const other = await scene.until(waiting);
  expect([lock.held, other.held]).toEqual([true, true]);
  await scene.until(other.release());
  await scene.until(lock.release());
  const upgrading = mutex.withLock(NAME, () => mutex.acquire(NAME, { reentrant: true }), SHARED);
  await expect(scene.until(upgrading)).rejects.toMatchObject({
    code: "deadlock",
    message: expect.stringMatching(/downgrade/),
  });
  expect(scene.problems).toEqual([]);
});

it("becomes a share also where its caller renews it all the while: no renewal that began before stands for it", async () => {
  for (const betweenTurns of Array.from({ length: 12 }, (_, turns) => turns)) {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    let isRenewing = true;
    const renewing = (async () => {
      while (isRenewing) {
        expect(await lock.renew()).toBe(true);
        for (let turn = 0; turn < betweenTurns; turn += 1) await Promise.resolve();
      }
    })();
    await scene.pass(5);
    const isDowngraded = await scene.until(lock.downgrade());
    expect([betweenTurns, isDowngraded, lock.mode]).toEqual([betweenTurns, true, "shared"]);
    isRenewing = false;
    await scene.until(renewing);
    expect((await scene.until(scene.client().mutex.acquire(NAME, SHARED))).held).toBe(true);
    expect([lock.held, scene.problems]).toEqual([true, []]);
  }
});

it("lets readers of its own process in after a downgrade", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  const waiting = mutex.acquire(NAME, SHARED);
  await scene.pass(400);
  await scene.until(lock.downgrade());
  expect((await scene.until(waiting, 200)).held).toBe(true);
});

it("never has a writer and another one inside, and serves all, over random readers and writers of shared instances", async () => {
  const bad = await problemsBySeed(share(20), async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const crowd = new Crowd();
    const clients = Array.from({ length: 4 }, () => scene.client({ lockTimeoutMs: 3000 }));
    let served = 0;
    const turns = Array.from({ length: 24 }, async () => {
      const { mutex } = random.pick(clients);
      await scene.world.sleep(random.between(0, 3000));
      const mode = random.pick(["shared", "shared", "exclusive"] as const);
      const lock = await mutex.acquire(NAME, { mode, priority: random.integer(0, 1) });
      crowd.enter(lock);
      await scene.world.sleep(random.between(1, 300));
      if (mode === "exclusive" && random.integer(0, 2) === 0 && (await lock.downgrade())) crowd.enter(lock);
      await scene.world.sleep(random.between(1, 1500));
      crowd.leave(lock);
      await lock.release();
      served += 1;
    });
    await scene.until(Promise.all(turns), 300_000);
    const left = scene.record();
    const leftovers = (left?.holders.length ?? 0) + (left?.queue.length ?? 0);
    return [
      ...scene.problems,
      ...crowd.problems,
      ...(served === 24 ? [] : ["not all served"]),
      ...(leftovers ? ["left"] : []),
    ];
  });
  expect(bad).toEqual({});
});
