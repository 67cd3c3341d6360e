import { describe, expect } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { errorOf, it } from "./fixture.js";

const all = async (mutex: S3Mutex) => {
  const names: string[] = [];
  for await (const { lockName } of mutex.list()) names.push(lockName);
  return names;
};

/** Each with what it comes to in a bucket that is empty. */
const CALLS: readonly (readonly [name: string, call: (mutex: S3Mutex) => Promise<unknown>, result: unknown])[] = [
  ["acquire", async (mutex) => await (await mutex.acquire("a")).release(), true],
  ["tryAcquire", async (mutex) => await (await mutex.tryAcquire("a"))?.release(), true],
  ["withLock", (mutex) => mutex.withLock("a", () => 1), 1],
  ["withLocks", (mutex) => mutex.withLocks(["a", "b"], () => 1), 1],
  ["runOnce", (mutex) => mutex.runOnce("k", () => 1), { ran: true, result: 1 }],
  ["forget", (mutex) => mutex.forget("k"), false],
  ["withPermits", (mutex) => mutex.semaphore("s", { permits: 2 }).withPermits(() => 1), 1],
  ["permits of several records", (mutex) => mutex.semaphore("s", { permits: 200 }).withPermits(() => 1), 1],
  ["resize", async (mutex) => (await mutex.semaphore("s", { permits: 3 }).resize(4)) ?? "done", "done"],
  ["runWhenLeader", (mutex) => mutex.election("e").runWhenLeader(() => 7), 7],
  ["leader", async (mutex) => (await mutex.election("e").leader()) ?? "none", "none"],
  ["isLocked", (mutex) => mutex.isLocked("a"), false],
  ["inspect", (mutex) => mutex.inspect("a"), null],
  ["list", all, []],
  ["cleanupStaleLocks", (mutex) => mutex.cleanupStaleLocks(), { total: 0, cleaned: 0 }],
  ["deleteLock by force", (mutex) => mutex.deleteLock("a", true), true],
  ["releaseLock", (mutex) => mutex.releaseLock("a"), false],
  [
    "a fenced object",
    (mutex) => mutex.withLock("a", async (lock) => await (await lock.fencedObject({ key: "o" })).read()),
    undefined,
  ],
];

describe("a bucket that is not there, and is to be created", () => {
  it.for(CALLS)("is created by the first call, whichever that is: %s", async ([name, call, result], { world }) => {
    const bucketName = `missing-${name.toLowerCase().replaceAll(" ", "-")}`;
    const mutex = world.mutex({ bucketName, createBucketIfNotExists: true });
    const got = await call(mutex);
    if (typeof result === "object" && result !== null) expect(got).toMatchObject(result);
    else expect(got).toBe(result);
    expect(world.server.requests.byOperation.CreateBucket).toBe(1);
  });

  it.for(CALLS)("is named by every call where that was not asked for: %s", async ([, call], { world }) => {
    const error = await errorOf(call(world.mutex({ bucketName: "nowhere" })));
    expect(error).toMatchObject({ code: "no-such-bucket", retryable: false });
    expect(error.message).toContain("Create the bucket nowhere, or set `createBucketIfNotExists: true`.");
  });
});

it("another bucket, of fenced objects, is not created, and no option is advised that is set", async ({ world }) => {
  const mutex = world.mutex({ createBucketIfNotExists: true });
  const read = mutex.withLock("a", async (lock) => {
    const object = await lock.fencedObject({ bucket: "elsewhere", key: "o" });
    return await object.read();
  });
  const error = await errorOf(read);
  expect(error).toMatchObject({ code: "no-such-bucket" });
  expect(error.message).toMatch(/Create the bucket elsewhere\.$/);
});

it.for([true, false])(
  "a name that no new bucket may have is said to be one, created or not (%s)",
  async (create, { world }) => {
    const mutex = world.mutex({ bucketName: "My_Bucket", createBucketIfNotExists: create });
    const error = await errorOf(mutex.acquire("a"));
    expect(error.code).toBe(create ? "invalid-argument" : "no-such-bucket");
    expect(error.message).toContain('S3 creates no bucket "My_Bucket"');
    expect(error.message).not.toMatch(/Create the bucket|createBucketIfNotExists/);
  },
);
