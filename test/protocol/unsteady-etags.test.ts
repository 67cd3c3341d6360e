import { expect, it } from "vitest";
import type { ObjectStore } from "../../src/store/object-store.js";
import { KEY, NAME, Scene } from "../../testkit/scene.js";

/** Makes a way to a store on which reads show another ETag each time, whatever is stored. */
function unsteady(store: ObjectStore, ofKey?: string): ObjectStore {
  let reads = 0;
  return {
    read: async (key, options) => {
      const read = await store.read(key, { timeoutMs: options.timeoutMs });
      reads += 1;
      return read.kind === "ok" && key === (ofKey ?? key) ? { ...read, etag: `"made-up-${reads}"` } : read;
    },
    write: (key, body, condition, options) => store.write(key, body, condition, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
  };
}

/** Makes a store that was sound when the lock was used first, and the client that sees it through such a way. */
async function sceneOf() {
  const scene = new Scene();
  const { mutex: before } = scene.client();
  await scene.until(before.withLock(NAME, () => "ran"));
  const held = await scene.until(before.acquire("held"));
  const { mutex } = scene.client({ through: (store) => unsteady(store), verify: "never" });
  return { scene, mutex, held };
}

type Mutex = Awaited<ReturnType<typeof sceneOf>>["mutex"];

const CALLS: Record<string, (mutex: Mutex) => Promise<unknown>> = {
  "acquire without a limit": (mutex) => mutex.acquire(NAME),
  "acquire with a limit": (mutex) => mutex.acquire(NAME, { timeoutMs: 9000 }),
  tryAcquire: (mutex) => mutex.tryAcquire(NAME),
  withLock: (mutex) => mutex.withLock(NAME, () => "ran"),
  acquireLock: (mutex) => mutex.acquireLock(NAME),
  "deleteLock, forced": (mutex) => mutex.deleteLock("held", true),
  "releaseLock, forced": (mutex) => mutex.releaseLock("held", true),
};

it.each(Object.entries(CALLS))("S1: %s ends where each read shows another ETag, and says it", async (_, call) => {
  const { scene, mutex } = await sceneOf();
  const startedAtMs = scene.nowMs;
  const error = await scene.until(
    call(mutex).catch((thrown: unknown) => thrown as Error),
    60_000,
  );
  expect(error).toMatchObject({
    code: "store-unsafe",
    message: expect.stringMatching(/what was written as that very version, under another ETag.*ETags of reads change/),
  });
  expect(scene.nowMs - startedAtMs).toBeGreaterThanOrEqual(2000);
  expect(scene.nowMs - startedAtMs).toBeLessThan(10_000);
});

const LEFT_BY_1X = {
  "a lock that 1.x has released": { locked: false },
  "a lock that 1.x holds": { locked: true, owner: "old", acquiredAt: 0, expiresAt: 4e12, priority: 0 },
};

const CALLS_OVER_1X: Record<string, (mutex: Mutex) => Promise<unknown>> = {
  "acquire without a limit": (mutex) => mutex.acquire(NAME),
  "deleteLock, forced": (mutex) => mutex.deleteLock(NAME, true),
};

it.each(
  Object.entries(LEFT_BY_1X).flatMap(([what, record]) =>
    Object.entries(CALLS_OVER_1X).map(([name, call]) => ({ what, record, name, call })),
  ),
)("S1: $name of $what ends just so, although no write id tells its versions", async ({ record, call }) => {
  const scene = new Scene();
  scene.bucket.put(KEY, JSON.stringify(record));
  const { mutex } = scene.client({ through: (store) => unsteady(store), verify: "never" });
  const startedAtMs = scene.nowMs;
  const error = await scene.until(
    call(mutex).catch((thrown: unknown) => thrown as Error),
    60_000,
  );
  expect(error).toMatchObject({ code: "store-unsafe", message: expect.stringContaining("ETags of reads change") });
  expect(scene.nowMs - startedAtMs).toBeLessThan(10_000);
});

/** Makes a store whose ETags count versions: just before each write, 1.x has released the lock, which writes the same body each time. */
function releasedBefore(scene: Scene, isBusy: () => boolean, store: ObjectStore): ObjectStore {
  let version = 1;
  const shown = () => `"version-${version}"`;
  return {
    read: async (key, options) => {
      const read = await store.read(key, { timeoutMs: options.timeoutMs });
      return read.kind === "ok" ? { ...read, etag: shown() } : read;
    },
    write: async (key, body, condition, options) => {
      if (isBusy()) {
        version += 1;
        scene.bucket.put(KEY, JSON.stringify({ locked: false }));
      }
      const isCurrent = condition.kind === "if-match" && condition.etag === shown();
      const etag = isCurrent ? (scene.bucket.objects.get(key)?.etag ?? "") : '"of no version"';
      return store.write(key, body, { kind: "if-match", etag }, options);
    },
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
  };
}

it("S1: clients of 1.x that release a lock again and again are not such a way, although its body repeats", async () => {
  const scene = new Scene();
  const startedAtMs = scene.nowMs;
  const isBusy = () => scene.nowMs < startedAtMs + 20_000;
  const { mutex } = scene.client({ verify: "never", through: (store) => releasedBefore(scene, isBusy, store) });
  scene.bucket.put(KEY, JSON.stringify({ locked: false }));
  const lock = await scene.until(mutex.acquire(NAME), 120_000);
  expect([lock.held, scene.nowMs - startedAtMs > 20_000]).toEqual([true, true]);
});

it("S1: an object that is not a lock's is named as that, whatever its ETags are", async () => {
  const scene = new Scene();
  scene.bucket.put(KEY, "hello");
  const { mutex } = scene.client({ through: (store) => unsteady(store), verify: "never" });
  const outcome = mutex.acquire(NAME, { timeoutMs: 9000 }).catch((thrown: unknown) => thrown);
  expect(await scene.until(outcome, 60_000)).toMatchObject({ code: "corrupt-record" });
});

it("S1: a hold goes on and ends on such a way: its own answers say which version there is", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ through: (store) => unsteady(store), verify: "never" });
  const lock = await scene.until(mutex.acquire(NAME));
  expect(await scene.until(lock.renew())).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});

it("S1: a fenced object that is read on such a way ends in time, and names it", async () => {
  const { scene, held } = await sceneOf();
  await scene.until(held.fencedObject({ key: "report.json" }));
  await scene.until(held.release());
  const { mutex } = scene.client({ through: (store) => unsteady(store, "report.json") });
  const lock = await scene.until(mutex.acquire("held"));
  const startedAtMs = scene.nowMs;
  const error = await scene.until(
    lock.fencedObject({ key: "report.json" }).catch((thrown: unknown) => thrown as Error),
  );
  expect(error).toMatchObject({ code: "store-unsafe", message: expect.stringContaining("ETags of reads change") });
  expect(scene.nowMs - startedAtMs).toBeLessThan(10_000);
});

it("S1: the check of the store notices it", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ through: (store) => unsteady(store), verify: "auto" });
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.until(lock.release());
  await scene.pass(5000);
  const error = await scene.until(mutex.acquire("another").catch((thrown: unknown) => thrown as Error));
  expect(error).toMatchObject({
    code: "store-unsafe",
    message: expect.stringContaining("another ETag of the same object"),
  });
});
