import { S3Client } from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import { S3MutexError } from "../../src/index.js";
import { BUCKET, codeOf, errorOf, it, sleep, until } from "./fixture.js";
import { LOCK, METHODS } from "./methods.js";

describe.concurrent("a bucket that does not exist", () => {
  it.for(METHODS)("is an error of %s", async ([, call], { world }) => {
    const error = await errorOf(call(world.mutex({ bucketName: "nowhere" })));
    expect(error).toMatchObject({ code: "no-such-bucket", retryable: false });
    expect(error.message).toContain("nowhere");
    expect(error.message).toContain("createBucketIfNotExists");
    expect(error.cause).toMatchObject({ name: "NoSuchBucket" });
  });

  it("is created when that was asked for, whatever comes first", async ({ world }) => {
    const options = { createBucketIfNotExists: true };
    await world.mutex({ ...options, bucketName: "bucket-1" }).withLock(LOCK, () => {});
    expect(world.server.objects("bucket-1")).toHaveLength(1);
    expect(await world.mutex({ ...options, bucketName: "bucket-2" }).isLocked(LOCK)).toBe(false);
    expect(world.server.objects("bucket-2")).toEqual([]);
    expect(await world.mutex({ ...options, bucketName: "bucket-3" }).cleanupStaleLocks()).toMatchObject({ total: 0 });
    expect(world.server.requests.byOperation.CreateBucket).toBe(3);
  });

  it("is created once by several at the same time, one of whom gets the lock", async ({ world }) => {
    const mutexes = Array.from({ length: 5 }, () =>
      world.mutex({ createBucketIfNotExists: true, bucketName: "new-one" }),
    );
    const taken = await Promise.all(mutexes.map((mutex) => mutex.acquireLock(LOCK, 0)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await mutexes[taken.indexOf(true)]?.releaseLock(LOCK)).toBe(true);
  });

  it("that is created when it exists already costs no request", async ({ world }) => {
    await world.mutex({ createBucketIfNotExists: true }).withLock(LOCK, () => {});
    expect(world.server.requests.byOperation.CreateBucket).toBe(0);
    expect(world.server.requests.total).toBe(3);
  });

  it("and may not be created is an error", async ({ world }) => {
    world.server.setQuirks({ deny: ["CreateBucket"] });
    const mutex = world.mutex({ createBucketIfNotExists: true, bucketName: "nowhere" });
    expect(await codeOf(mutex.acquireLock(LOCK))).toBe("access-denied");
  });
});

describe.concurrent("a request that is denied", () => {
  it.for(METHODS)("is an error of %s", async ([name, call], { world }) => {
    world.server.setQuirks({ deny: ["GetObject", "PutObject", "DeleteObject", "ListObjectsV2"] });
    const error = await errorOf(call(world.mutex()));
    expect(error).toMatchObject({ code: "access-denied", retryable: false });
    expect(error.message).toContain(name === "cleanupStaleLocks" ? "s3:ListBucket" : "s3:GetObject");
    expect(error.message).toContain(BUCKET);
    expect(error.cause).toMatchObject({ name: "AccessDenied" });
  });

  it("because only reading is allowed is an error, while looking works", async ({ world }) => {
    world.server.setQuirks({ deny: ["PutObject"] });
    const mutex = world.mutex();
    const error = await errorOf(mutex.acquireLock(LOCK));
    expect(error).toMatchObject({ code: "access-denied" });
    expect(error.message).toContain("s3:PutObject");
    expect(await codeOf(mutex.withLock(LOCK, () => 1))).toBe("access-denied");
    expect(await codeOf(mutex.acquire(LOCK))).toBe("access-denied");
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it("while waiting ends the waiting", async ({ world }) => {
    const holder = world.mutex();
    await holder.acquireLock(LOCK);
    const waiting = codeOf(world.mutex().acquire(LOCK));
    await until(() => world.record(LOCK)?.queue.length === 1);
    world.server.setQuirks({ deny: ["GetObject", "PutObject"] });
    await holder.close({ graceMs: 0 });
    // The waiter polls a lock that has not changed; the first answer that is not 304 counts.
    const outcome = await Promise.race([waiting, sleep(6000).then(() => "still waits")]);
    world.leaves(LOCK);
    expect(outcome).toBe("access-denied");
  });
});

describe.concurrent("a mutex that was closed", () => {
  it.for(METHODS)("refuses %s, without a request", async ([, call], { world }) => {
    const mutex = world.mutex();
    await mutex.close();
    expect(await errorOf(call(mutex))).toMatchObject({ code: "closed", retryable: false });
    expect(world.server.requests.total).toBe(0);
  });

  it("has released what handles held, where it was told that nothing runs, and may be closed again", async ({
    world,
  }) => {
    const mutex = world.mutex();
    const locks = await Promise.all(["a", "b", "c"].map((name) => mutex.acquire(name)));
    await Promise.all([mutex.close({ handles: "release" }), mutex.close()]);
    expect(locks.map(({ held }) => held)).toEqual([false, false, false]);
    for (const name of ["a", "b", "c"]) expect(world.record(name)?.holders).toEqual([]);
    await mutex.close();
    expect(await locks[0]?.release()).toBe(true);
  });

  it("leaves what acquireLock took and was not released until its lease ends", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    await mutex.close({ graceMs: 100 });
    expect(world.record(LOCK)?.holders).toHaveLength(1);
    world.leaves(LOCK);
  });

  it("leaves the user's client open, and closes one of its own", async ({ world }) => {
    const s3Client = world.client();
    await world.mutex({ s3Client }).close();
    expect(await world.mutex({ s3Client }).acquireLock(LOCK)).toBe(true);
    await world.mutex().releaseLock(LOCK, true);
    const own = world.mutex({ s3ClientConfig: world.server.clientConfig() });
    expect(await own.withLock(LOCK, () => "done")).toBe("done");
    await own.close();
  });

  it("does not wait forever for a store that does not answer", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    await mutex.acquire(LOCK);
    world.server.faults.add({ fault: "never-answer" });
    const startedMs = performance.now();
    await mutex.close({ handles: "release" });
    expect(performance.now() - startedMs).toBeLessThan(4000);
    world.leaves(LOCK);
  });

  it("lets no caller wait any longer", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = codeOf(mutex.acquire(LOCK, { timeoutMs: 1500 }));
    await until(() => world.record(LOCK)?.queue.length === 1);
    await mutex.close();
    const code = await Promise.race([waiting, sleep(500).then(() => "still waits")]);
    expect(code).toBe("closed");
    await holder.releaseLock(LOCK, true);
    world.leaves(LOCK);
  });

  it("leaves the queues", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = codeOf(mutex.acquire(LOCK));
    await until(() => world.record(LOCK)?.queue.length === 1);
    await mutex.close();
    expect(await waiting).toBe("closed");
    await sleep(200);
    const { queue } = world.record(LOCK) ?? {};
    await holder.releaseLock(LOCK, true);
    world.leaves(LOCK);
    expect(queue).toEqual([]);
  });
});

describe.concurrent("errors", () => {
  it("are of one class, with code, name, retryable, and no details that were not given", () => {
    const error = new S3MutexError("timed-out", "too late", { lockName: "a" });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "S3MutexError", code: "timed-out", retryable: true, lockName: "a" });
    expect("result" in error).toBe(false);
    expect("reason" in error).toBe(false);
    expect("cause" in error).toBe(false);
    expect("result" in new S3MutexError("lost", "gone", { reason: "expired", result: undefined })).toBe(true);
  });

  it("say whether the same call may succeed later", () => {
    const codes = ["timed-out", "lost", "deadlock", "store-unavailable"] as const;
    const others = [
      ...["aborted", "invalid-argument", "corrupt-record", "newer-schema", "no-such-bucket"],
      ...["access-denied", "store-unsafe", "fenced-out", "closed"],
    ] as const;
    for (const code of codes) expect(new S3MutexError(code as "timed-out", "").retryable).toBe(true);
    for (const code of others) expect(new S3MutexError(code as "aborted", "").retryable).toBe(false);
  });

  it("are recognised across copies of the package", () => {
    const foreign = Object.assign(new Error("from elsewhere"), { name: "S3MutexError", code: "lost" });
    expect(S3MutexError.is(foreign)).toBe(true);
    expect(S3MutexError.is(foreign, "lost")).toBe(true);
    expect(S3MutexError.is(foreign, "closed")).toBe(false);
    for (const other of [undefined, null, "lost", { code: "lost" }, new Error("lost")]) {
      expect(S3MutexError.is(other)).toBe(false);
    }
  });
});

it.for(["localhost:9000", "127.0.0.1:9000", "minio", "ftp://minio"])(
  "D: an endpoint that is not a URL of HTTP is told at once, and is not worth another try: %s",
  async (endpoint, { world }) => {
    const s3ClientConfig = { ...world.server.clientConfig(), endpoint };
    const inWords = `s3ClientConfig.endpoint is ${JSON.stringify(endpoint)}: begin it with http:// or https://.`;
    expect(() => world.mutex({ s3ClientConfig })).toThrow(inWords);
    const mutex = world.mutex({ s3Client: new S3Client(s3ClientConfig) });
    const error = await errorOf(mutex.acquire(LOCK, { timeoutMs: 30_000 }));
    expect(error).toMatchObject({ code: "invalid-argument", retryable: false });
    expect(error.message).toContain("check region, endpoint and bucket name");
  },
);

it("an endpoint that is a URL object, or lacks a part of one, is refused, with what to pass", async ({ world }) => {
  const { endpoint: text, ...others } = world.server.clientConfig();
  const { hostname, port } = new URL(text);
  const parts = { protocol: "http:", hostname, port: Number(port) };
  for (const endpoint of [new URL(text), parts, { hostname }] as never[]) {
    expect(() => world.mutex({ s3ClientConfig: { ...others, endpoint } })).toThrow(
      /^s3ClientConfig\.endpoint is an object: .*`\.href`/,
    );
    for (const config of [{ s3Client: new S3Client({ ...others, endpoint }) }, ...provided(others, endpoint)]) {
      const error = await errorOf(world.mutex(config).acquire(LOCK, { timeoutMs: 30_000 }));
      expect(error).toMatchObject({ code: "invalid-argument", retryable: false });
      expect(error.message).toMatch(/`s3ClientConfig\.endpoint`.*`\.href`/);
    }
  }
  for (const endpoint of [{ ...parts, path: "/" }, { url: new URL(text) }] as never[]) {
    await world.mutex({ s3ClientConfig: { ...others, endpoint } }).withLock(LOCK, () => {});
  }
});

function provided(others: object, endpoint: never) {
  const config = { ...others, endpoint: async () => endpoint };
  return [{ s3Client: new S3Client(config) }, { s3ClientConfig: config }];
}
