import { expect, it } from "vitest";
import type { S3MutexError } from "../../src/errors.js";
import type { Lock } from "../../src/primitives/lock.js";
import { KEY, NAME, Scene } from "../../testkit/scene.js";
import { keyOf, outcomeOf } from "./place.js";

/** A line of work that asks again for what it holds itself. */

it.each(["withLock", "acquire", "acquireLock", "acquireAll", "withLocks", "tryAcquire"] as const)(
  "P9: %s ends at once, without a request, where the scope holds the lock itself",
  async (method) => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const again = {
      withLock: () => mutex.withLock(NAME, () => "never"),
      acquire: () => mutex.acquire(NAME),
      acquireLock: () => mutex.acquireLock(NAME),
      acquireAll: () => mutex.acquireAll([NAME]),
      withLocks: () => mutex.withLocks([NAME], () => "never"),
      tryAcquire: () => mutex.tryAcquire(NAME),
    }[method];
    await scene.until(
      mutex.withLock(NAME, async (lock) => {
        const sent = scene.requestsOf(process).length;
        const atMs = scene.nowMs;
        const outcome = await outcomeOf<unknown>(scene, again());
        expect(outcome.atMs).toBe(atMs);
        expect(scene.requestsOf(process).length).toBe(sent);
        // As with any deadlock, acquireLock says no.
        if (method === "acquireLock") return expect(outcome.value).toBe(false);
        // And one attempt finds that it is not to be had.
        if (method === "tryAcquire") return expect(outcome.value).toBeNull();
        const { code, cycle, lockName } = outcome.error as S3MutexError;
        expect({ code, lockName }).toEqual({ code: "deadlock", lockName: NAME });
        expect(cycle).toMatchObject([{ lockName: NAME, fencingToken: lock.fencingToken }]);
      }),
    );
    expect(scene.record()).toMatchObject({ holders: [], queue: [] });
  },
);

it("fails at once however deep inside", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const inner = mutex.withLock("outer", () =>
    mutex.withLock("middle", () => mutex.scope(async () => outcomeOf(scene, mutex.acquire("outer")))),
  );
  expect(await scene.until(inner)).toMatchObject({ code: "deadlock" });
});

it("nests with reentrant: true: the same token, given back when the last is released", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const released: string[] = [];
  mutex.on("released", ({ lockName }) => released.push(lockName));
  const tokens: number[] = [];
  const nested = async (lock: Lock) => {
    tokens.push(lock.fencingToken);
    await mutex.withLock(NAME, (inner) => tokens.push(inner.fencingToken), { reentrant: true });
    const handle = await mutex.acquire(NAME, { reentrant: true });
    tokens.push(handle.fencingToken);
    expect(await handle.release()).toBe(true);
    // Twice is harmless: it does not give back another caller's share.
    expect(await handle.release()).toBe(true);
    expect(lock.held).toBe(true);
    expect(scene.record()?.holders.length).toBe(1);
    expect(released).toEqual([]);
  };
  await scene.until(mutex.withLock(NAME, nested));
  expect(new Set(tokens).size).toBe(1);
  expect(tokens.length).toBe(3);
  expect(released).toEqual([NAME]);
  expect(scene.record()?.holders).toEqual([]);
});

it("nests without waiting behind others", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const other = scene.client();
  await scene.until(
    mutex.withLock(NAME, async () => {
      const waiting = other.mutex.acquire(NAME, { priority: 9 });
      await scene.world.sleep(2000);
      const atMs = scene.nowMs;
      await mutex.withLock(NAME, () => expect(scene.nowMs).toBe(atMs), { reentrant: true });
      return { waiting };
    }),
  );
  expect(scene.problems).toEqual([]);
});

it("takes a lock anew, with another token, where the scope has given it back", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const tokens = await scene.until(
    mutex.scope(async () => {
      const first = await mutex.acquire(NAME);
      await first.release();
      const second = await mutex.acquire(NAME);
      await second.release();
      return [first.fencingToken, second.fencingToken] as const;
    }),
  );
  expect(tokens[1]).toBeGreaterThan(tokens[0]);
});

it("does not take two scopes of one mutex for one: the second waits for the first", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const story: string[] = [];
  const work = (name: string) =>
    mutex.scope(() =>
      mutex.withLock(NAME, async () => {
        story.push(`${name} in`);
        await scene.world.sleep(50);
        story.push(`${name} out`);
      }),
    );
  await scene.until(Promise.all([work("a"), work("b")]));
  expect(story).toEqual(["a in", "a out", "b in", "b out"]);
});

it("does not take two mutexes for one scope", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const another = scene.mutex(process);
  const outcome = mutex.withLock(NAME, () => outcomeOf(scene, another.acquire(NAME, { timeoutMs: 500 })));
  expect(await scene.until(outcome)).toMatchObject({ code: "timed-out" });
});

it("gives what the function returned or threw", async () => {
  const { mutex } = new Scene().client();
  expect(mutex.scope(() => 7)).toBe(7);
  expect(await mutex.scope(async () => "later")).toBe("later");
  const failure = new Error("its own");
  expect(() =>
    mutex.scope(() => {
      throw failure;
    }),
  ).toThrow(failure);
});

it("says in the queue what the scope holds, and nothing that others hold", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const other = await scene.until(scene.client().mutex.acquire("wanted"));
  const waiting = mutex.withLock("own", () => mutex.withLock("own too", () => mutex.acquire("wanted")));
  const stranger = mutex.scope(() => mutex.acquire("stranger's"));
  await scene.until(stranger);
  await scene.pass(3000);
  const [entry] = scene.record(keyOf("wanted"))?.queue ?? [];
  expect(entry?.holds.map(({ name }) => name)).toEqual(["own", "own too"]);
  expect(entry?.holds[0]?.token).toBe(scene.record(keyOf("own"))?.holders[0]?.token);
  await scene.until(other.release());
  await scene.until(waiting);
});

it("says in the queue that a wait without a scope holds nothing where two wait at once", async () => {
  const scene = new Scene();
  const [one, two] = [scene.client(), scene.client()];
  const wanted = await scene.until(one.mutex.acquireAll(["a", "b"]));
  await scene.until(two.mutex.acquire(NAME));
  const waiting = [two.mutex.acquire("a"), two.mutex.acquire("b")];
  await scene.pass(2000);
  const holds = ["a", "b"].map((name) => scene.record(keyOf(name))?.queue[0]?.holds);
  expect(holds).toEqual([[], []]);
  await scene.until(wanted.release());
  await scene.until(Promise.all(waiting));
  expect(scene.record(KEY)?.holders.length).toBe(1);
});
