import { expect, it } from "vitest";
import { createTestMutex } from "../../src/testing/index.js";
import { Scene } from "../../testkit/scene.js";
import { share } from "../scale.js";
import { problemsBySeed } from "../waiting/place.js";
import { Crowd } from "./crowd.js";

const POOL = "semaphores/locks/pool.json";

it("lets in as many as there are permits, each with a token of its own, and the next when one comes back", async () => {
  const scene = new Scene();
  const pool = () => scene.client().mutex.semaphore("pool", { permits: 2 });
  const first = await scene.until(pool().acquire());
  const second = await scene.until(pool().acquire());
  expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
  expect(first).toMatchObject({ permits: 1, held: true });
  expect(await scene.until(pool().tryAcquire())).toBeNull();
  const third = pool().acquire();
  await scene.pass(500);
  expect(await scene.until(first.release())).toBe(true);
  expect((await scene.until(third, 500)).held).toBe(true);
  expect(scene.record(POOL)).toMatchObject({ limit: 2, holders: [{}, {}] });
});

it("takes several permits at once, all or none, and does not let callers that want few overtake forever", async () => {
  const scene = new Scene();
  const pool = () => scene.client().mutex.semaphore("pool", { permits: 3 });
  const two = await scene.until(pool().acquire({ permits: 2 }));
  const all = pool().acquire({ permits: 3 });
  await scene.pass(300);
  expect(await scene.until(pool().tryAcquire())).toBeNull();
  await scene.until(two.release());
  const lock = await scene.until(all);
  expect(lock.permits).toBe(3);
  expect(await scene.until(lock.release())).toBe(true);
  await expect(scene.until(pool().acquire({ permits: 4 }))).rejects.toThrow(/permits is 4: the semaphore has 3/);
});

it("gives the permits of a process that died back when its lease is over", async () => {
  const scene = new Scene();
  const dying = scene.client({ lockTimeoutMs: 5000 });
  await scene.until(dying.mutex.semaphore("pool", { permits: 1 }).acquire());
  const startedAtMs = scene.nowMs;
  dying.process.kill();
  const permit = await scene.until(scene.client().mutex.semaphore("pool", { permits: 1 }).acquire());
  expect(permit.held).toBe(true);
  expect(scene.nowMs - startedAtMs).toBeLessThan(5000 + 1000 + 2000);
});

it("is another thing than the lock of the same name", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire("pool"));
  const permit = await scene.until(mutex.semaphore("pool", { permits: 1 }).acquire());
  expect([lock.held, permit.held]).toEqual([true, true]);
});

it("renews all permits of a process in one write", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 30_000 });
  const pool = mutex.semaphore("pool", { permits: 10 });
  for (let index = 0; index < 10; index += 1) {
    await scene.until(pool.acquire());
    await scene.pass(500);
  }
  const before = scene.bucket.requests;
  await scene.pass(60_000);
  // Six thirds of a lease, one write each; the permits were taken at ten different times.
  expect(scene.bucket.requests - before).toBeLessThanOrEqual(7);
  expect(scene.record(POOL)?.holders.length).toBe(10);
});

it("refuses a lease in which so many permits could not be renewed", async () => {
  const scene = new Scene({ roundTripMs: () => 100 });
  const { mutex } = scene.client();
  await scene.until(mutex.semaphore("small", { permits: 2 }).acquire());
  const refused = mutex.semaphore("pool", { permits: 50 }).acquire({ leaseMs: 5000 });
  await expect(scene.until(refused)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringMatching(/leaseMs is 5000: 50 permits could not all be renewed/),
  });
});

it.each([50, "stored"] as const)(
  "refuses the same to a process that has just started as to one that has run for long (permits: %s)",
  async (permits) => {
    const scene = new Scene({ roundTripMs: () => 100 });
    const [first, warm, cold] = [scene.client(), scene.client(), scene.client()];
    await scene.until(first.mutex.semaphore("pool", { permits: 50 }).acquire({ leaseMs: 60_000 }));
    await scene.until(warm.mutex.isLocked("warm"));
    const burst = (mutex: typeof warm.mutex) => {
      const pool = mutex.semaphore("pool", { permits });
      const calls = Array.from({ length: 20 }, () => pool.acquire({ leaseMs: 5000 }).catch(({ message }) => message));
      return scene.until(Promise.all(calls), 30_000);
    };
    const said = expect.stringMatching(/^leaseMs is 5000: 50 permits could not all be renewed in time/);
    for (const { mutex } of [warm, cold]) expect(await burst(mutex)).toEqual(new Array(20).fill(said));
  },
);

it("does not take the time that its process stood still for that of a round trip", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 50 });
  await scene.until(mutex.isLocked("warm"));
  const looking = mutex.isLocked("warm");
  process.freeze(20_000, false);
  await scene.until(looking);
  expect((await scene.until(pool.acquire({ leaseMs: 10_000 }))).held).toBe(true);
});

it("refuses no lease by round trips that were slow while its process was busy", async () => {
  let isBusy = true;
  const scene = new Scene({ roundTripMs: () => (isBusy ? 1000 : 5) });
  const { mutex } = scene.client();
  await scene.until(Promise.all(Array.from({ length: 30 }, (_, index) => mutex.isLocked(`warm ${index}`))), 20_000);
  isBusy = false;
  const pool = mutex.semaphore("pool", { permits: 50 });
  const before = scene.sent.length;
  const permits = Array.from({ length: 20 }, () => pool.acquire({ leaseMs: 10_000 }));
  for (const permit of await scene.until(Promise.all(permits))) expect(permit.held).toBe(true);
  expect(scene.sent.length - before).toBeLessThanOrEqual(25);
});

it.each(["timed out", "aborted", "closed"])(
  "a call that looks whether its lease could be renewed is %s in time",
  async (how) => {
    const scene = new Scene({ roundTripMs: () => 1000 });
    const { mutex } = scene.client();
    await scene.until(mutex.isLocked("warm"), 5000);
    scene.fate = () => ({ kind: "lost" });
    const startedAtMs = scene.nowMs;
    const stop = new AbortController();
    const options = { leaseMs: 10_000, timeoutMs: 3000, signal: stop.signal };
    const outcome = mutex
      .semaphore("pool", { permits: 50 })
      .acquire(options)
      .catch((error) => error.code);
    await scene.pass(500);
    if (how === "aborted") stop.abort();
    if (how === "closed") void mutex.close();
    const code = { "timed out": "store-unavailable", aborted: "aborted", closed: "closed" }[how];
    expect(await scene.until(outcome, 8000)).toBe(code);
    expect(scene.nowMs - startedAtMs).toBeLessThan(how === "timed out" ? 6000 : 1000);
  },
);

it("P13: as many attempts of one process as there are permits, at once, each get one, for one write each", async () => {
  const scene = new Scene();
  const pool = scene.client().mutex.semaphore("pool", { permits: 100 });
  const permits = await scene.until(Promise.all(Array.from({ length: 100 }, () => pool.tryAcquire())), 5000);
  expect(permits.filter((permit) => permit?.held).length).toBe(100);
  expect(scene.sent.length).toBeLessThanOrEqual(105);
  expect(await scene.until(pool.tryAcquire())).toBeNull();
});

it("P13: as many attempts of one process as there are permits, at once, each get one with slow answers, too", async () => {
  const { mutex, store, clock } = await createTestMutex({ roundTripMs: 20 });
  let answers = 0;
  const latencyMs = () => {
    answers += 1;
    return answers % 10 === 5 ? 2000 : 20;
  };
  store.faults.add({ fault: "latency", latencyMs });
  const pool = mutex.semaphore("pool", { permits: 60 });
  const permits = await clock.runUntil(Promise.all(Array.from({ length: 60 }, () => pool.tryAcquire())));
  expect(permits.filter((permit) => permit?.held).length).toBe(60);
  expect(store.requests.length).toBeLessThanOrEqual(120);
  await clock.runUntil(mutex.close());
});

it("runs a function with permits, and says so at once where its scope has too many itself", async () => {
  const scene = new Scene();
  const pool = scene.client().mutex.semaphore("pool", { permits: 2 });
  const nested = pool.withPermits(() => pool.withPermits(() => "fine"));
  expect(await scene.until(nested)).toBe("fine");
  const tooMany = pool.withPermits(() => pool.withPermits(() => "never", { permits: 2 }));
  await expect(scene.until(tooMany)).rejects.toMatchObject({ code: "deadlock" });
});

it("breaks a deadlock of two who each want more of what both have", async () => {
  const scene = new Scene();
  const take = async (priority: number) => {
    const pool = scene.client().mutex.semaphore("pool", { permits: 4 });
    return pool.withPermits(
      async () => {
        await scene.world.sleep(200);
        return pool.withPermits(() => "both", { permits: 2, priority, timeoutMs: 60_000 });
      },
      { permits: 2, priority },
    );
  };
  const outcomes = await scene.until(Promise.allSettled([take(1), take(0)]), 30_000);
  expect(outcomes).toMatchObject([
    { status: "fulfilled", value: "both" },
    { status: "rejected", reason: { code: "deadlock" } },
  ]);
});

it("never has more inside than there are permits, and serves all: 10 permits, 30 clients, 20 ms", async () => {
  const bad = await problemsBySeed(share(5), async (seed) => {
    const scene = new Scene({ seed });
    const crowd = new Crowd(10);
    const turns = Array.from({ length: 30 }, async () => {
      const pool = scene.client().mutex.semaphore("pool", { permits: 10 });
      const permit = await pool.acquire();
      crowd.enter(permit);
      await scene.world.sleep(20);
      crowd.leave(permit);
      await permit.release();
    });
    await scene.until(Promise.all(turns), 60_000);
    return crowd.problems;
  });
  expect(bad).toEqual({});
});

it("says what was not free in time, and null where that was asked for", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 2 });
  const permit = await scene.until(pool.acquire({ permits: 2 }));
  await expect(scene.until(pool.acquire({ timeoutMs: 300 }))).rejects.toMatchObject({
    code: "timed-out",
    message: expect.stringMatching(/^No permit of "pool" was free within 300 ms\. It is held by .+ since /),
    lockName: "pool",
  });
  expect(await scene.until(pool.withPermits(() => "done", { timeoutMs: 300 }))).toBeNull();
  await expect(pool.withPermits("done" as never)).rejects.toThrow(/fn is "done": pass the function to run/);
  await scene.until(permit.release());
  expect(await scene.until(pool.withPermits(() => "done"))).toBe("done");
});

it("P13: says that permits were free where the time was too short for all who asked at once", async () => {
  const scene = new Scene({ roundTripMs: () => 100 });
  const pools = Array.from({ length: 60 }, () => scene.client().mutex.semaphore("pool", { permits: 100 }));
  const asked = pools.map((pool) => pool.acquire({ timeoutMs: 1000 }).then(() => "had", String));
  const said = new Set(await scene.until(Promise.all(asked), 10_000));
  said.delete("had");
  expect(said).not.toEqual(new Set());
  const late = /No permit of "pool" was had within 1000 ms, although \d+ were free when that was last seen/;
  for (const message of said) expect(message).toMatch(late);
});

it("P13: calls of one process that make one attempt each have their whole time from their turn on", async () => {
  for (const permits of [100, 250]) {
    const scene = new Scene({ roundTripMs: () => 100 });
    const pool = scene.client().mutex.semaphore("pool", { permits });
    const tries = Array.from({ length: permits }, () => pool.tryAcquire());
    const had = await scene.until(Promise.all(tries), 30_000);
    expect([permits, had.filter((permit) => permit === null)]).toEqual([permits, []]);
    expect(await scene.until(pool.tryAcquire())).toBeNull();
  }
});

it("P13: permits that were free when last seen are not called taken", async () => {
  const scene = new Scene({ roundTripMs: () => 500 });
  const { mutex } = scene.client({ lockTimeoutMs: 600_000 });
  const late = /^No permit of "\w+" was had within \d+ ms, although \d+ were free when that was last seen/;
  const free = { code: "timed-out", message: expect.stringMatching(late) };
  const calls = [
    () => mutex.semaphore("one", { permits: 100 }).tryAcquire(),
    () => mutex.semaphore("two", { permits: 100 }).withPermits(() => scene.world.sleep(60_000), { timeoutMs: 3000 }),
  ];
  for (const call of calls) {
    const asked = Array.from({ length: 100 }, () =>
      call().then(
        (had) => (had === null ? "null" : "had"),
        (error) => error,
      ),
    );
    const said = (await scene.until(Promise.all(asked), 120_000)).filter((end) => end !== "had");
    expect(said).toContainEqual(expect.objectContaining(free));
    expect(said).not.toContain("null");
  }
});

it("makes an unused semaphore by resizing it", async () => {
  const scene = new Scene();
  const pool = scene.client().mutex.semaphore("pool", { permits: 2 });
  expect(await scene.until(pool.resize(4))).toBeNull();
  expect((await scene.until(pool.acquire({ permits: 4 }))).permits).toBe(4);
});
