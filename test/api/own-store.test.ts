import { describe, expect, expectTypeOf, test } from "vitest";
import { type ObjectStore, S3Mutex, type S3MutexOptions, type StoreAdapter } from "../../src/index.js";
import { type Reaching, reachStore } from "../../src/reach.js";
import { type MemoryStore, memoryStore } from "../../src/testing/index.js";
import { Scene } from "../../testkit/scene.js";

const REQUEST = { timeoutMs: 1000 };

/** Makes an adapter as a user writes one: the four calls, and what is asked for besides. */
function adapter(calls: Partial<StoreAdapter> = {}, objects = memoryStore()): StoreAdapter {
  return {
    read: (...args) => objects.read(...args),
    write: (...args) => objects.write(...args),
    remove: (...args) => objects.remove(...args),
    list: (...args) => objects.list(...args),
    ...calls,
  };
}

async function keysOf(store: ObjectStore): Promise<readonly string[]> {
  const page = await store.list("", REQUEST);
  return page.kind === "ok" ? page.keys : [];
}

async function closed(...mutexes: readonly S3Mutex[]): Promise<void> {
  await Promise.all(mutexes.map((mutex) => mutex.close({ handles: "release" })));
}

const messageOf = (options: object) => {
  try {
    return new S3Mutex(options as S3MutexOptions);
  } catch (error) {
    return (error as Error).message;
  }
};

describe("a store of one's own is the third way", () => {
  test("takes no bucket name, and excludes as every other", async () => {
    const store = memoryStore();
    const [a, b] = [new S3Mutex({ store }), new S3Mutex({ store })];
    const lock = await a.acquire("orders");
    expect(await b.tryAcquire("orders")).toBeNull();
    const waiting = b.acquire("orders", { timeoutMs: 5000 });
    await lock.release();
    const next = await waiting;
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
    await closed(a, b);
  });

  test.each([
    [{}, /^s3Client is undefined: pass an S3Client, or s3ClientConfig to make one from, or a store/],
    [
      { store: memoryStore(), s3ClientConfig: {} },
      /^s3ClientConfig is .*exactly one of s3Client, s3ClientConfig and store/,
    ],
    [
      { store: memoryStore(), s3Client: { send() {} } },
      /^s3Client is .*exactly one of s3Client, s3ClientConfig and store/,
    ],
    [{ store: memoryStore(), bucketName: "locks" }, /^bucketName is "locks": leave it out beside store/],
    [{ store: memoryStore(), storeHeaders: {} }, /^storeHeaders is .*takes them where it is made/],
    [
      { store: memoryStore(), createBucketIfNotExists: true },
      /^createBucketIfNotExists is true: leave it out beside store: create the bucket beforehand/,
    ],
    [{ store: memoryStore(), verify: "once" }, /^verify is "once": .*use "auto" beside store/],
    [{ store: null }, /^store is null: .*has no read\(\)/],
    [{ store: { read() {}, write() {}, list() {} } }, /^store is .*has no remove\(\)/],
    [{ store: { ...adapter(), bucketName: "" } }, /^store.bucketName is ""/],
  ])("%j is refused by name", (options, message) => {
    expect(messageOf(options)).toMatch(message);
  });

  test("types say the same", () => {
    const store = memoryStore();
    expectTypeOf<{ store: MemoryStore }>().toExtend<S3MutexOptions>();
    // @ts-expect-error: two ways at once.
    const both: S3MutexOptions = { store, s3ClientConfig: {}, bucketName: "locks" };
    // @ts-expect-error: the store knows its bucket.
    const named: S3MutexOptions = { store, bucketName: "locks" };
    expect([both, named]).toHaveLength(2);
  });

  test("results of runOnce and fenced objects may be long, and are in the store's own bucket", async () => {
    const store = memoryStore();
    const mutex = new S3Mutex({ store });
    const long = "x".repeat(200_000);
    await mutex.runOnce("report", () => long);
    const again = await mutex.runOnce("report", () => "other");
    expect(again.result).toBe(long);
    const refusal = mutex.withLock("a", (lock) => lock.fencedObject({ key: "state", bucket: "another" }));
    await expect(refusal).rejects.toThrow(/^bucket is "another": the store of this mutex reaches no other bucket/);
    await closed(mutex);
  });

  test("another bucket is reached through inBucket", async () => {
    const other = memoryStore();
    const mutex = new S3Mutex({ store: adapter({ isInProcess: true, inBucket: () => other }) });
    await mutex.withLock("a", async (lock) =>
      (await lock.fencedObject({ key: "state", bucket: "another" })).write("x"),
    );
    expect(await keysOf(other)).toEqual(["state"]);
    await closed(mutex);
  });
});

describe("what an adapter does wrong", () => {
  test("one that throws has told nothing: the lock is had all the same, once", async () => {
    const objects = memoryStore();
    let writes = 0;
    const write: ObjectStore["write"] = async (...args) => {
      const outcome = await objects.write(...args);
      writes += 1;
      if (writes === 1) throw new Error("socket hang up");
      return outcome;
    };
    const mutex = new S3Mutex({ store: adapter({ isInProcess: true, write }, objects) });
    const lock = await mutex.acquire("a", { timeoutMs: 5000 });
    expect(lock.held).toBe(true);
    await closed(mutex);
  });

  test.each([
    ["rejects", () => Promise.reject(new Error("no route"))],
    [
      "throws before it has a promise",
      () => {
        throw new Error("no route");
      },
    ],
  ])("one that always %s is a store that is away", async (_how, read) => {
    const mutex = new S3Mutex({ store: adapter({ isInProcess: true, read }) });
    await expect(mutex.acquire("a", { timeoutMs: 300 })).rejects.toMatchObject({ code: "store-unavailable" });
    await closed(mutex);
  });
});

describe("what an adapter answers that is not of the port", () => {
  const timing = { sentAtMs: performance.now(), receivedAtMs: performance.now() };

  test.each([
    ["nothing", undefined],
    ["another kind", { kind: "gone", timing }],
    ["a success without an ETag or a body", { kind: "ok", timing }],
    ["no timing", { kind: "absent" }],
  ])(
    "%s, is believed by no caller: a holder loses its lock by its clock, and others learn that the store is away",
    async (_what, answer) => {
      const objects = memoryStore();
      let isBroken = false;
      const odd = async () => answer as never;
      const store = adapter(
        {
          isInProcess: true,
          read: (...args) => (isBroken ? odd() : objects.read(...args)),
          write: (...args) => (isBroken ? odd() : objects.write(...args)),
        },
        objects,
      );
      const [a, b] = [new S3Mutex({ store, lockTimeoutMs: 1000 }), new S3Mutex({ store })];
      const lock = await a.acquire("a");
      isBroken = true;
      await expect(b.tryAcquire("a")).rejects.toMatchObject({
        code: "store-unavailable",
        message: expect.stringContaining("is not an outcome"),
      });
      await expect.poll(() => lock.signal.aborted, { timeout: 5000 }).toBe(true);
      expect(lock.held).toBe(false);
      expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "store-unavailable" });
      isBroken = false;
      await closed(a, b);
    },
  );
});

describe('verify: "auto" checks a store of one\'s own as every other', () => {
  test("one that ignores conditions is refused", async () => {
    const objects = memoryStore();
    const write: ObjectStore["write"] = async (key, body, _condition, options) => {
      for (;;) {
        const found = await objects.read(key, options);
        const matching =
          found.kind === "ok" ? ({ kind: "if-match", etag: found.etag } as const) : ({ kind: "if-absent" } as const);
        const outcome = await objects.write(key, body, matching, options);
        if (outcome.kind === "ok") return outcome;
      }
    };
    const mutex = new S3Mutex({ store: adapter({ write }, objects) });
    await expect(mutex.acquire("a", { timeoutMs: 5000 })).rejects.toMatchObject({ code: "store-unsafe" });
    await closed(mutex);
  });

  test("one that honours them is asked once, by all mutexes over it", async () => {
    const objects = memoryStore();
    const store = adapter({}, objects);
    const by: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const mutex = new S3Mutex({ store });
      mutex.on("checked", (event) => by.push(`${event.verdict} ${event.by}`));
      await mutex.withLock("a", () => {});
      await closed(mutex);
    }
    expect(by).toEqual(["passed requests"]);
  });

  test("one that tells its way goes by the word of another process", async () => {
    const objects = memoryStore();
    const by: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const mutex = new S3Mutex({ store: adapter({ way: async () => "the same" }, objects) });
      mutex.on("checked", (event) => by.push(`${event.verdict} ${event.by}`));
      await mutex.withLock("a", () => {});
      await closed(mutex);
    }
    expect(by[0]).toBe("passed requests");
    expect(["passed record", "passed marker"]).toContain(by[1]);
  });

  test.each<[string, () => unknown]>([
    ["tells its way without a promise", () => "the same"],
    ["has no words for its way", () => undefined],
    [
      "throws in place of its way",
      () => {
        throw new Error("no way");
      },
    ],
    ["rejects in place of its way", async () => Promise.reject(new Error("no way"))],
  ])("one that %s hands out locks", async (_, way) => {
    const mutex = new S3Mutex({ store: adapter({ way: way as () => Promise<string> }) });
    expect(await mutex.withLock("a", () => "done", { timeoutMs: 3000 })).toBe("done");
    await closed(mutex);
  });

  test("one that never tells its way is a way of its own within two seconds", async () => {
    const scene = new Scene();
    const { effects } = scene.client().process;
    const store = adapter({ way: () => new Promise<string>(() => {}) });
    const reached = reachStore(store, { settings: { bucketName: "b" }, effects } as Reaching);
    const startedAtMs = scene.nowMs;
    const ways = await scene.until(Promise.all([reached.check?.way(), reached.check?.way()]));
    expect(new Set(ways).size).toBe(2);
    expect(scene.nowMs - startedAtMs).toBe(2000);
  });

  test("memoryStore needs no check", async () => {
    const store = memoryStore();
    const mutex = new S3Mutex({ store });
    await mutex.withLock("a", () => {});
    expect((await keysOf(store)).filter((key) => key.includes(".s3-mutex"))).toEqual([]);
    await closed(mutex);
  });
});
