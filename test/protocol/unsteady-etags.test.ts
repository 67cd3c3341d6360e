import { expect, it } from "vitest";
import type { ObjectStore } from "../../src/store/object-store.js";
import { NAME, Scene } from "./scene.js";

/** Reads on this way show another ETag each time, whatever is stored. */
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

/** A store that was sound when the lock was used first, and the client that sees it through such a way. */
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
