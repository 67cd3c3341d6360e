import { hostname } from "node:os";
import { describe, expect } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, freeRecord, heldRecord, it, listeningLogger, until } from "./fixture.js";

const LOCK = "resource";

describe.concurrent("options", () => {
  it("other than bucket and client need not be given", async ({ world }) => {
    const s3Client = world.client();
    const mutex = new S3Mutex({ s3Client, bucketName: BUCKET });
    expect(await mutex.acquireLock(LOCK)).toBe(true);
    // The first lock of a bucket leaves word that its store was checked.
    const keys = world.server.objects(BUCKET).map(({ key }) => key);
    expect(keys).toEqual(["locks/.s3-mutex/checked.json", "locks/resource.json"]);
    expect(world.holder(LOCK)).toMatchObject({ leaseMs: 60_000, priority: 0, host: hostname(), pid: process.pid });
    expect(world.holder(LOCK)).not.toHaveProperty("label");
    expect(await mutex.releaseLock(LOCK)).toBe(true);
    await mutex.close();
  });

  it("that are undefined count as not given", async ({ world }) => {
    const mutex = world.mutex({
      keyPrefix: undefined,
      maxRetries: undefined,
      retryDelayMs: undefined,
      maxRetryDelayMs: undefined,
      useJitter: undefined,
      lockTimeoutMs: undefined,
      clockSkewToleranceMs: undefined,
      ownerId: undefined,
      publishHost: undefined,
      label: undefined,
      logger: undefined,
      s3ClientConfig: undefined,
      s3Client: world.client(),
    });
    const lock = await mutex.acquire(LOCK, { timeoutMs: undefined, signal: undefined, priority: undefined });
    expect(world.holder(LOCK)).toMatchObject({ leaseMs: 60_000, priority: 0 });
    await lock.release();
  });

  it("s3ClientConfig: the mutex makes its client", async ({ world }) => {
    const mutex = world.mutex({ s3ClientConfig: world.server.clientConfig() });
    expect(await mutex.withLock(LOCK, () => "done")).toBe("done");
    expect(world.server.requests.total).toBe(3);
  });

  it("keyPrefix: where the keys are, an empty one included", async ({ world }) => {
    await world.mutex({ keyPrefix: "team/locks-" }).withLock(LOCK, () => {});
    await world.mutex({ keyPrefix: "" }).withLock(LOCK, () => {});
    expect(world.server.objects(BUCKET).map(({ key }) => key)).toEqual(["resource.json", "team/locks-resource.json"]);
  });

  it("publishHost: host and pid can be kept out of the record, label is for people", async ({ world }) => {
    const mutex = world.mutex({ publishHost: false, label: "nightly import" });
    await mutex.acquireLock(LOCK);
    expect(world.holder(LOCK)).toMatchObject({ label: "nightly import", owner: mutex.ownerId });
    expect(world.holder(LOCK)).not.toHaveProperty("host");
    expect(world.holder(LOCK)).not.toHaveProperty("pid");
    expect(JSON.stringify(world.record(LOCK))).not.toContain(`${hostname()}:${process.pid}`);
    await mutex.releaseLock(LOCK);
  });

  it("useJitter: without it, waiting works as well", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex({ useJitter: false })];
    await holder.acquireLock(LOCK);
    const waiting = mutex.acquireLock(LOCK, 5000);
    await until(() => world.record(LOCK)?.queue.length === 1);
    await holder.releaseLock(LOCK);
    expect(await waiting).toBe(true);
    await mutex.releaseLock(LOCK);
  });

  it("logger: hears what goes wrong behind the scenes, and may lack methods", async ({ world }) => {
    const { logger, lines } = listeningLogger();
    const mutex = world.mutex({ lockTimeoutMs: 900, logger });
    const silent = world.mutex({ lockTimeoutMs: 900, logger: {} });
    const locks = [await mutex.acquire("a"), await silent.acquire("b")];
    const down = world.server.faults.add({ fault: "drop-before" });
    await until(() => locks.every(({ signal }) => signal.aborted));
    down.remove();
    await until(() => world.record("a")?.holders.length === 0 && world.record("b")?.holders.length === 0);
    for (const { level, message } of lines) {
      expect(["warn", "error"]).toContain(level);
      expect(message).toMatch(/^s3-mutex: /);
    }
  });

  it("createBucketIfNotExists: is told to the logger", async ({ world }) => {
    const { logger, lines } = listeningLogger();
    await world.mutex({ bucketName: "made-here", createBucketIfNotExists: true, logger }).isLocked(LOCK);
    expect(lines.map(({ message }) => message)).toEqual([expect.stringContaining("made-here")]);
  });

  it("takeover observed: a lease that looks expired is watched for its whole length first", async ({ world }) => {
    const mutex = world.mutex({ takeover: "observed", clockSkewToleranceMs: 0 });
    const now = Date.now();
    world.put(LOCK, heldRecord({ acquiredAtMs: now - 60_000, renewedAtMs: now - 32_500, expiresAtMs: now - 30_000 }));
    expect(await mutex.acquireLock(LOCK, 0)).toBe(false);
    expect(await mutex.acquireLock(LOCK, 30_000)).toBe(true);
    expect(world.holder(LOCK).acquiredAtMs).toBeGreaterThanOrEqual(now + 2495);
    await mutex.releaseLock(LOCK);
  });

  it("of the caller are read once: changing the object afterwards changes nothing", async ({ world }) => {
    const options = { s3Client: world.client(), bucketName: BUCKET, keyPrefix: "locks/", lockTimeoutMs: 1234 };
    const mutex = new S3Mutex(options);
    Object.assign(options, { bucketName: "elsewhere", keyPrefix: "elsewhere/", lockTimeoutMs: 1 });
    await mutex.acquireLock(LOCK);
    expect(world.holder(LOCK).leaseMs).toBe(1234);
    await mutex.releaseLock(LOCK);
    await mutex.close();
  });

  it("may be frozen, and so may those of methods", async ({ world }) => {
    const options = Object.freeze({ s3Client: world.client(), bucketName: BUCKET });
    await using mutex = new S3Mutex(options);
    world.put(LOCK, freeRecord(Date.now() - 1000));
    const lock = await mutex.acquire(LOCK, Object.freeze({ timeoutMs: 1000 }));
    await lock.release();
    expect(await mutex.cleanupStaleLocks(Object.freeze({}))).toMatchObject({ total: 1 });
  });

  it("the user's client keeps its own middleware, and nothing is added to it", async ({ world }) => {
    const s3Client = world.client();
    const before = s3Client.middlewareStack.identify().join();
    await world.mutex({ s3Client }).withLock(LOCK, () => {});
    expect(s3Client.middlewareStack.identify().join()).toBe(before);
  });
});
