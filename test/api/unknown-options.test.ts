import { describe, expect, test } from "vitest";
import { S3Mutex, S3MutexError, verifyStore } from "../../src/index.js";
import { startTelemetry } from "../../src/otel/index.js";
import { conformanceChecks, MemoryStore, startS3Server } from "../../src/testing/index.js";
import { createLockManager } from "../../src/web-locks/index.js";
import { BUCKET, it, type World } from "./fixture.js";

/** Gives the error of a call, whether it throws or rejects. */
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

  it("an option of another call is not one of this call", async ({ world }) => {
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
  expect(await locks.request("x", { timeout: 50, ifAvaliable: true } as never, () => "inside")).toBe("inside");
  await locks.close();
});

test.each([
  [{ timeoutMs: 50 }, /timeoutMs is an option of S3Mutex, .*: use signal: AbortSignal\.timeout\(milliseconds\)$/],
  [{ leaseMs: 500 }, /leaseMs is .*: use lockTimeoutMs of createLockManager\(\)$/],
  [{ reentrant: true }, /reentrant is .*: use an S3Mutex$/],
  [Object.create({ priority: 1 }), /priority is .*: use an S3Mutex$/],
])("an option of ours in a request of Web Locks is refused, as its caller counts on it: %j", async (options, words) => {
  await using server = await startS3Server({ buckets: [BUCKET] });
  const locks = createLockManager({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  const asked = locks.request("x", options as never, () => "inside");
  await expect(asked).rejects.toThrow(TypeError);
  await expect(asked).rejects.toThrow(words);
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

/** Options of a class, as frameworks make them of their configuration. */
class Configured {
  readonly #waitMs = 50;
  get timeoutMs() {
    return this.#waitMs;
  }
  /** Each request has a sixth of this: enough for a busy machine. */
  get leaseMs() {
    return 20_000;
  }
  get label() {
    return "configured";
  }
  describe() {
    return "not an option, and not a property of the options either";
  }
}

it("options of a class count with its getters, wherever they go", async ({ world }) => {
  const [mutex, other] = [world.mutex(), world.mutex()];
  const { timeoutMs: _, ...attempt } = Object.getOwnPropertyDescriptors(Configured.prototype);
  const lease = Object.create(Object.defineProperties({}, attempt));
  const lock = await mutex.tryAcquire("x", lease);
  expect(lock?.remainingMs).toBeLessThanOrEqual(20_000);
  const [holder] = (await mutex.inspect("x"))?.holders ?? [];
  expect(holder).toMatchObject({ label: "configured" });
  for (const wait of [
    other.acquire("x", new Configured()),
    other.acquireAll(["y", "x"], new Configured()),
    other.semaphore("pool", { permits: 1 }).acquire(Object.assign(new Configured(), { permits: 1 })),
  ]) {
    const waited = await wait.catch((error: unknown) => error);
    expect(waited).toMatchObject(waited instanceof Error ? { code: "timed-out" } : { name: "pool" });
  }
  await lock?.release();
  await other.close({ handles: "release" });
});

it("a getter whose name is mistyped is found as any option is", async ({ world }) => {
  class Mistyped {
    get timeout() {
      return 50;
    }
  }
  await expect(world.mutex().acquire("x", new Mistyped() as object)).rejects.toThrow("did you mean timeoutMs?");
});

it("a manager of Web Locks takes options of a class", async ({ world }) => {
  const config = Object.create({ s3ClientConfig: world.server.clientConfig(), bucketName: BUCKET, label: "web" });
  const locks = createLockManager(config);
  expect(await locks.request("x", () => "inside")).toBe("inside");
  await locks.close();
  const words = "options is null: pass { s3Client, bucketName } or { store }";
  expect(() => createLockManager(null as never)).toThrow(words);
});

it("options that every object inherits are refused by name, as no caller has given them", async ({ world }) => {
  const mutex = world.mutex();
  for (const name of ["reentrant", "timeoutMs", "leaseMs"]) {
    Object.assign(Object.prototype, { [name]: 50 });
    try {
      const asking = mutex.acquire("x");
      await expect(asking).rejects.toThrow(`options has "${name}" from Object.prototype`);
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
  }
  Object.assign(Object.prototype, { timeoutMs: 0 });
  try {
    const lock = await mutex.acquire("x", { timeoutMs: 5_000 });
    expect(await lock.release()).toBe(true);
  } finally {
    Reflect.deleteProperty(Object.prototype, "timeoutMs");
  }
});

it("options that are a promise or another object of the language are refused, in place of counting as none", async ({
  world,
}) => {
  const mutex = world.mutex();
  for (const [options, remedy] of [
    [Promise.resolve({ timeoutMs: 5 }), "await it"],
    [new Date(), "pass a plain object"],
    [new Error("no"), "pass a plain object"],
    [new Map([["timeoutMs", 5]]), "pass a plain object"],
    [new Uint8Array(2), "pass a plain object"],
  ] as const) {
    const error = await errorOf(() => mutex.acquire("a", options as never));
    expect(error).toMatchObject({ code: "invalid-argument", message: expect.stringMatching(`^options .*${remedy}`) });
  }
  expect(world.server.requests.total).toBe(0);
});

it("P21: what was made with options is told from them, and no name that is ours is in the words", async ({ world }) => {
  const mutex = world.mutex();
  const lock = await mutex.acquire("x");
  const manager = createLockManager(mutexOptions(world, {}) as never);
  const calls: readonly (readonly [string, () => unknown])[] = [
    ["a mutex", () => new S3Mutex(mutex as never)],
    ["a mutex", () => createLockManager(mutex as never)],
    ["a lock manager", () => createLockManager(manager as never)],
    ["a lock", () => mutex.acquire("y", lock as never)],
  ];
  for (const [what, call] of calls) {
    expect(await errorOf(call)).toMatchObject({
      code: "invalid-argument",
      message: `options is ${what}: pass options, and not what was made with them.`,
    });
  }
  await lock.release();
  await manager.close();
});
