import { expect, it, vi } from "vitest";
import type { Lock, LockReport } from "../../src/index.js";
import { type Client, Scene } from "../../testkit/scene.js";
import { IN_FULL, stride } from "../scale.js";
import { problemsBySeed } from "../waiting/place.js";
import { LargePool, partKey, poolOf } from "./large-pool.js";

vi.setConfig({ testTimeout: 120_000 });

const LEASE_MS = 60_000;

it.each<readonly [processes: number, withinMs: number]>([[1, 0], ...(IN_FULL ? ([[50, 10_000]] as const) : [])])(
  "P13: 1,000 holders in %i processes that come within %i ms, renewals included, and none is lost",
  async (processes, withinMs) => {
    const scene = new Scene();
    const pool = new LargePool(scene);
    const lost: string[] = [];
    const clients = Array.from({ length: processes }, () => scene.client({ lockTimeoutMs: LEASE_MS }));
    for (const { mutex } of clients) mutex.on("lost", ({ reason }) => lost.push(reason));
    const startedAtMs = scene.nowMs;
    const calls = Array.from({ length: 1000 }, async (_, index) => {
      await scene.world.sleep(withinMs * scene.world.random.number());
      return poolOf(clients[index % processes] as Client).acquire();
    });
    const held = await scene.until(Promise.all(calls), 60_000);
    expect(scene.nowMs - startedAtMs).toBeLessThan(withinMs + 4000);
    // A caller that has moved is granted before the entry that it left behind is taken out.
    await scene.pass(500);
    expect({ limit: pool.limit, out: pool.out, waiting: pool.waiting }).toEqual({ limit: 1000, out: 1000, waiting: 0 });
    expect(pool.records.length).toBe(20);
    expect(new Set(held.map(({ fencingToken }) => fencingToken)).size).toBe(1000);
    await scene.pass(1.5 * LEASE_MS);
    expect(lost).toEqual([]);
    expect(held.filter((permit) => permit.held).length).toBe(1000);
    const late = poolOf(scene.client());
    expect(await scene.until(late.tryAcquire())).toBeNull();
    const refusal = { code: "timed-out", message: expect.stringMatching(/It is held by .+ and by 997 more\./) };
    await expect(scene.until(late.acquire({ timeoutMs: 2000 }))).rejects.toMatchObject(refusal);
    const waiting = late.acquire();
    await scene.pass(2000);
    const [first] = held as [Lock];
    await scene.until(first.release());
    // The free permit may be in another record than the one that is waited at: a poll finds it.
    expect((await scene.until(waiting, 15_000)).held).toBe(true);
    expect(pool.problems).toEqual([]);
    expect(pool.mostOut).toBe(1000);
  },
);

it("P13: asks for little more than once a permit where there are enough", async () => {
  const scene = new Scene();
  const client = scene.client();
  await scene.until(Promise.all(Array.from({ length: 500 }, () => poolOf(client).acquire())), 5000);
  // Each of the 20 records is read once, the first one is made, and each grant is a write.
  expect(scene.sent.length).toBeLessThanOrEqual(500 + 20 + 5);
});

it("P13: each of 250 attempts that are made at once gets one of 250 permits, also after those before were ended by force", async () => {
  const scene = new Scene();
  const attempts = async () => {
    const pool = poolOf(scene.client(), 250);
    const before = scene.sent.length;
    const permits = await scene.until(Promise.all(Array.from({ length: 250 }, () => pool.tryAcquire())), 5000);
    expect(permits.filter((permit) => permit?.held).length).toBe(250);
    expect(scene.sent.length - before).toBeLessThanOrEqual(260);
  };
  await attempts();
  await scene.until(scene.client({ keyPrefix: "semaphores/locks/" }).mutex.releaseLock("pool", true), 5000);
  await attempts();
});

it("stays in one record up to 100 permits", async () => {
  const scene = new Scene();
  const client = scene.client();
  await scene.until(Promise.all(Array.from({ length: 100 }, () => poolOf(client, 100).acquire())), 5000);
  expect([...scene.bucket.objects.keys()]).toEqual([partKey(0)]);
  expect(scene.record(partKey(0))).not.toHaveProperty("shares");
});

it("P13: a rolling change of the number fails no caller, from one record to several and back", async () => {
  const scene = new Scene();
  const pool = new LargePool(scene);
  const [before, after, none] = [
    poolOf(scene.client(), 50),
    poolOf(scene.client(), 300),
    poolOf(scene.client(), "stored"),
  ];
  const held = await scene.until(Promise.all(Array.from({ length: 50 }, () => before.acquire())), 5000);
  const waiting = [...Array.from({ length: 60 }, () => before.acquire()), after.acquire(), none.acquire()];
  await scene.pass(1000);
  expect(await scene.until(after.resize(300))).toBe(50);
  held.push(...(await scene.until(Promise.all(waiting), 10_000)));
  expect([before.permits, after.permits, none.permits]).toEqual([300, 300, 300]);
  expect([pool.limit, pool.out]).toEqual([300, 112]);
  // A holder keeps its permits, and no other comes in until enough have come back.
  expect(await scene.until(before.resize(60))).toBe(300);
  expect([pool.limit, pool.out]).toEqual([60, 112]);
  expect(held.every((permit) => permit.held)).toBe(true);
  for (const one of [before, after, none]) expect(await scene.until(one.tryAcquire())).toBeNull();
  await scene.until(Promise.all(held.map((permit) => permit.release())), 10_000);
  const again = await scene.until(Promise.all(Array.from({ length: 60 }, () => none.acquire())), 20_000);
  expect(again.every((permit) => permit.held)).toBe(true);
  expect(await scene.until(none.tryAcquire())).toBeNull();
  expect(pool.problems).toEqual([]);
});

it("never has more out than the larger of two numbers while it is resized under load, and serves all", async () => {
  const bad = await problemsBySeed(IN_FULL ? 2 : 1, async (seed) => {
    const scene = new Scene({ seed });
    const pool = new LargePool(scene);
    const random = scene.world.random.fork();
    const turns = Array.from({ length: 8 }, async (_, index) => {
      const client = scene.client();
      const workers = Array.from({ length: 20 }, async () => {
        for (let turn = 0; turn < (IN_FULL ? 3 : 1); turn += 1) {
          const permit = await poolOf(client, 110).acquire({ permits: random.pick([1, 1, 2]) });
          await scene.world.sleep(random.between(20, 600));
          await permit.release();
        }
      });
      if (index < 2) {
        for (let resizes = 0; resizes < 4; resizes += 1) {
          await scene.world.sleep(random.between(200, 900));
          await poolOf(client, 110).resize(random.pick([104, 130, 210, 20]));
        }
      }
      await Promise.all(workers);
    });
    await scene.until(Promise.all(turns), 300_000);
    if (pool.out !== 0) pool.problems.push(`${pool.out} are out when all have ended`);
    return pool.problems;
  });
  expect(bad).toEqual({});
});

it("gives the permits of processes that died to waiters, in whichever record they are", async () => {
  const scene = new Scene();
  const pool = new LargePool(scene);
  const dying = scene.client({ lockTimeoutMs: 10_000 });
  await scene.until(Promise.all(Array.from({ length: 150 }, () => poolOf(dying, 150).acquire())), 5000);
  const waiting = Array.from({ length: IN_FULL ? 150 : 20 }, () => poolOf(scene.client(), "stored").acquire());
  await scene.pass(1000);
  const diedAtMs = scene.nowMs;
  dying.process.kill();
  const held = await scene.until(Promise.all(waiting), 60_000);
  expect(scene.nowMs - diedAtMs).toBeLessThan(30_000);
  expect(held.every((permit) => permit.held)).toBe(true);
  expect(pool.problems).toEqual([]);
});

it("finds what is free in another record, and leaves no second grant and no entry behind", async () => {
  const scene = new Scene();
  const pool = new LargePool(scene);
  const [holder, waiter] = [scene.client(), scene.client()];
  const held = await scene.until(Promise.all(Array.from({ length: 120 }, () => poolOf(holder, 120).acquire())), 5000);
  const waiting = Array.from({ length: 10 }, () => poolOf(waiter, 120).acquire());
  await scene.pass(3000);
  expect(pool.waiting).toBeGreaterThan(0);
  // All of one record come back, whatever waits for another one.
  const [last] = pool.records.slice(-1);
  const tokens = new Set(last?.holders.map(({ token }) => token));
  const back = held.filter(({ fencingToken }) => tokens.has(fencingToken));
  await scene.until(Promise.all(back.map((permit) => permit.release())), 5000);
  const moved = await scene.until(Promise.all(waiting), 5000);
  await scene.pass(2000);
  expect({ out: pool.out, waiting: pool.waiting }).toEqual({ out: 120 - back.length + moved.length, waiting: 0 });
  expect(pool.problems).toEqual([]);
});

it("P13: a record without room is left alone while another one has some; without room anywhere that is said at once", async () => {
  const scene = new Scene();
  const pool = new LargePool(scene);
  const client = scene.client({ ownerId: "€".repeat(200), label: "€".repeat(200) });
  const calls = Array.from({ length: 101 }, () => poolOf(client, 101).acquire());
  const startedAtMs = scene.nowMs;
  const outcomes = await scene.until(Promise.allSettled(calls), 10_000);
  expect(scene.nowMs - startedAtMs).toBeLessThan(2500);
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  expect(pool.out).toBe(101 - refused.length);
  // Each of three records has room for about thirty of those.
  expect(pool.out).toBeGreaterThan(80);
  expect(refused.length).toBeGreaterThan(0);
  const message = expect.stringMatching(
    /^permits is 101: \d+ holders of "pool" have theirs, and its 3 records have no room/,
  );
  for (const error of refused) expect(error).toMatchObject({ code: "invalid-argument", message });
  expect(pool.problems).toEqual([]);
});

it("goes by holders that renew, however slow the store is: refused is a caller that comes when there is no time for one more", async () => {
  const scene = new Scene({ roundTripMs: () => 1000 });
  const client = scene.client({ lockTimeoutMs: LEASE_MS });
  const held = await scene.until(Promise.all(Array.from({ length: 110 }, () => poolOf(client, 110).acquire())), 60_000);
  await scene.pass(LEASE_MS);
  expect(held.every((permit) => permit.held)).toBe(true);
  const others = Array.from({ length: IN_FULL ? 40 : 15 }, () =>
    poolOf(scene.client({ lockTimeoutMs: LEASE_MS }), 200),
  );
  await scene.until(poolOf(client, 200).resize(200), 60_000);
  const outcomes = await scene.until(Promise.allSettled(others.map((pool) => pool.acquire())), 300_000);
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  const message = expect.stringMatching(/^leaseMs is 60000: the permits of 1[1-9] processes could not all be renewed/);
  for (const error of refused) expect(error).toMatchObject({ code: "invalid-argument", message });
});

it.each(["acquire", "tryAcquire"] as const)(
  "%s loses no hold of a burst to the callers behind it, whose writes came before each renewal",
  async (call) => {
    const scene = new Scene({ roundTripMs: () => 100 });
    const { mutex } = scene.client({ lockTimeoutMs: 3000 });
    const lost: string[] = [];
    mutex.on("lost", ({ reason }) => lost.push(reason));
    const pool = mutex.semaphore("pool", { permits: 250 });
    const held = await scene.until(Promise.all(Array.from({ length: 250 }, () => pool[call]())), 30_000);
    await scene.pass(6000);
    expect([lost, held.filter((permit) => permit?.held === false).length]).toEqual([[], 0]);
  },
);

it("says at once what one call cannot have: more than a share, more than there are, more than it says", async () => {
  const scene = new Scene();
  const pool = poolOf(scene.client());
  const refused = (permits: number, asked = pool) => expect(scene.until(asked.acquire({ permits }))).rejects;
  await refused(51).toMatchObject({
    code: "invalid-argument",
    message: expect.stringMatching(
      /^permits is 51: the 1000 permits of "pool" lie in 20 records, .* ask for 50 at most/,
    ),
  });
  await refused(1001).toMatchObject({
    code: "invalid-argument",
    message: expect.stringMatching(/the semaphore has 1000/),
  });
  await refused(1500, poolOf(scene.client(), 2000)).toMatchObject({ code: "permits-differ" });
  expect((await scene.until(pool.acquire({ permits: 50 }))).permits).toBe(50);
});

it("is one semaphore to all who look on, and its holders are ended by force wherever they are", async () => {
  const scene = new Scene();
  const client = scene.client();
  const held = await scene.until(Promise.all(Array.from({ length: 120 }, () => poolOf(client, 120).acquire())), 5000);
  const report = await scene.until(poolOf(scene.client(), 120).inspect());
  expect(report).toMatchObject({ lockName: "pool", key: partKey(0), state: "held", limit: 120 });
  expect(report?.holders.length).toBe(120);
  const { mutex } = scene.client({ keyPrefix: "semaphores/locks/" });
  const listed: LockReport[] = [];
  const listing = (async () => {
    for await (const one of mutex.list()) listed.push(one);
  })();
  await scene.until(listing);
  expect(listed.map(({ lockName, limit, holders }) => [lockName, limit, holders.length])).toEqual([["pool", 120, 120]]);
  const watch = mutex.watch({ intervalMs: 100 })[Symbol.asyncIterator]();
  const look = async () => (await scene.until(watch.next())).value;
  expect((await look())?.locks.map(({ holders }: { holders: readonly unknown[] }) => holders.length)).toEqual([120]);
  const [some] = held.slice(77) as [Lock];
  await scene.until(some.release());
  expect(await look()).toMatchObject({ locks: [{ lockName: "pool", limit: 120 }], changed: ["pool"], removed: [] });
  const [victim] = report?.holders.slice(-1) ?? [];
  const ids = [victim?.acquisitionId ?? ""];
  expect(await scene.until(mutex.releaseLock("pool", { force: true, holderIds: ids }))).toBe(true);
  expect((await scene.until(mutex.inspect("pool")))?.holders.length).toBe(118);
  await scene.until(Promise.all(held.map((permit) => permit.release())), 5000);
  await scene.pass(30 * 60_000);
  const swept = await scene.until(mutex.cleanupStaleLocks({ includeReleased: true }));
  expect(swept).toMatchObject({ total: 1, cleaned: 0, stale: 0 });
});

it("goes on with a resize that was not finished", async () => {
  const scene = new Scene();
  const pool = new LargePool(scene);
  const dying = scene.client();
  await scene.until(poolOf(dying, 150).resize(150));
  const resizing = poolOf(dying, 150).resize(110);
  const numberNow = () => scene.record(partKey(0))?.shares?.permits.reduce((sum, share) => sum + share, 0);
  while (numberNow() === 150) await scene.pass(1);
  dying.process.kill();
  await scene.pass(1000);
  expect([numberNow(), pool.limit]).toEqual([110, 150]);
  resizing.catch(() => {});
  expect(await scene.until(poolOf(scene.client(), "stored").resize(140))).toBe(110);
  expect(pool.limit).toBe(140);
  const client = scene.client();
  const held = await scene.until(Promise.all(Array.from({ length: 140 }, () => poolOf(client).acquire())), 5000);
  expect(held.length).toBe(140);
  expect(pool.problems).toEqual([]);
});

it("decides the next shares only when all records have those of before, whenever else the same process resizes (seed 41407)", async () => {
  for (let afterMs = 0; afterMs <= 200; afterMs += stride(2)) {
    const scene = new Scene();
    const pool = new LargePool(scene);
    const client = scene.client();
    await scene.until(poolOf(client, 150).resize(150));
    let isLost = false;
    // The record that the first change takes its permits from is told of that late.
    scene.fate = ({ operation, key }) => {
      if (isLost || operation !== "write" || key !== partKey(2)) return { kind: "fine" };
      isLost = true;
      return { kind: "lost" };
    };
    const first = poolOf(client, "stored").resize(110);
    await scene.pass(afterMs);
    await scene.until(Promise.all([first, poolOf(client, "stored").resize(80)]));
    expect([afterMs, pool.problems]).toEqual([afterMs, []]);
  }
});

it("hands a permit over to another process, out of whichever record it is", async () => {
  const scene = new Scene();
  const client = scene.client();
  const held = await scene.until(Promise.all(Array.from({ length: 120 }, () => poolOf(client, 120).acquire())), 5000);
  for (const permit of held.slice(0, 10)) {
    const text = await scene.until(permit.serialize());
    const restored = await scene.until(scene.client().mutex.restore(text));
    expect(restored).toMatchObject({ name: "pool", held: true });
    expect(held.map(({ fencingToken }) => fencingToken)).not.toContain(restored.fencingToken);
    expect(await scene.until(restored.release())).toBe(true);
  }
});

it("a look at a record that hangs keeps neither a caller whose signal is aborted nor one whose mutex closes", async () => {
  const scene = new Scene();
  const full = scene.client().mutex.semaphore("pool", { permits: 120 });
  for (let part = 0; part < 3; part += 1) await scene.until(full.acquire({ permits: 40 }));
  scene.fate = ({ key }) => (key.includes(".part") ? { kind: "lost" } : { kind: "fine" });
  const { mutex } = scene.client();
  const asked = (signal?: AbortSignal) => mutex.semaphore("pool", { permits: 120 }).acquire({ signal }).catch(String);
  const stop = new AbortController();
  const [aborted, closed] = [asked(stop.signal), asked()];
  await scene.pass(300);
  stop.abort();
  expect(await scene.until(aborted, 100)).toMatch("aborted");
  const closing = mutex.close();
  expect(await scene.until(closed, 100)).toMatch("closed");
  await scene.until(closing);
});

it("one attempt is null by what was read since it began, and not by what was seen before", async () => {
  const scene = new Scene();
  const [holder, late] = [poolOf(scene.client(), 200), poolOf(scene.client(), 200)];
  const held = await scene.until(Promise.all(Array.from({ length: 200 }, () => holder.acquire())), 10_000);
  for (const permit of held) {
    expect(await scene.until(late.tryAcquire())).toBeNull();
    await scene.until(permit.release());
    const had = await scene.until(late.tryAcquire());
    expect(had).not.toBeNull();
    if (permit === held[9]) break;
  }
  // All who try at the same time are told by the same looks.
  await scene.until(Promise.all(held.slice(10).map((permit) => permit.release())), 10_000);
  await scene.until(Promise.all(Array.from({ length: 190 }, () => holder.acquire())), 10_000);
  const before = scene.sent.length;
  const tries = await scene.until(Promise.all(Array.from({ length: 100 }, () => late.tryAcquire())));
  expect(tries.filter((permit) => permit !== null)).toEqual([]);
  expect(scene.sent.length - before).toBeLessThanOrEqual(8);
});
