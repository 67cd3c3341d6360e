import { describe, expect, test } from "vitest";
import { S3Mutex, S3MutexError, verifyStore } from "../../src/index.js";
import { startTelemetry } from "../../src/otel/index.js";
import { conformanceChecks, MemoryStore, startS3Server } from "../../src/testing/index.js";
import { createLockManager } from "../../src/web-locks/index.js";
import { BUCKET, it, type World } from "./fixture.js";

/** The error of a call, whether it throws or rejects. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    return `gave ${await call()}`;
  } catch (error) {
    return error;
  }
}

/** A call with options; its mistyped option, and what was meant. */
type Case = readonly [call: string, given: string, meant: string, run: (world: World, options: never) => unknown];

const fn = () => 1;
const mutexOptions = (world: World, options: object) => ({ s3Client: world.client(), bucketName: BUCKET, ...options });

const CASES: readonly Case[] = [
  ["new S3Mutex", "lockTimeout", "lockTimeoutMs", (world, options) => new S3Mutex(mutexOptions(world, options))],
  ["new S3Mutex", "bucket", "bucketName", (world, options) => new S3Mutex(mutexOptions(world, options))],
  ["verifyStore", "prefix", "keyPrefix", (world, options) => verifyStore(mutexOptions(world, options))],
  ["createLockManager", "lable", "label", (world, options) => createLockManager(mutexOptions(world, options))],
  ["startTelemetry", "lockNames", "lockName", (_, options) => startTelemetry(options)],
  ["startS3Server", "latency", "latencyMs", (_, options) => startS3Server(options)],
  ["quirks", "noDates", "noDate", (_, options) => startS3Server({ quirks: options })],
  ["setQuirks", "etag", "etags", (world, options) => world.server.setQuirks(options)],
  [
    "faults.add",
    "time",
    "times",
    (world, options: object) => world.server.faults.add({ fault: "page", status: 500, ...options }),
  ],
  [
    "conformanceChecks",
    "round",
    "rounds",
    (_, options: object) => conformanceChecks({ s3ClientConfig: {}, bucketName: BUCKET, ...options }),
  ],
  [
    "new MemoryStore",
    "pagesize",
    "pageSize",
    (_, options: object) => new MemoryStore({ effects: { monotonicMs: () => 0 }, ...options }),
  ],

  ["acquire", "timeout", "timeoutMs", (world, options) => world.mutex().acquire("x", options)],
  ["acquire", "TimeoutMS", "timeoutMs", (world, options) => world.mutex().acquire("x", options)],
  ["acquire", "lease", "leaseMs", (world, options) => world.mutex().acquire("x", options)],
  ["tryAcquire", "reentrent", "reentrant", (world, options) => world.mutex().tryAcquire("x", options)],
  ["acquireAll", "priorty", "priority", (world, options) => world.mutex().acquireAll(["x"], options)],
  ["withLock", "retrys", "retries", (world, options) => world.mutex().withLock("x", fn, options)],
  ["withLocks", "timeout", "timeoutMs", (world, options) => world.mutex().withLocks(["x"], fn, options)],
  ["releaseLock", "forced", "force", (world, options) => world.mutex().releaseLock("x", options)],
  ["deleteLock", "holderId", "holderIds", (world, options) => world.mutex().deleteLock("x", options)],
  ["list", "prefx", "prefix", (world, options) => world.mutex().list(options)],
  ["watch", "interval", "intervalMs", (world, options) => world.mutex().watch(options)],
  ["health", "timeout", "timeoutMs", (world, options) => world.mutex().health(options)],
  ["cleanupStaleLocks", "dryrun", "dryRun", (world, options) => world.mutex().cleanupStaleLocks(options)],
  ["close", "grace", "graceMs", (world, options) => world.mutex().close(options)],
  ["runOnce", "timeOut", "timeoutMs", (world, options) => world.mutex().runOnce("k", fn, options)],
  ["forget", "timeout", "timeoutMs", (world, options) => world.mutex().forget("k", options)],

  ["semaphore", "permit", "permits", (world, options) => world.mutex().semaphore("s", options)],
  ["semaphore.acquire", "timeout", "timeoutMs", (world, options) => semaphore(world).acquire(options)],
  ["semaphore.tryAcquire", "permit", "permits", (world, options) => semaphore(world).tryAcquire(options)],
  ["withPermits", "retrys", "retries", (world, options) => semaphore(world).withPermits(fn, options)],

  ["election", "lease", "leaseMs", (world, options) => world.mutex().election("e", options)],
  ["campaign", "timeout", "timeoutMs", (world, options) => world.mutex().election("e").campaign(options)],
  ["runWhenLeader", "signals", "signal", (world, options) => world.mutex().election("e").runWhenLeader(fn, options)],
  ["observe", "interval", "intervalMs", (world, options) => world.mutex().election("e").observe(options)],
  ["resign", "timeout", "timeoutMs", (world, options) => world.mutex().election("e").resign(options)],
];

const semaphore = (world: World) => world.mutex().semaphore("s", { permits: 1 });

describe("P21: an unknown option is refused, with the nearest that there is", () => {
  it.for(CASES)("%s({ %s }): %s", async ([, given, meant, run], { world }) => {
    const error = await errorOf(() => run(world, { [given]: 50 } as never));
    expect(error).toBeInstanceOf(S3MutexError);
    expect(error).toMatchObject({ code: "invalid-argument", retryable: false });
    expect((error as Error).message).toContain(
      `${JSON.stringify(given)}, which is not an option here: did you mean ${meant}?`,
    );
    expect(world.server.requests.total).toBe(0);
  });

  it("lock.fencedObject({ adapt }): adopt", async ({ world }) => {
    const lock = await world.mutex().acquire("x");
    const { message } = (await errorOf(() => lock.fencedObject({ key: "k", adapt: "json" } as never))) as Error;
    expect(message).toContain("did you mean adopt?");
  });

  it("without a near one, it is told what there is", async ({ world }) => {
    const { message } = (await errorOf(() => world.mutex().health({ patience: 5 } as never))) as Error;
    expect(message).toBe('options has "patience", which is not an option here: the only one is timeoutMs.');
  });

  it("an option of another call is none of this one", async ({ world }) => {
    const mutex = world.mutex();
    const wrong = [
      () => mutex.tryAcquire("x", { timeoutMs: 50 } as never),
      () => mutex.acquire("x", { retries: 3 } as never),
      () => mutex.runOnce("k", fn, { mode: "shared" } as never),
      () => semaphore(world).acquire({ mode: "shared" } as never),
      () => mutex.election("e").campaign({ priority: 1 } as never),
      () => world.server.faults.add({ fault: "drop-before", status: 500 } as never),
    ];
    for (const call of wrong) expect(await errorOf(call)).toMatchObject({ code: "invalid-argument" });
    expect(world.server.requests.total).toBe(0);
  });

  it("an option that is undefined has a name all the same", async ({ world }) => {
    expect(await errorOf(() => world.mutex().acquire("x", { timeout: undefined } as never))).toMatchObject({
      code: "invalid-argument",
    });
  });

  it("what is not options at all is refused: a signal, an array, a function", async ({ world }) => {
    for (const [value, remedy] of [
      [new AbortController().signal, "pass { signal }"],
      [[50], "pass an object, such as { timeoutMs: 5000 }, or nothing"],
      [fn, "pass an object"],
    ] as const) {
      const { message } = (await errorOf(() => world.mutex().acquire("x", value as never))) as Error;
      expect(message).toContain(remedy);
    }
  });

  it("a value that may be a secret is not repeated", async ({ world }) => {
    const options = mutexOptions(world, { secretAccessKey: "s3cr3t" });
    const { message } = (await errorOf(() => new S3Mutex(options))) as Error;
    expect(message).not.toContain("s3cr3t");
  });
});

test("what Web Locks know nothing of is ignored, as the standard has it", async () => {
  await using server = await startS3Server({ buckets: [BUCKET] });
  const locks = createLockManager({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  expect(await locks.request("x", { timeoutMs: 50 } as never, () => "inside")).toBe("inside");
  await locks.close();
});

it("options that an object inherits are checked and taken as its own are, and what all objects have is not one", async ({
  world,
}) => {
  class Defaults {
    readonly timeoutMs = 50;
    label = "job";
  }
  const mutex = world.mutex();
  await using _held = await mutex.acquire("x");
  const asked = Object.assign(Object.create(new Defaults()), { priority: 1 });
  await expect(world.mutex().acquire("x", asked)).rejects.toMatchObject({ code: "timed-out" });
  const mistyped = Object.create({ timeout: 50 });
  await expect(world.mutex().acquire("x", mistyped)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining("did you mean timeoutMs?"),
  });
  Object.assign(Object.prototype, { strayed: 1 });
  try {
    expect(await world.mutex().tryAcquire("x", {})).toBeNull();
  } finally {
    Reflect.deleteProperty(Object.prototype, "strayed");
  }
});
