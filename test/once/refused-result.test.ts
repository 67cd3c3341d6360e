import { describe, expect, it } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { ObjectStore } from "../../src/store/object-store.js";
import { Scene } from "../../testkit/scene.js";
import { outcomeOf } from "../waiting/place.js";

/** What a function of `runOnce` has done is done: a store that refuses to remember it is asked again while the lease lasts. */

const LEASE_MS = 30_000;

/** What a store says whose answer may be another one in a moment. */
const OUTDATED = new S3MutexError("access-denied", "was refused (400 ExpiredToken)");

/** Makes a mutex whose writes of results are refused while that is switched on; those of the lock too where `isWhole`. */
function startRefusing(isWhole = true) {
  const scene = new Scene();
  const state = { isRefusing: false, ran: 0 };
  const refusing = (store: ObjectStore): ObjectStore => ({
    read: (key, options) => store.read(key, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
    write: async (key, body, condition, options) =>
      state.isRefusing && (isWhole || key.startsWith("once/"))
        ? { kind: "refused", error: OUTDATED, about: "credentials" }
        : store.write(key, body, condition, options),
  });
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  const { mutex } = scene.client({ lockTimeoutMs: LEASE_MS, through: refusing, logger });
  const run = () => {
    state.ran += 1;
    state.isRefusing = true;
    return "v";
  };
  return { scene, mutex, state, warnings, run };
}

describe("a result that the store refuses, as for credentials that have ended", () => {
  it.each([500, 4000, 20_000])("is remembered where it takes it after %i ms", async (refusedMs) => {
    const { scene, mutex, state, warnings, run } = startRefusing();
    scene.world.after(refusedMs, () => {
      state.isRefusing = false;
    });
    expect(await scene.until(mutex.runOnce("job", run), 60_000)).toEqual({ ran: true, result: "v" });
    expect(await scene.until(mutex.runOnce("job", run), 60_000)).toEqual({ ran: false, result: "v" });
    expect(state.ran).toBe(1);
    expect(warnings.filter((message) => message.includes("result"))).toHaveLength(1);
  });

  it.each([true, false])(
    "is told as refused, with the result, after one lease; whether the lock is renewed or not (%s)",
    async (isWhole) => {
      const { scene, mutex, run } = startRefusing(isWhole);
      const startedAtMs = scene.nowMs;
      const { error, atMs } = await scene.until(outcomeOf(scene, mutex.runOnce("job", run)), 120_000);
      expect(error).toMatchObject({ code: "access-denied", result: "v" });
      expect((error as Error).message).toMatch(/has run, and was not remembered.*ExpiredToken/);
      expect(atMs - startedAtMs).toBeGreaterThan(LEASE_MS - 1500);
      expect(atMs - startedAtMs).toBeLessThan(LEASE_MS + 1500);
    },
  );

  it("is not waited for once the mutex is closed", async () => {
    const { scene, mutex, run } = startRefusing();
    const running = outcomeOf(scene, mutex.runOnce("job", run));
    await scene.pass(2000);
    await scene.until(mutex.close({ graceMs: 1000 }));
    const { error } = await scene.until(running, 3000);
    expect(error).toMatchObject({ code: "lost", reason: "closed", result: "v" });
  });
});
