import { beforeEach, describe, expect, test } from "vitest";
import type { FencedObject, Lock, S3Mutex } from "../../src/index.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { Chain, FencedWorld, KEY, LEASE_MS, LOCK } from "./fenced-world.js";

/** What becomes of writes whose answers are lost, late or never come, in virtual time. */

let world: FencedWorld;
let chain: Chain;
let process: SimProcess;
let mutex: S3Mutex;
let lock: Lock;
let object: FencedObject<readonly string[]>;

beforeEach(async () => {
  world = new FencedWorld(1);
  chain = new Chain();
  world.bucket.onChange = (key, body) => chain.landed(key, body);
  process = world.process("p");
  mutex = world.mutex(process);
  lock = await world.until(mutex.acquire(LOCK));
  object = await world.until(lock.fencedObject<readonly string[]>({ key: KEY }));
  await world.until(object.write(["write-1"]));
});

const contentNow = () => JSON.parse(world.bucket.objects.get(KEY)?.body ?? "{}").content;
const append = (name: string) => object.update((entries = []) => [...entries, name]);

/** Gives the next write of the object this fate; what follows is fine. */
function nextWrite(fate: Fate): void {
  let isNext = true;
  world.fate = (operation, key) => {
    if (key !== KEY || operation !== "write" || !isNext) return { kind: "fine" };
    isNext = false;
    return fate;
  };
}

/** Cuts the process off: nothing that it asks about the object gets an answer. */
function cutOff(): void {
  world.fate = (_, key, from) => (key === KEY && from === process ? { kind: "lost" } : { kind: "fine" });
}

/** Makes a newer holder, who has the object open. */
async function successor(): Promise<FencedObject<readonly string[]>> {
  const other = world.mutex(world.process("q"));
  await world.until(other.releaseLock(LOCK, true));
  const newer = await world.until(other.acquire(LOCK));
  return await world.until(newer.fencedObject<readonly string[]>({ key: KEY }));
}

const errorOf = (promise: Promise<unknown>) =>
  world.until(
    promise.then(
      () => "no error",
      (error) => error,
    ),
  );

describe("a write", () => {
  test.each<[string, Fate]>([
    ["whose answer is lost", { kind: "answer-lost" }],
    ["that is lost itself", { kind: "lost" }],
    ["that arrives twice", { kind: "twice" }],
    ["that lands late, after it was sent again", { kind: "late", byMs: 3000 }],
    ["that lands and is answered with an error", { kind: "error", status: 500, applied: true }],
    ["that lands and is answered as a conflict", { kind: "error", status: 409, applied: true }],
    ["that is answered as a conflict for no reason", { kind: "error", status: 409, applied: false }],
  ])("%s is made once, and known to be", async (_, fate) => {
    nextWrite(fate);
    expect(await world.until(append("update-2"))).toEqual(["write-1", "update-2"]);
    await world.until(world.world.sleep(5000));
    expect(contentNow()).toEqual(["write-1", "update-2"]);
    expect(await world.until(append("update-3"))).toEqual(["write-1", "update-2", "update-3"]);
    expect(chain.problems).toEqual([]);
  });

  test("that was given up cannot land any more once the object was used again", async () => {
    let late = 0;
    world.fate = (operation, key) => {
      if (key !== KEY) return { kind: "fine" };
      late += 1;
      return operation === "write" ? { kind: "late", byMs: 30_000 - late } : { kind: "lost" };
    };
    expect(await errorOf(append("update-2"))).toMatchObject({ code: "store-unavailable", maybeApplied: true });
    world.fate = () => ({ kind: "fine" });
    expect(await world.until(object.read())).toEqual(["write-1"]);
    await world.until(world.world.sleep(60_000));
    expect(await world.until(object.read())).toEqual(["write-1"]);
    expect(chain.made("update-2")).toBe(0);
    // Only because it was used: by then they have all arrived.
    expect(late).toBeGreaterThan(1);
  });

  test("without an answer is tried as long as the lease lasts, and at least twice", async () => {
    cutOff();
    const sinceMs = world.world.nowMs;
    const sent = world.sent.length;
    expect(await errorOf(append("update-2"))).toMatchObject({ code: "store-unavailable", maybeApplied: true });
    const tookMs = world.world.nowMs - sinceMs;
    expect(tookMs).toBeGreaterThan(LEASE_MS * 0.5);
    expect(tookMs).toBeLessThan(LEASE_MS * 2);
    expect(world.sent.slice(sent).filter(({ key }) => key === KEY).length).toBeGreaterThanOrEqual(2);
    expect(await errorOf(object.read())).toMatchObject({ code: "store-unavailable" });
    expect((await errorOf(object.read())).maybeApplied).toBeUndefined();
  });
});

describe("a write without an answer, and then a newer holder", () => {
  /** Leaves the write as it is until the newer holder is there. */
  async function writeThenSuccessor(
    fate: Fate,
    meanwhile?: (newer: FencedObject<readonly string[]>) => Promise<unknown>,
  ) {
    const outcome = append("update-2").then(
      () => "made",
      (error) => error,
    );
    nextWrite(fate);
    // It was sent; the process stands still before it learns more.
    await world.until(world.world.sleep(1));
    process.freeze(20_000, false);
    const newer = await successor();
    if (meanwhile !== undefined) await meanwhile(newer);
    return world.until(outcome);
  }

  test("is known to be made where the newer one has found it", async () => {
    expect(await writeThenSuccessor({ kind: "answer-lost" })).toBe("made");
    expect(contentNow()).toEqual(["write-1", "update-2"]);
    expect(await errorOf(append("update-3"))).toMatchObject({ code: "fenced-out" });
  });

  test("is known not to be made where the newer one has found what was before", async () => {
    const error = await writeThenSuccessor({ kind: "lost" });
    expect(error).toMatchObject({ code: "fenced-out", message: expect.stringContaining("Nothing was changed") });
    expect(error.maybeApplied).toBeUndefined();
  });

  test.each<[string, Fate, boolean]>([
    ["made", { kind: "answer-lost" }, true],
    ["not made", { kind: "lost" }, false],
  ])("is known to be %s where the newer one has changed it since", async (_, fate, wasMade) => {
    const outcome = await writeThenSuccessor(fate, async (newer) => {
      for (let count = 0; count < 9; count += 1) await world.until(newer.write([`write-${count}`]));
    });
    if (wasMade) expect(outcome).toBe("made");
    else expect(outcome).toMatchObject({ code: "fenced-out" });
    expect(outcome.maybeApplied).toBeUndefined();
    expect(chain.made("update-2")).toBe(wasMade ? 1 : 0);
  });

  test.each<[string, Fate, boolean]>([
    ["made", { kind: "answer-lost" }, true],
    ["not made", { kind: "lost" }, false],
  ])("may have been made where more newer ones came than are remembered: %s", async (_, fate, wasMade) => {
    const outcome = await writeThenSuccessor(fate, async (newer) => {
      await world.until(newer.write(["write-3"]));
      for (let count = 4; count < 9; count += 1) await world.until((await successor()).write([`write-${count}`]));
    });
    expect(outcome).toMatchObject({ code: "fenced-out", maybeApplied: true });
    expect(outcome.message).toContain("may have been made");
    expect(chain.made("update-2")).toBe(wasMade ? 1 : 0);
  });
});

test("who has lost the lock goes on until a newer holder opens the object, whatever the clocks say", async () => {
  process.freeze(LEASE_MS * 5, true);
  await world.until(world.pause(process, 1));
  expect(lock.held).toBe(false);
  expect(await world.until(append("update-2"))).toEqual(["write-1", "update-2"]);
  await successor();
  expect(await errorOf(append("update-3"))).toMatchObject({ code: "fenced-out" });
  expect(contentNow()).toEqual(["write-1", "update-2"]);
});

test("an update is one request, a read one that is answered 304, and opening two", async () => {
  const requestsOf = async (work: () => Promise<unknown>) => {
    const before = world.sent.length;
    await world.until(work());
    return world.sent.slice(before).map(({ operation }) => operation);
  };
  expect(await requestsOf(() => append("update-2"))).toEqual(["write"]);
  expect(await requestsOf(() => object.write(["write-3"]))).toEqual(["write"]);
  expect(await requestsOf(() => object.read())).toEqual(["read"]);
  expect(await requestsOf(() => lock.fencedObject({ key: "other" }))).toEqual(["read", "write"]);
});

test("nothing is sent any more once the mutex is closed", async () => {
  await world.until(mutex.close());
  const sent = world.sent.length;
  expect(await errorOf(object.write([]))).toMatchObject({ code: "closed" });
  expect(world.sent.length).toBe(sent);
});
