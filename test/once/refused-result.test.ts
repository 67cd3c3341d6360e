import { describe, expect, it } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { ObjectStore, WriteOutcome } from "../../src/store/object-store.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { Scene } from "../../testkit/scene.js";
import { outcomeOf } from "../waiting/place.js";

/** What a function of `runOnce` has done is done: a store that refuses to remember it is asked again while the lease lasts. */

const LEASE_MS = 30_000;

type Answer = (atMs: number) => WriteOutcome;

const refusedAs =
  (code: "access-denied" | "store-unsafe" | "no-such-bucket", text: string): Answer =>
  () => ({ kind: "refused", error: new S3MutexError(code, text) });

const OUTDATED = refusedAs("access-denied", "was refused (400 ExpiredToken)");

/** What a store may say for some seconds of what it took before and takes after. */
const FOR_A_WHILE: Readonly<Record<string, Answer>> = {
  "that credentials have ended": OUTDATED,
  "that it is read-only": refusedAs("store-unsafe", "was refused (405 MethodNotAllowed)"),
  "that it knows no such header": refusedAs("store-unsafe", "was refused (501 NotImplemented)"),
  "that there is no such bucket": refusedAs("no-such-bucket", "was refused (404 NoSuchBucket)"),
  "that the version is another one, though it is not": (atMs) => ({
    kind: "conflict",
    timing: { sentAtMs: atMs, receivedAtMs: atMs },
  }),
};

/** Makes a mutex whose writes of results are refused while that is switched on; those of the lock too where `isWhole`. */
function startRefusing(isWhole = true, answer = OUTDATED) {
  const scene = new Scene();
  const state = { isRefusing: false, ran: 0 };
  const refusing = (store: ObjectStore, { effects }: SimProcess): ObjectStore => ({
    read: (key, options) => store.read(key, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
    write: async (key, body, condition, options) =>
      state.isRefusing && (isWhole || key.startsWith("once/"))
        ? answer(effects.monotonicMs())
        : store.write(key, body, condition, options),
  });
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS, through: refusing, logger });
  const run = () => {
    state.ran += 1;
    state.isRefusing = true;
    return "v";
  };
  return { scene, mutex, process, state, warnings, run };
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

  it.each(Object.keys(FOR_A_WHILE).flatMap((says) => [true, false].map((isWhole) => ({ says, isWhole }))))(
    "is remembered where the store says for ten seconds $says (of its lock too: $isWhole)",
    async ({ says, isWhole }) => {
      const { scene, mutex, state, run } = startRefusing(isWhole, FOR_A_WHILE[says]);
      scene.world.after(10_000, () => {
        state.isRefusing = false;
      });
      expect(await scene.until(mutex.runOnce("job", run), 60_000)).toEqual({ ran: true, result: "v" });
      expect(await scene.until(mutex.runOnce("job", run), 60_000)).toEqual({ ran: false, result: "v" });
      expect(state.ran).toBe(1);
    },
  );

  it("is remembered where the wall clock is set forward at any moment meanwhile", async () => {
    for (let atMs = 4000; atMs < 5100; atMs += 50) {
      const { scene, mutex, process, state, run } = startRefusing(false);
      scene.world.after(atMs, () => process.stepWall(3_600_000));
      scene.world.after(10_000, () => {
        state.isRefusing = false;
      });
      const outcome = await scene.until(outcomeOf(scene, mutex.runOnce("job", run)), 60_000);
      expect(outcome, `after ${atMs} ms`).toMatchObject({ value: { ran: true } });
    }
  });

  it("is remembered where the wall clock is set forward in the moment in which it is refused first", async () => {
    const { scene, mutex, process, state } = startRefusing(false);
    scene.world.after(10_000, () => {
      state.isRefusing = false;
    });
    const run = () => {
      state.isRefusing = true;
      process.stepWall(3_600_000);
      return "v";
    };
    expect(await scene.until(mutex.runOnce("job", run), 60_000)).toEqual({ ran: true, result: "v" });
  });

  it("may have been remembered, where one write was not answered and all after it were refused", async () => {
    let isRefusedAtLast = false;
    const { scene, mutex, run } = startRefusing(false, (atMs) => {
      const conflict: WriteOutcome = { kind: "conflict", timing: { sentAtMs: atMs, receivedAtMs: atMs } };
      if (scene.nowMs < startedAtMs + 10_000) return conflict;
      isRefusedAtLast = true;
      return OUTDATED(atMs);
    });
    const startedAtMs = scene.nowMs;
    const { error } = await scene.until(outcomeOf(scene, mutex.runOnce("job", run)), 120_000);
    expect(isRefusedAtLast).toBe(true);
    expect(error).toMatchObject({ code: "access-denied", result: "v", maybeApplied: true });
    expect((error as Error).message).toMatch(/may not have been remembered/);
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
