import { expect, it } from "vitest";
import type { Lock } from "../../src/index.js";
import { FINE, Scene } from "../../testkit/scene.js";
import { problemsBySeed } from "../waiting/place.js";

const POOL = "semaphores/locks/pool.json";

const poolOf = (scene: Scene, permits: number | "stored") => scene.client().mutex.semaphore("pool", { permits });

it.each([100, 3000])(
  "P12: who waits takes the new number, in the object that is resized, after %i ms",
  async (afterMs) => {
    const scene = new Scene();
    const pool = poolOf(scene, 1);
    const first = await scene.until(pool.acquire());
    const waiting = [pool.acquire(), pool.acquire()];
    await scene.pass(afterMs);
    expect(await scene.until(pool.resize(3))).toBe(1);
    const requests = scene.sent.length;
    const others = await scene.until(Promise.all(waiting), 200);
    expect(others.every(({ held }) => held) && first.held).toBe(true);
    expect(scene.sent.length - requests).toBeLessThanOrEqual(4);
    expect(pool.permits).toBe(3);
  },
);

it("P12: a waiter takes the new number, whichever process has changed it", async () => {
  const scene = new Scene();
  const held = await scene.until(poolOf(scene, 1).acquire());
  const waiting = poolOf(scene, 1).acquire();
  await scene.pass(500);
  await scene.until(poolOf(scene, 1).resize(2));
  expect((await scene.until(waiting, 3000)).held && held.held).toBe(true);
});

it("P12: a rolling change of the number fails no caller: the stored one counts until a resize", async () => {
  const scene = new Scene();
  const warnings: string[] = [];
  const logger = { warn: (message: string) => warnings.push(message) };
  const before = scene.client().mutex.semaphore("pool", { permits: 2 });
  const after = scene.client({ logger }).mutex.semaphore("pool", { permits: 4 });
  const held = [await scene.until(before.acquire()), await scene.until(after.acquire())];
  expect([before.permits, after.permits]).toEqual([2, 2]);
  for (const pool of [before, after]) expect(await scene.until(pool.tryAcquire())).toBeNull();
  expect(warnings).toEqual([
    expect.stringMatching(/^s3-mutex: the semaphore "pool" has 2 permits, and this caller says 4: the stored number/),
  ]);
  await scene.until(after.resize(4));
  held.push(await scene.until(before.acquire()), await scene.until(after.acquire({ timeoutMs: 1000 })));
  expect(held.every(({ held: isHeld }) => isHeld)).toBe(true);
  expect(await scene.until(before.tryAcquire())).toBeNull();
  expect([before.permits, after.permits]).toEqual([4, 4]);
});

it("P12: fewer permits take effect as they come back, and take none away", async () => {
  const scene = new Scene();
  const pool = poolOf(scene, 3);
  const held: Lock[] = [];
  for (let index = 0; index < 3; index += 1) held.push(await scene.until(pool.acquire()));
  await scene.until(poolOf(scene, 3).resize(1));
  const waiting = pool.acquire();
  for (const permit of held) {
    expect(permit.held).toBe(true);
    await scene.pass(1500);
    expect(scene.record(POOL)?.holders.length).toBe(held.length - held.indexOf(permit));
    expect(await scene.until(permit.release())).toBe(true);
  }
  expect((await scene.until(waiting, 3000)).held).toBe(true);
  expect(scene.record(POOL)).toMatchObject({ limit: 1, holders: [{}] });
});

it("P12: the stored number can be asked for, once there is one", async () => {
  const scene = new Scene();
  const pool = poolOf(scene, "stored");
  expect(pool.permits).toBeUndefined();
  for (const call of [() => pool.acquire(), () => pool.tryAcquire(), () => pool.withPermits(() => 1)]) {
    await expect(scene.until<unknown>(call())).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringMatching(/^permits is "stored": it is not known yet/),
    });
  }
  await scene.until(poolOf(scene, 2).resize(2));
  const held = [await scene.until(pool.acquire()), await scene.until(pool.acquire())];
  expect(pool.permits).toBe(2);
  expect(await scene.until(pool.tryAcquire())).toBeNull();
  for (const permit of held) await scene.until(permit.release());
  await expect(scene.until(pool.acquire({ permits: 3 }))).rejects.toThrow(/permits is 3: the semaphore has 2/);
  for (const permits of ["all", 0, 1.5, null]) {
    expect(() => poolOf(scene, permits as never)).toThrow(/permits is /);
  }
});

it("P12: who asks for more than are stored, but not than it says itself, is told both, also while it waits", async () => {
  const scene = new Scene();
  const small = poolOf(scene, 3);
  const held = await scene.until(small.acquire({ permits: 3 }));
  const refusal = {
    code: "permits-differ",
    message: expect.stringMatching(/has 3 permits; this caller says 5, and asks for 4/),
  };
  await expect(scene.until(poolOf(scene, 5).acquire({ permits: 4 }))).rejects.toMatchObject(refusal);
  const waiting = expect(poolOf(scene, 3).acquire({ permits: 3 })).rejects.toMatchObject({ code: "permits-differ" });
  await scene.pass(500);
  await scene.until(small.resize(2));
  await scene.until(waiting);
  expect(held.held).toBe(true);
  // Nothing of it is left in the way of others.
  await scene.until(held.release());
  expect((await scene.until(poolOf(scene, 3).acquire({ timeoutMs: 2000 }))).held).toBe(true);
});

it("P12: never has more inside than the number that was stored when they came, while it changes all the time", async () => {
  const bad = await problemsBySeed(5, async (seed) => {
    const scene = new Scene({ seed });
    const problems: string[] = [];
    scene.bucket.onChange = () => {
      const { limit = 1, holders = [], queue = [] } = scene.record(POOL) ?? {};
      const last = holders.at(-1);
      const isGrant =
        last !== undefined &&
        last.leaseWriteId === scene.record(POOL)?.writeId &&
        last.acquiredAtMs === last.renewedAtMs;
      if (isGrant && holders.length > limit) problems.push(`${holders.length} of ${limit}, ${queue.length} wait`);
    };
    const turns = Array.from({ length: 12 }, async (_, index) => {
      const pool = poolOf(scene, 1 + (index % 4));
      for (let turn = 0; turn < 3; turn += 1) {
        const permit = await pool.acquire();
        await scene.world.sleep(50);
        await permit.release();
        if (index % 4 === 0) await pool.resize(1 + ((index + turn) % 5));
      }
    });
    await scene.until(Promise.all(turns), 300_000);
    return problems;
  });
  expect(bad).toEqual({});
});

it("P13: a caller for which there are permits and no room is told so at once, and none is told that there are no permits", async () => {
  const scene = new Scene();
  const warnings: string[] = [];
  const logger = { warn: (message: string) => warnings.push(message) };
  // So long that one record has no room for a hundred of them, which is as many as go into one.
  const { mutex } = scene.client({ logger, label: "€".repeat(100) });
  const pool = mutex.semaphore("pool", { permits: 100 });
  const calls = Array.from({ length: 100 }, () => pool.acquire({ timeoutMs: 60_000 }));
  const outcomes = await scene.until(Promise.allSettled(calls), 50_000);
  const inside = outcomes.filter(({ status }) => status === "fulfilled").length;
  expect(inside).toBeGreaterThan(60);
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  const message = expect.stringMatching(
    /^permits is 100: \d+ holders of "pool" have theirs, and its record has no room/,
  );
  for (const error of refused) expect(error).toMatchObject({ code: "invalid-argument", message });
  expect(refused.length).toBe(100 - inside);
  const startedMs = scene.nowMs;
  await expect(scene.until(pool.acquire())).rejects.toMatchObject({ code: "invalid-argument" });
  expect(scene.nowMs - startedMs).toBeLessThan(1000);
  // A caller that takes several at a time needs no more room.
  const some = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  for (const permit of some.slice(0, 10)) await scene.until(permit.release());
  const many = await scene.until(pool.acquire({ permits: 10 }));
  expect(many.permits).toBe(10);
});

it("P13: 150 callers of a semaphore of 500 all have their permit", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 500 });
  const held = await scene.until(Promise.all(Array.from({ length: 150 }, () => pool.acquire())), 5000);
  expect(held.every((permit) => permit.held)).toBe(true);
});

it("P13: one process gives many permits back by one write each, and a close finds them all given back", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const pool = mutex.semaphore("pool", { permits: 60 });
  const held = await scene.until(Promise.all(Array.from({ length: 60 }, () => pool.acquire())), 60_000);
  const before = scene.landed.length;
  const sent = scene.sent.length;
  const given = await scene.until(Promise.all(held.map((permit) => permit.release())), 60_000);
  expect(given).toEqual(held.map(() => true));
  expect(scene.landed.length - before).toBe(60);
  expect(scene.sent.length - sent).toBeLessThanOrEqual(62);
  const others = await scene.until(Promise.all(held.map(() => pool.acquire())), 60_000);
  await scene.until(mutex.close({ handles: "release" }), 60_000);
  expect(others.map((permit) => permit.held)).not.toContain(true);
  expect(scene.record(POOL)?.holders).toEqual([]);
});

/** Resizes a pool of 10, each call from a process of its own, all at once; says what each was told, and the number afterwards. */
async function resizedAtOnce(seed: number, numbers: readonly number[]) {
  const scene = new Scene({ seed });
  const first = await scene.until(poolOf(scene, 10).acquire());
  const told = await scene.until(Promise.all(numbers.map((number) => poolOf(scene, 10).resize(number))), 120_000);
  const report = await scene.until(poolOf(scene, 10).inspect());
  await scene.until(first.release());
  return { told, last: report?.limit };
}

it.each([[[20, 5, 12]], [[5, 20]], [[300, 5, 120]], [[300, 400]], [[20, 20]], [[300, 300, 5]]])(
  "P12: of several that resize at once to %j, each is told the number that it replaced",
  async (numbers) => {
    const bad = await problemsBySeed(5, async (seed) => {
      const { told, last } = await resizedAtOnce(seed, numbers);
      const before = [...told, last].toSorted();
      // Each number was set once, and each but the last replaced once.
      return `${before}` === `${[10, ...numbers].toSorted()}` ? [] : [`${told}, and then ${last}`];
    });
    expect(bad).toEqual({});
  },
);

it.each([5, 20, 300])(
  "P12: a resize to %i whose answer is lost is told the number that it replaced",
  async (number) => {
    const scene = new Scene();
    const pool = poolOf(scene, 10);
    const first = await scene.until(pool.acquire());
    let isLost = false;
    scene.fate = ({ operation }) => {
      if (isLost || operation !== "write") return FINE;
      isLost = true;
      // Another caller comes in before it is asked whether it was done.
      void poolOf(scene, 10).acquire();
      return { kind: "answer-lost" };
    };
    expect(await scene.until(pool.resize(number), 60_000)).toBe(10);
    expect(isLost && first.held).toBe(true);
  },
);

it.each([
  [10, "tryAcquire", {}],
  [10, "acquire", { timeoutMs: 8000 }],
  [300, "tryAcquire", {}],
] as const)(
  "P17: a caller of a pool of %i whose store is silent is told how long its whole %s took",
  async (permits, method, options) => {
    const scene = new Scene();
    scene.fate = () => ({ kind: "lost" });
    const startedAtMs = scene.nowMs;
    const call = poolOf(scene, permits)[method](options);
    const error = await scene.until<unknown>(
      call.catch((reason: unknown) => reason),
      60_000,
    );
    expect(error).toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining(`did not say within ${scene.nowMs - startedAtMs} ms`),
    });
  },
);

it.each([
  [{ permits: "Stored" }, 'permits is "Stored": use a whole number from 1 to 1000000, or "stored".'],
  [undefined, "options is undefined: pass an object, such as { permits: … }."],
  [null, "options is null: pass an object, such as { permits: … }."],
])("%j are refused as permits, with what may stand there", (options, message) => {
  const { mutex } = new Scene().client();
  expect(() => mutex.semaphore("pool", options as never)).toThrow(message);
});
