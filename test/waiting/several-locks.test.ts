import { describe, expect, it } from "vitest";
import type { S3MutexError } from "../../src/errors.js";
import type { LockSet } from "../../src/primitives/lock-set.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { Scene } from "../../testkit/scene.js";
import { share } from "../scale.js";
import { aftermath, keyOf, leftovers, outcomeOf, pause, problemsBySeed, queueOf, Rooms } from "./place.js";

/** Several locks at once: all or none, in one order, given back together. */

const NAMES = ["c", "a", "b"];

/** Writes down what one mutex tells about getting and giving back, in order. */
function storyOf(mutex: S3Mutex): string[] {
  const story: string[] = [];
  mutex.on("acquired", ({ lockName }) => story.push(`+${lockName}`));
  mutex.on("released", ({ lockName }) => story.push(`-${lockName}`));
  return story;
}

it("acquires in the order of the names, whatever order they are given in, and asks for the last one's release first", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const story = storyOf(mutex);
  const set = await scene.until(mutex.acquireAll(NAMES));
  expect(set.locks.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(set.get("b")).toBe(set.locks[1]);
  expect(set.get("d")).toBeUndefined();
  expect(set.held).toBe(true);
  expect(await scene.until(set.release())).toBe(true);
  expect(await scene.until(set.release())).toBe(true);
  expect(set.held).toBe(false);
  expect(story).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
});

it("takes a name that is given twice once", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const set = await scene.until(mutex.acquireAll(["a", "b", "a"]));
  expect(set.locks.map(({ name }) => name)).toEqual(["a", "b"]);
});

it("gives what the function of withLocks returns or throws, and gives the locks back in any case", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const story = storyOf(mutex);
  expect(await scene.until(mutex.withLocks(NAMES, ({ locks }) => locks.length))).toBe(3);
  const failure = new Error("its own");
  const failing = mutex.withLocks(NAMES, () => {
    throw failure;
  });
  expect((await scene.until(outcomeOf(scene, failing))).error).toBe(failure);
  expect(story.slice(6)).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
  expect(leftovers(scene, ...NAMES)).toEqual([]);
});

it.each(["a", "b", "c"])(
  "takes none for good where %s is not had in time: the time-out is for all together",
  async (held) => {
    const scene = new Scene();
    await scene.until(scene.client().mutex.acquire(held));
    const { mutex } = scene.client();
    for (const method of ["acquireAll", "withLocks"] as const) {
      const startedAtMs = scene.nowMs;
      const call =
        method === "acquireAll"
          ? mutex.acquireAll(NAMES, { timeoutMs: 1500 })
          : mutex.withLocks(NAMES, () => "ran", { timeoutMs: 1500 });
      const outcome = await scene.until(outcomeOf<LockSet | string | null>(scene, call));
      if (method === "acquireAll") expect(outcome.code).toBe("timed-out");
      else expect(outcome.value).toBeNull();
      // And what has been acquired is given back, one round trip each.
      expect(outcome.atMs - startedAtMs).toBeLessThan(1500 + 3 * 25);
      expect(outcome.atMs - startedAtMs).toBeGreaterThan(1490);
      await scene.pass(100);
      expect(leftovers(scene, ...NAMES).length).toBe(1);
      expect(queueOf(scene, held)).toEqual([]);
    }
  },
);

it("counts what the first locks took against the time for the others", async () => {
  const scene = new Scene();
  const first = await scene.until(scene.client().mutex.acquire("a"));
  await scene.until(scene.client().mutex.acquire("b"));
  const { mutex } = scene.client();
  const startedAtMs = scene.nowMs;
  const waiting = outcomeOf(scene, mutex.acquireAll(NAMES, { timeoutMs: 3000 }));
  await scene.pass(2000);
  await scene.until(first.release());
  const { code, atMs } = await scene.until(waiting);
  expect(code).toBe("timed-out");
  expect(atMs - startedAtMs).toBeLessThan(3100);
});

it("takes none where it is aborted, or where a name cannot be one", async () => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire("b"));
  const { mutex, process } = scene.client();
  const stop = new AbortController();
  scene.world.after(1000, () => stop.abort());
  expect(await scene.until(outcomeOf(scene, mutex.acquireAll(NAMES, { signal: stop.signal })))).toMatchObject({
    code: "aborted",
  });
  await scene.pass(200);
  expect(leftovers(scene, ...NAMES)).toEqual([expect.stringContaining("b is held by")]);
  const sent = scene.requestsOf(process).length;
  for (const names of [[], ["a", ""], ["a", "x".repeat(2000)]]) {
    const { code } = await scene.until(outcomeOf(scene, mutex.acquireAll(names)));
    expect(code).toBe("invalid-argument");
  }
  expect(scene.requestsOf(process).length).toBe(sent);
});

it("fails at once, and takes none, where the scope holds one of them; or nests", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  await scene.until(
    mutex.withLock("b", async (lock) => {
      const { code } = await outcomeOf(scene, mutex.acquireAll(NAMES));
      expect(code).toBe("deadlock");
      expect(leftovers(scene, "a", "c")).toEqual([]);
      const set = await mutex.acquireAll(NAMES, { reentrant: true });
      expect(set.get("b")?.fencingToken).toBe(lock.fencingToken);
      await set.release();
      expect(lock.held).toBe(true);
    }),
  );
  expect(leftovers(scene, ...NAMES)).toEqual([]);
});

it("never deadlocks callers with opposite lists", async () => {
  const bad = await problemsBySeed(share(40), async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const rooms = new Rooms(scene);
    const events: string[] = [];
    const names = ["a", "b", "c", "d"];
    const callers = Array.from({ length: 5 }, async (_, index) => {
      const { mutex, process } = scene.client();
      mutex.on("deadlock", ({ description }) => events.push(description));
      const list = [...names].sort(() => random.number() - 0.5).slice(0, random.integer(2, 4));
      await mutex.withLocks(
        list,
        async () => {
          for (const name of list) rooms.enter(`c${index}`, name);
          await pause(process, random.between(50, 900));
          for (const name of list) rooms.leave(`c${index}`, name);
        },
        { timeoutMs: 200_000 },
      );
    });
    await scene.until(Promise.all(callers));
    return [...events, ...scene.problems, ...leftovers(scene, ...names)];
  });
  expect(bad).toEqual({});
});

it("has one signal for all, aborted as soon as one of them is lost, with that loss", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 3000 });
  const set = await scene.until(mutex.acquireAll(NAMES));
  expect(set.signal.aborted).toBe(false);
  await scene.until(scene.client().mutex.releaseLock("b", true));
  await scene.pass(1100);
  expect(set.signal.aborted).toBe(true);
  expect(set.signal.reason).toMatchObject({ code: "lost", lockName: "b", reason: "force-released" });
  expect(set.held).toBe(false);
  expect(() => set.assertHeld()).toThrow(set.signal.reason as S3MutexError);
  // The others are held until they are given back.
  expect(set.get("a")?.held).toBe(true);
  expect(await scene.until(set.release())).toBe(false);
  await aftermath(scene, 1000);
  expect(leftovers(scene, ...NAMES)).toEqual([]);
});

it("rejects withLocks with the loss and the result where one was lost while the function ran", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client({ lockTimeoutMs: 3000 });
  const thief = scene.client();
  const running = mutex.withLocks(NAMES, async () => {
    await thief.mutex.releaseLock("c", true);
    await pause(process, 2000);
    return "done";
  });
  const { error } = await scene.until(outcomeOf(scene, running));
  expect(error).toMatchObject({ code: "lost", lockName: "c", reason: "force-released", result: "done" });
});

it("gives all back although giving one back fails, and says so", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 2000 });
  const set = await scene.until(mutex.acquireAll(NAMES));
  scene.fate = ({ key }) => (key === keyOf("b") ? { kind: "lost" } : { kind: "fine" });
  const { code } = await scene.until(outcomeOf(scene, set.release()));
  expect(code).toBe("store-unavailable");
  expect(leftovers(scene, "a", "c")).toEqual([]);
});

it("says that the time was up, and not after how little, where other locks had taken it", async () => {
  for (const slowMs of [2100, 2850, 2955]) {
    const scene = new Scene();
    const { mutex } = scene.client();
    scene.fate = ({ key, operation }) => {
      if (key === keyOf("b")) return { kind: "lost" };
      const isSlow = key === keyOf("a") && operation === "write";
      return isSlow ? { kind: "slow", thereMs: slowMs, backMs: 0 } : { kind: "fine" };
    };
    const options = { timeoutMs: 3000, leaseMs: 60_000 };
    const { error } = await scene.until(outcomeOf(scene, mutex.acquireAll(["a", "b"], options)));
    expect(error).toMatchObject({ code: "store-unavailable", lockName: "b" });
    expect((error as S3MutexError).message).toMatch(
      /^The time of this call was up before the store had said whether the lock "b" is free: what it had asked for before had left \d+ ms\. /,
    );
  }
});

// No work is done any more under what is being given back: what runs out meanwhile is not a loss.
describe("over a store that says nothing from the end of the work on", () => {
  const LEASE_MS = 9000;

  function silentFrom(scene: Scene): { mutex: S3Mutex; silence: () => string; lost: string[] } {
    const { mutex } = scene.client({ lockTimeoutMs: LEASE_MS });
    const lost: string[] = [];
    mutex.on("lost", ({ lockName }) => lost.push(lockName));
    const silence = () => {
      scene.fate = () => ({ kind: "lost" });
      return "done";
    };
    return { mutex, silence, lost };
  }

  it.each([[["a"]], [["a", "b"]], [NAMES]])("withLocks of %j gives the result, after one lease", async (names) => {
    const scene = new Scene();
    const { mutex, silence, lost } = silentFrom(scene);
    const startedAtMs = scene.nowMs;
    expect(await scene.until(mutex.withLocks(names, silence))).toBe("done");
    expect(scene.nowMs - startedAtMs).toBeLessThan(LEASE_MS + 500);
    expect(lost).toEqual([]);
  });

  it("a set that is released says that the store did not answer, and aborts no signal", async () => {
    const scene = new Scene();
    const { mutex, silence, lost } = silentFrom(scene);
    const set = await scene.until(mutex.acquireAll(NAMES));
    silence();
    const { code } = await scene.until(outcomeOf(scene, set.release()));
    expect([code, set.signal.aborted, lost]).toEqual(["store-unavailable", false, []]);
  });

  it("withLocks is lost where one of them was over by its clock before the function ended", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS });
    const running = mutex.withLocks(NAMES, () => {
      process.freeze(LEASE_MS + 4000, false);
      return scene.world.sleep(LEASE_MS + 2000).then(() => "done");
    });
    expect((await scene.until(outcomeOf(scene, running))).error).toMatchObject({ code: "lost", result: "done" });
  });
});

it("rejects withLocks where only the release tells that one of them had been taken away", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const running = mutex.withLocks(NAMES, async () => {
    await scene.client().mutex.releaseLock("a", true);
    return "done";
  });
  const { error } = await scene.until(outcomeOf(scene, running));
  expect(error).toMatchObject({ code: "lost", lockName: "a", reason: "force-released", result: "done" });
});
