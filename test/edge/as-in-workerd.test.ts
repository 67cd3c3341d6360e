import { AsyncLocalStorage } from "node:async_hooks";
import { afterAll, expect, test, vi } from "vitest";

/** As in workerd: storage of an asynchronous context cannot be entered. From Node 24 on `run` enters it as well, and may. */
const { enterWith } = AsyncLocalStorage.prototype;
const entering = vi.spyOn(AsyncLocalStorage.prototype, "enterWith").mockImplementation(function (
  this: AsyncLocalStorage<unknown>,
  store: unknown,
) {
  const callers = (new Error().stack ?? "").split("\n").slice(1);
  const caller = callers.find((line) => !/as-in-workerd|node_modules/.test(line)) ?? "";
  if (!caller.includes("AsyncLocalStorage.run")) throw new Error("asyncLocalStorage.enterWith() is not implemented");
  enterWith.call(this, store);
});
// Other files share this process, and find the modules anew.
afterAll(() => {
  entering.mockRestore();
  vi.resetModules();
});

// The set-up of the tests may have loaded them already.
vi.resetModules();
const { S3Mutex } = await import("../../src/port/index.js");
const { realEffects } = await import("../../src/runtime/base/effects.js");
const { memoryStore } = await import("../../src/testing/index.js");

const open = () => new S3Mutex({ store: memoryStore() });

test("a timer may be a number, as before a compatibility date of 2026", async () => {
  const setNodeTimer = globalThis.setTimeout;
  const called = vi.fn();
  vi.stubGlobal("setTimeout", (...args: Parameters<typeof setTimeout>) => Number(setNodeTimer(...args)));
  const cancel = realEffects.setTimer(20, called, { keepAlive: false });
  realEffects.setTimer(20, called, { keepAlive: false });
  vi.unstubAllGlobals();
  cancel();
  await vi.waitFor(() => expect(called).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(called).toHaveBeenCalledTimes(1);
});

test("a bare call takes a lock, renews it and gives it back", async () => {
  const mutex = open();
  const lock = await mutex.acquire("orders", { leaseMs: 300 });
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(lock.held).toBe(true);
  expect(await lock.release()).toBe(true);
  await mutex.close();
});

test("calls by name take and give back", async () => {
  const mutex = open();
  expect(await mutex.acquireLock("orders")).toBe(true);
  expect(await mutex.releaseLock("orders")).toBe(true);
  await mutex.close();
});

test("functions nest, and a lock that the caller holds is a deadlock", async () => {
  const mutex = open();
  const nested = await mutex.withLock("orders", () => mutex.withLock("orders", () => "inner", { reentrant: true }));
  expect(nested).toBe("inner");
  const waiting = mutex.withLock("orders", () => mutex.acquire("orders"));
  await expect(waiting).rejects.toMatchObject({ code: "deadlock" });
  await mutex.close();
});
