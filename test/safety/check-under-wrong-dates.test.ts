import { describe, expect, it } from "vitest";
import { createCheck } from "../../src/create-check.js";
import { Background } from "../../src/runtime/base/context.js";
import { type Effects, quietLogger } from "../../src/runtime/base/effects.js";
import { logTo } from "../../src/runtime/base/logger.js";
import { StoreClock } from "../../src/runtime/base/store-clock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import type { UnknownOutcome } from "../../src/store/object-store.js";
import { type ClientOptions, NAME, Scene } from "../../testkit/scene.js";
import { type Told, telling } from "../protocol/telling.js";

/** The check of a store one of whose answers is wrong by more than a proof lives, or whose front ends are that far apart for good. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MARKER = "locks/.s3-mutex/checked.json";

function checked(scene: Scene, options: ClientOptions = {}) {
  return scene.client({ verify: "auto", ...options });
}

/** Makes the answer with that number to a process, whatever was asked, wrong by so much. */
function wrongAt(index: number, offByMs: number) {
  let answers = -1;
  return telling((): Told => {
    answers += 1;
    return answers === index ? { offByMs } : "date";
  });
}

/** Lets one client have checked the store, as one that has left its proof in the marker and in the record. */
async function checkFirst(scene: Scene): Promise<void> {
  const { mutex } = checked(scene);
  await scene.until(mutex.withLock(NAME, () => {}));
  await scene.pass(1000);
}

const CALLS: readonly (readonly [string, (mutex: S3Mutex, name: string) => Promise<unknown>])[] = [
  ["acquire", (mutex, name) => mutex.acquire(name, { timeoutMs: 2000 })],
  ["tryAcquire", (mutex, name) => mutex.tryAcquire(name)],
  ["withLock", (mutex, name) => mutex.withLock(name, () => "ran")],
  ["runOnce", (mutex, name) => mutex.runOnce(name, () => "ran", { timeoutMs: 2000 })],
  ["a semaphore", (mutex, name) => mutex.semaphore(name, { permits: 2 }).acquire({ timeoutMs: 2000 })],
];

describe.each([-400 * DAY_MS, -25 * HOUR_MS, 25 * HOUR_MS, 400 * DAY_MS])("one answer that is %i ms off", (offByMs) => {
  it.each(CALLS)("%s of a free lock is granted at once, in a bucket that no client has checked", async (_, call) => {
    for (let index = 0; index < 8; index += 1) {
      const scene = new Scene();
      const { mutex } = checked(scene, { through: wrongAt(index, offByMs) });
      const startedAtMs = scene.nowMs;
      expect(await scene.until(call(mutex, NAME))).toBeTruthy();
      expect(scene.nowMs - startedAtMs).toBeLessThan(500);
      expect(scene.requestsOf().length).toBeLessThan(20);
    }
  });

  it.each(CALLS)("%s of a free lock is granted at once, in one that another client has checked", async (_, call) => {
    for (const name of [NAME, "new"]) {
      for (let index = 0; index < 6; index += 1) {
        const scene = new Scene();
        await checkFirst(scene);
        const askedAtMs = scene.nowMs;
        const { mutex, process } = checked(scene, { through: wrongAt(index, offByMs) });
        expect(await scene.until(call(mutex, name))).toBeTruthy();
        expect(scene.nowMs - askedAtMs).toBeLessThan(500);
        expect(scene.requestsOf(process).length).toBeLessThan(20);
      }
    }
  });

  it("the check counts for a day all the same, and no longer", async () => {
    const scene = new Scene();
    const { mutex } = checked(scene, { through: wrongAt(0, offByMs) });
    const by: string[] = [];
    mutex.on("checked", (event) => by.push(event.by));
    for (const hours of [0, 12, 11, 2]) {
      await scene.pass(hours * HOUR_MS);
      await scene.until(mutex.withLock(NAME, () => {}));
    }
    expect(by).toEqual(["requests", "requests"]);
  });

  it("no proof that is dated by it is left for others", async () => {
    for (let index = 0; index < 3; index += 1) {
      const scene = new Scene();
      const { mutex } = checked(scene, { through: wrongAt(index, offByMs) });
      for (let turn = 0; turn < 30; turn += 1) {
        await scene.until(mutex.withLock(NAME, () => {}));
        await scene.pass(1000);
      }
      const markers = [
        scene.bucket.objects.get(MARKER)?.body ?? "",
        scene.bucket.objects.get("locks/x.json")?.body ?? "",
      ];
      for (const [, atMs] of markers.join().matchAll(/"atMs":(\d+)/g))
        expect(Math.abs(Number(atMs) - scene.nowMs)).toBeLessThan(60_000);
    }
  });
});

describe("front ends that are three days apart for good", () => {
  /** Lets each answer come from the other one. */
  const apart = () => {
    let answers = 0;
    return telling((): Told => {
      answers += 1;
      return answers % 2 === 0 ? "date" : { offByMs: 3 * DAY_MS };
    });
  };

  it.each([1000, 3000])("a call with %i ms ends in time, with few requests", async (timeoutMs) => {
    const scene = new Scene();
    const { mutex } = checked(scene, { through: apart() });
    const startedAtMs = scene.nowMs;
    const end = mutex.acquire(NAME, { timeoutMs }).then(
      () => "granted",
      (error) => error.code,
    );
    expect(["granted", "store-unavailable"]).toContain(await scene.until(end));
    expect(scene.nowMs - startedAtMs).toBeLessThanOrEqual(2 * timeoutMs + 2000);
    expect(scene.requestsOf().length).toBeLessThan(40);
  });
});

it("a check that passes and is void at once, by a clock that is set by days all the time, is not asked for without end", async () => {
  const scene = new Scene();
  const process = scene.process();
  let setByMs = 0;
  const effects: Effects = {
    ...process.effects,
    wallMs: () => {
      setByMs += 2 * DAY_MS;
      return process.effects.wallMs() + setByMs;
    },
  };
  const check = createCheck({
    ...{ store: scene.bucket.storeFor(process), effects, clock: new StoreClock(effects), logger: logTo(quietLogger) },
    ...{ background: new Background(), emit: () => {}, bucketName: "bucket", keyPrefix: "locks/" },
  });
  const errors: string[] = [];
  const budget = {
    afterFailure: async ({ error }: UnknownOutcome) => {
      errors.push(error.message);
      if (errors.length === 3) throw error;
    },
  };
  const signal = new AbortController().signal;
  const passed = check.passed(budget, { timeoutMs: 1000, signal });
  await expect(scene.until(passed, 5000)).rejects.toThrow(/void at once/);
  expect(scene.requestsOf(process).length).toBeLessThan(30);
});
