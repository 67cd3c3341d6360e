import { describe, expect } from "vitest";
import { S3Mutex, S3MutexError } from "../../src/index.js";
import { BUCKET, it, type World } from "./fixture.js";

const NO_STRING = [undefined, null, 0, 7, Number.NaN, true, {}, [], Symbol("name"), () => "name", 10n];
const NO_NAME = [...NO_STRING, "", "x".repeat(1100), "\u{1F512}".repeat(90)];
const NO_KEY = ["\ud800", "locks/\udc00/", "\udc00\ud800"];
const NO_DURATION = [-1, Number.NaN, Number.NEGATIVE_INFINITY, "100", null, {}, [], true, 10n, new Date()];
const NO_LEASE = [...NO_DURATION, 0, 99, Number.POSITIVE_INFINITY, 366 * 86_400_000];
const NO_COUNT = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null, {}, true, 2 ** 53];
const NO_PRIORITY = [1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null, {}, true, 2 ** 53, -(2 ** 53), 10n];
const NO_BOOLEAN = ["true", "", 0, 1, null, {}];
/** An object may be options, of which none is given. */
const NO_FORCE = NO_BOOLEAN.filter((value) => typeof value !== "object" || value === null);
const NO_LABEL = [null, 5, {}, [], true];
const NO_SIGNAL = [null, "signal", {}, new AbortController(), 5];
const NO_FUNCTION = [undefined, null, 5, "work", {}];
const NO_OBJECT = [null, 5, "options", true];

/** Spells a value as the message has to name it. */
function spelled(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value).slice(0, 40);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

type Call = (value: never) => unknown;

/** Lists what is wrong with how a call answers to these values; nothing is what it should be. */
async function complaints(argument: string, values: readonly unknown[], call: Call): Promise<string[]> {
  const found: string[] = [];
  for (const value of values) {
    const outcome = await (async () => call(value as never))().then(
      (result) => `gave ${spelled(result)}`,
      (error: unknown) => describeError(error, argument, value),
    );
    if (outcome !== undefined) found.push(`${argument} = ${spelled(value)}: ${outcome}`);
  }
  return found;
}

function describeError(error: unknown, argument: string, value: unknown): string | undefined {
  if (!(error instanceof S3MutexError)) return `threw ${error}`;
  if (error.code !== "invalid-argument") return `code ${error.code}`;
  if (error.retryable) return "retryable";
  if (!error.message.includes(argument)) return `argument not in: ${error.message}`;
  return error.message.includes(spelled(value)) ? undefined : `value not in: ${error.message}`;
}

/** Checks all the calls, and that none of them made a request. */
async function expectRefused(world: World, cases: ReadonlyArray<readonly [string, readonly unknown[], Call]>) {
  const found: string[] = [];
  for (const [argument, values, call] of cases) found.push(...(await complaints(argument, values, call)));
  expect(found).toEqual([]);
  expect(world.server.requests.total).toBe(0);
}

describe.concurrent("the constructor", () => {
  it("refuses wrong options, naming each and its value", async ({ world }) => {
    const s3Client = world.client();
    const option =
      (name: string): Call =>
      (value) =>
        new S3Mutex({ s3Client, bucketName: BUCKET, [name]: value });
    await expectRefused(world, [
      ["options", [undefined, ...NO_OBJECT], (value) => new S3Mutex(value)],
      ["bucketName", [...NO_STRING, ""], option("bucketName")],
      ["s3Client", [null, {}, "client", 5, [], { send: true }], option("s3Client")],
      ["keyPrefix", [...NO_LABEL, ...NO_KEY], option("keyPrefix")],
      ["oncePrefix", [...NO_LABEL, ...NO_KEY], option("oncePrefix")],
      ["semaphorePrefix", [...NO_LABEL, ...NO_KEY], option("semaphorePrefix")],
      ["createBucketIfNotExists", NO_BOOLEAN, option("createBucketIfNotExists")],
      ["maxRetries", NO_COUNT, option("maxRetries")],
      ["retryDelayMs", NO_DURATION, option("retryDelayMs")],
      ["maxRetryDelayMs", NO_DURATION, option("maxRetryDelayMs")],
      ["useJitter", NO_BOOLEAN, option("useJitter")],
      ["lockTimeoutMs", NO_LEASE, option("lockTimeoutMs")],
      ["clockSkewToleranceMs", NO_DURATION, option("clockSkewToleranceMs")],
      ["takeover", [null, "", "sometimes", 5, {}], option("takeover")],
      ["ownerId", [...NO_LABEL, ""], option("ownerId")],
      ["publishHost", NO_BOOLEAN, option("publishHost")],
      ["label", NO_LABEL, option("label")],
      ["keyEncoding", [null, "", "base64", 5, {}], option("keyEncoding")],
      ["logger", [null, 5, "console", true], option("logger")],
    ]);
  });

  it("needs a client or what to make one from, and not both", async ({ world }) => {
    const s3Client = world.client();
    const bucketName = BUCKET;
    await expectRefused(world, [
      // @ts-expect-error: neither of the two.
      ["s3Client", [undefined], () => new S3Mutex({ bucketName })],
      ["s3ClientConfig", [null, 5, "config"], (s3ClientConfig) => new S3Mutex({ bucketName, s3ClientConfig })],
      ["s3ClientConfig", [{}], (s3ClientConfig) => new S3Mutex({ bucketName, s3Client, s3ClientConfig })],
    ]);
  });

  it("makes no request itself", async ({ world }) => {
    world.mutex();
    world.mutex({ s3ClientConfig: world.server.clientConfig(), createBucketIfNotExists: true });
    expect(world.server.requests.total).toBe(0);
  });

  it("refuses an infinite tolerance", async ({ world }) => {
    const option: Call = (clockSkewToleranceMs) =>
      new S3Mutex({ s3Client: world.client(), bucketName: BUCKET, clockSkewToleranceMs });
    await expectRefused(world, [["clockSkewToleranceMs", [Number.POSITIVE_INFINITY], option]]);
  });
});

describe.concurrent("a lock name", () => {
  it("that is wrong is refused by every method", async ({ world }) => {
    const mutex = world.mutex();
    await expectRefused(world, [
      ["lockName", NO_NAME, (name) => mutex.acquireLock(name)],
      ["lockName", NO_NAME, (name) => mutex.releaseLock(name)],
      ["lockName", NO_NAME, (name) => mutex.releaseLock(name, true)],
      ["lockName", NO_NAME, (name) => mutex.refreshLock(name)],
      ["lockName", NO_NAME, (name) => mutex.isLocked(name)],
      ["lockName", NO_NAME, (name) => mutex.isOwnedByUs(name)],
      ["lockName", NO_NAME, (name) => mutex.deleteLock(name)],
      ["lockName", NO_NAME, (name) => mutex.deleteLock(name, true)],
      ["lockName", NO_NAME, (name) => mutex.withLock(name, () => 1)],
      ["lockName", NO_NAME, (name) => mutex.acquire(name)],
      ["lockName", NO_NAME, (name) => mutex.tryAcquire(name)],
    ]);
  });

  it("that is too long for a key counts the prefix and the escapes", async ({ world }) => {
    const mutex = world.mutex({ keyPrefix: `${"p".repeat(999)}/` });
    await expectRefused(world, [["lockName", ["n".repeat(20), "......."], (name) => mutex.isLocked(name)]]);
    expect(await mutex.isLocked("n".repeat(19))).toBe(false);
    expect(world.server.requests.total).toBe(1);
  });

  it("that is too long for a key of 1.x is refused as well", async ({ world }) => {
    const mutex = world.mutex({ keyEncoding: "1.x" });
    await expectRefused(world, [["lockName", ["x".repeat(1100)], (name) => mutex.isLocked(name)]]);
  });
});

describe.concurrent("the arguments of", () => {
  it("acquireLock, releaseLock and deleteLock", async ({ world }) => {
    const mutex = world.mutex();
    await expectRefused(world, [
      ["timeoutMs", NO_DURATION, (value) => mutex.acquireLock("lock", value)],
      ["priority", NO_PRIORITY, (value) => mutex.acquireLock("lock", undefined, value)],
      ["force", NO_FORCE, (value) => mutex.releaseLock("lock", value)],
      ["force", NO_FORCE, (value) => mutex.deleteLock("lock", value)],
    ]);
  });

  it("withLock", async ({ world }) => {
    const mutex = world.mutex();
    let runs = 0;
    const option =
      (name: string): Call =>
      (value) =>
        mutex.withLock("lock", () => ++runs, { [name]: value });
    await expectRefused(world, [
      ["fn", NO_FUNCTION, (value) => mutex.withLock("lock", value)],
      ["timeoutMs", NO_DURATION, option("timeoutMs")],
      ["retries", NO_COUNT, option("retries")],
      ["priority", NO_PRIORITY, option("priority")],
      ["signal", NO_SIGNAL, option("signal")],
      ["leaseMs", NO_LEASE, option("leaseMs")],
      ["label", NO_LABEL, option("label")],
    ]);
    expect(runs).toBe(0);
  });

  it.for(["acquire", "tryAcquire"] as const)("%s", async (method, { world }) => {
    const mutex = world.mutex();
    const option =
      (name: string): Call =>
      (value) =>
        mutex[method]("lock", { [name]: value });
    await expectRefused(world, [
      ...(method === "acquire" ? [["timeoutMs", NO_DURATION, option("timeoutMs")] as const] : []),
      ["priority", NO_PRIORITY, option("priority")],
      ["signal", NO_SIGNAL, option("signal")],
      ["leaseMs", NO_LEASE, option("leaseMs")],
      ["label", NO_LABEL, option("label")],
    ]);
  });

  it("cleanupStaleLocks", async ({ world }) => {
    const mutex = world.mutex();
    const option =
      (name: string): Call =>
      (value) =>
        mutex.cleanupStaleLocks({ [name]: value });
    await expectRefused(world, [
      ["prefix", [...NO_LABEL, "", "other/", "lock", "/locks/", "locks/\ud800"], option("prefix")],
      ["olderThan", NO_DURATION, option("olderThan")],
      ["dryRun", NO_BOOLEAN, option("dryRun")],
      ["includeReleased", NO_BOOLEAN, option("includeReleased")],
      ["restMs", NO_DURATION, option("restMs")],
    ]);
  });

  it("the methods with options, if those are not an object", async ({ world }) => {
    const mutex = world.mutex();
    let calls = 0;
    const fresh = () => `lock-${++calls}`;
    await expectRefused(world, [
      ["options", NO_OBJECT, (value) => mutex.acquire(fresh(), value)],
      ["options", NO_OBJECT, (value) => mutex.tryAcquire(fresh(), value)],
      ["options", NO_OBJECT, (value) => mutex.withLock(fresh(), () => 1, value)],
      ["options", NO_OBJECT, (value) => mutex.cleanupStaleLocks(value)],
    ]);
  });
});

describe.concurrent("texts that go into every entry of a record", () => {
  it("are refused where they would make it too large to be read", async ({ world }) => {
    const long = "x".repeat(201);
    await expectRefused(world, [
      ["label", [long], (label) => world.mutex({ label })],
      ["ownerId", [long], (ownerId) => world.mutex({ ownerId })],
      ["label", [long], (label) => world.mutex().acquire("lock", { label })],
    ]);
  });
});

describe("a listener for an event that there is not", () => {
  it("is refused in words, by each way to add one; Node's own and symbols are not", async ({ world }) => {
    const mutex = world.mutex() as unknown as import("node:events").EventEmitter;
    for (const method of ["on", "once", "addListener", "prependListener", "prependOnceListener"] as const) {
      expect(() => mutex[method]("aquired", () => {})).toThrow('event is "aquired": use acquired.');
      expect(() => mutex[method]("migrate", () => {})).toThrow(
        /use one of enqueued, .*; what is to be done once .* runOnce\(\)/,
      );
      for (const event of ["acquired", "error", "newListener", Symbol("mine")]) mutex[method](event, () => {});
    }
    expect(mutex.listenerCount("aquired")).toBe(0);
    expect(mutex.listenerCount("acquired")).toBe(5);
  });
});
