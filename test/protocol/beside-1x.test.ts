import { expect, it } from "vitest";
import type { LockRecord } from "../../src/core/record.js";
import type { Lock } from "../../src/primitives/lock.js";
import { KEY, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";
import { share } from "../scale.js";
import { ClientOf1x } from "./client-of-1x.js";

/** Tests section 9 of the design, rules 9 to 11: fleets that run both versions on one bucket. */

it("rule 9: where 1.x wrote last, what it wrote is the truth about the holder; the queue survives", async () => {
  const scene = new Scene();
  const old = new ClientOf1x(scene, "old", { lockTimeoutMs: 10_000 });
  expect(await scene.until(old.tryAcquire())).toBe(true);
  const startedAtMs = scene.nowMs;
  const { mutex } = scene.client();
  const acquiring = mutex.acquire(NAME);
  await scene.pass(8000);
  expect(scene.record()).toMatchObject({ queue: [{}], holders: [{ owner: "old" }] });
  expect(await scene.until(old.refresh())).toBe(true);
  expect(scene.record()?.queue).toHaveLength(1);
  const lock = await scene.until(acquiring);
  expect(scene.nowMs - startedAtMs).toBeGreaterThan(8000 + 10_000 + 1000 - 50);
  expect(scene.nowMs - startedAtMs).toBeLessThan(8000 + 10_000 + 1000 + 500);
  expect(old.held).toBe(false);
  expect(lock.held).toBe(true);
});

it("rule 9: 1.x sees a lock that one of ours holds as held, through renewals and with waiters, and then as free", async () => {
  const scene = new Scene();
  const holder = scene.client();
  const lock = await scene.until(holder.mutex.acquire(NAME, { leaseMs: 5000 }));
  const waiting = scene.client().mutex.acquire(NAME, { timeoutMs: 60_000 });
  const old = new ClientOf1x(scene, "old");
  for (let tries = 0; tries < 40; tries += 1) {
    expect(await scene.until(old.tryAcquire())).toBe(false);
    await scene.pass(450);
  }
  await scene.until(lock.release());
  await scene.until((await scene.until(waiting)).release());
  expect(await scene.until(old.tryAcquire())).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("rule 9: 1.x drops the queue when it releases; a waiter that waits on comes back with its original arrival", async () => {
  const scene = new Scene();
  const old = new ClientOf1x(scene, "old");
  await scene.until(old.tryAcquire());
  const startedAtMs = scene.nowMs;
  const use = async () => {
    const lock = await scene.client().mutex.acquire(NAME);
    await scene.world.sleep(5000);
    await lock.release();
  };
  const all = Promise.all([use(), use()]);
  await scene.pass(4000);
  await scene.until(old.release());
  await scene.pass(4000);
  expect(scene.record()).toMatchObject({ holders: [{ via: "handle" }], queue: [{}] });
  expect(scene.record()?.queue[0]?.sinceMs).toBeLessThan(startedAtMs + 100);
  await scene.until(all);
  expect(scene.problems).toEqual([]);
});

it("rule 10: no write on the constant body of a released lock of 1.x grants anything, however late it lands", async () => {
  const scene = new Scene();
  const old = new ClientOf1x(scene, "old");
  await scene.until(old.tryAcquire());
  await scene.until(old.release());
  const constant = scene.bucket.objects.get(KEY);
  expect(constant?.body).toBe('{"locked":false}');
  const { process, mutex } = scene.client({ lockTimeoutMs: 6000 });
  scene.fate = nth(0, writesOf(process), { kind: "late", byMs: 5000 });
  const stop = new AbortController();
  const acquiring = mutex.acquire(NAME, { signal: stop.signal });
  await scene.pass(500);
  // 1.x holds again when ours looks for what became of its write, and its ETag is another one.
  expect(await scene.until(old.tryAcquire())).toBe(true);
  await scene.pass(1500);
  stop.abort();
  await expect(scene.until(acquiring)).rejects.toMatchObject({ code: "aborted" });
  await scene.pass(1000);
  // The queue entry is gone by now, or goes with this: the constant body is back, with its ETag.
  await scene.until(old.release());
  expect(scene.bucket.objects.get(KEY)).toMatchObject({ body: constant?.body, etag: constant?.etag });
  await scene.pass(10_000);
  expect(scene.record()?.holders).toEqual([]);
  expect(await scene.until(old.tryAcquire())).toBe(true);
});

it("rule 10: a free lock of 1.x is adopted first, and its tokens come from store time", async () => {
  const scene = new Scene();
  scene.bucket.put(KEY, '{"locked":false}');
  const askedAtMs = Math.floor(scene.nowMs);
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const [, adopted, granted] = scene.landed;
  expect(adopted?.record).toMatchObject({ holders: [], token: expect.any(Number) });
  expect(adopted?.record?.token).toBeGreaterThanOrEqual(askedAtMs);
  expect(granted?.record?.holders).toHaveLength(1);
  expect(lock.fencingToken).toBeGreaterThan(adopted?.record?.token ?? 0);
});

it.each([
  ["order_4711-a", "one-to-one", "locks/order_4711-a.json"],
  ["order 4711.a", "1.x", "locks/order_4711_a.json"],
] as const)("rule 11: both versions exclude each other for %j (key encoding %s)", async (name, keyEncoding, key) => {
  const scene = new Scene();
  const old = new ClientOf1x(scene, "old", { key, lockTimeoutMs: 60_000 });
  const { mutex } = scene.client({ keyEncoding });
  const lock = await scene.until(mutex.acquire(name));
  expect(await scene.until(old.tryAcquire())).toBe(false);
  await scene.until(lock.release());
  expect(await scene.until(old.tryAcquire())).toBe(true);
  expect(await scene.until(mutex.tryAcquire(name))).toBeNull();
  expect(await scene.until(mutex.isLocked(name))).toBe(true);
  await scene.until(old.release());
  expect(await scene.until(mutex.tryAcquire(name))).not.toBeNull();
});

it("rule 11: names with other characters have keys of their own", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  await scene.until(mutex.acquire("a.b"));
  expect(await scene.until(mutex.tryAcquire("a_b"))).not.toBeNull();
});

// ---------------------------------------------------------------------------------------------------------------------

/** Lets two of each version take turns on one lock; the one inside reports it. */
async function race(seed: number): Promise<readonly string[]> {
  const scene = new Scene({ seed, roundTripMs: () => random.between(5, 80) });
  const random = scene.world.random.fork();
  const inside = new Map<string, () => boolean>();
  const problems: string[] = [];
  let turns = 0;
  const enter = (who: string, believes: () => boolean) => {
    const others = [...inside].filter(([other, alsoBelieves]) => other !== who && alsoBelieves());
    if (believes() && others.length > 0)
      problems.push(`${who} beside ${others.map(([other]) => other)} at ${scene.nowMs}`);
    inside.set(who, believes);
    turns += 1;
  };
  const actOld = async (who: string) => {
    const old = new ClientOf1x(scene, who, {
      lockTimeoutMs: random.pick([1500, 5000]),
      roundTripMs: () => random.between(5, 80),
    });
    for (let turn = 0; turn < 5; turn += 1) {
      if (!(await old.acquire(15_000))) continue;
      enter(who, () => old.held);
      await scene.world.sleep(random.between(1, 900));
      if (random.chance(0.4) && old.held) await old.refresh();
      await scene.world.sleep(random.between(1, 900));
      inside.delete(who);
      // Now and then it crashes instead; its lease has to run out.
      if (random.chance(0.8)) await old.release();
      await scene.world.sleep(random.between(1, 500));
    }
  };
  const actOurs = async (who: string) => {
    const clocks = { wallOffsetMs: random.pick([0, 0, 100, -100, 300_000, -300_000]) };
    const { mutex } = scene.client({ clocks, lockTimeoutMs: random.pick([1500, 5000]) });
    for (let turn = 0; turn < 5; turn += 1) {
      const lock: Lock | null = await mutex.acquire(NAME, { timeoutMs: 15_000 }).catch(() => null);
      if (lock === null) continue;
      enter(who, () => lock.held);
      await scene.world.sleep(random.between(1, 1500));
      inside.delete(who);
      await lock.release();
      await scene.world.sleep(random.between(1, 500));
    }
  };
  await scene.until(Promise.all([actOld("old 1"), actOld("old 2"), actOurs("new 1"), actOurs("new 2")]));
  if (turns < 4) problems.push(`only ${turns} turns`);
  return problems;
}

it("holds the lock at most once in every race of both versions", async () => {
  const bad: Record<string, readonly string[]> = {};
  for (let seed = 1; seed <= share(200); seed += 1) {
    const problems = await race(seed);
    if (problems.length > 0) bad[`seed ${seed}`] = problems;
  }
  expect(bad).toEqual({});
});

it("rule 10: where 1.x has given back a record whose counter is ahead of store time, tokens go on from the counter", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  await scene.until(mutex.acquire(NAME));
  const record = JSON.parse(scene.bucket.objects.get(KEY)?.body ?? "") as LockRecord;
  const token = Math.round(scene.nowMs) + 3_600_000;
  // It rewrites what it has parsed: our fields are still there, and its own say that the lock is free.
  scene.bucket.put(KEY, JSON.stringify({ ...record, token, locked: false }));
  const { mutex: other } = scene.client();
  const next = await scene.until(other.acquire(NAME));
  expect(next.fencingToken).toBeGreaterThan(token);
});
