import { createServer } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { Random } from "../../src/testing/virtual/random.js";
import { IN_FULL } from "../scale.js";
import { BUCKET, codeOf, errorOf, it, listeningLogger, sleep, until, type World } from "./fixture.js";
import { LOCK, METHODS } from "./methods.js";

const loseNextWrite = (world: World) =>
  world.server.faults.add({ fault: "lose-response", operation: "PutObject", times: 1 });

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

/** Finds a port of this machine without a listener, and gives its endpoint. */
async function deadEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const TURNS = IN_FULL ? 20 : 6;

// First, since it takes longest.
describe.concurrent("six clients on a bad day", () => {
  it("do all of their turns, never two inside", { timeout: 60_000 }, async ({ world }) => {
    const draws = new Random(20_261_123);
    const random = () => draws.number();
    const rules = [
      { fault: "lose-response", probability: 0.04 },
      { fault: "drop-before", probability: 0.04 },
      { fault: "status", status: 503, probability: 0.04 },
      { fault: "status", status: 500, applied: true, probability: 0.03 },
      { fault: "status", status: 409, probability: 0.02 },
    ] as const;
    const active = rules.map((rule) => world.server.faults.add({ ...rule, random }));
    const { logger, lines } = listeningLogger();
    let inside = 0;
    let most = 0;
    const tokens: number[] = [];
    const client = async () => {
      const mutex = world.mutex({ logger });
      for (let turn = 0; turn < TURNS; turn += 1) {
        const lock = await mutex.acquire(LOCK);
        inside += 1;
        most = Math.max(most, inside);
        tokens.push(lock.fencingToken);
        await sleep(1);
        lock.assertHeld();
        inside -= 1;
        await lock.release();
      }
    };
    await Promise.all(Array.from({ length: 6 }, client));
    expect(tokens).toHaveLength(6 * TURNS);
    expect(most).toBe(1);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((one, other) => one - other));
    for (const { hits } of active) expect(hits).toBeGreaterThan(0);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe.concurrent("a write whose answer is lost", () => {
  it("acquire, renew and release still succeed, and nothing is left locked", async ({ world }) => {
    const mutex = world.mutex();
    loseNextWrite(world);
    let lock = await mutex.acquire("warm-up");
    await lock.release();

    const acquired = loseNextWrite(world);
    lock = await mutex.acquire(LOCK);
    const renewed = loseNextWrite(world);
    const expiresAt = lock.expiresAt;
    expect(await lock.renew()).toBe(true);
    expect(lock.expiresAt).toBeGreaterThanOrEqual(expiresAt);
    expect(lock.expiresAt).toBe(world.holder(LOCK).expiresAtMs);
    const released = loseNextWrite(world);
    expect(await lock.release()).toBe(true);
    expect([acquired.hits, renewed.hits, released.hits]).toEqual([1, 1, 1]);
    expect(await world.mutex().isLocked(LOCK)).toBe(false);
    expect(lock.signal.aborted).toBe(false);
  });

  it("the same by name", async ({ world }) => {
    const mutex = world.mutex();
    const steps = [
      () => mutex.acquireLock(LOCK, 0),
      () => mutex.refreshLock(LOCK),
      () => mutex.releaseLock(LOCK),
      () => mutex.acquireLock(LOCK, 0),
      () => mutex.deleteLock(LOCK),
      () => mutex.acquireLock(LOCK, 0),
      () => world.mutex().releaseLock(LOCK, true),
    ];
    for (const [index, step] of steps.entries()) {
      const lost = loseNextWrite(world);
      // What was deleted with its answer lost is not ours any more; the lock is gone all the same. See below.
      if (index === 4 || index === 6) await step();
      else expect(await step(), `step ${index}`).toBe(true);
      expect(lost.hits).toBe(1);
      lost.remove();
    }
    expect(await mutex.isLocked(LOCK)).toBe(false);
    expect(await mutex.withLock(LOCK, () => "done", { timeoutMs: 5000 })).toBe("done");
  });

  it("deleteLock says true for what it has deleted", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock(LOCK);
    loseNextWrite(world);
    expect(await mutex.deleteLock(LOCK)).toBe(true);
  });

  it("releaseLock by force says true for what it has released", async ({ world }) => {
    const mutex = world.mutex();
    await world.mutex().acquireLock(LOCK);
    loseNextWrite(world);
    expect(await mutex.releaseLock(LOCK, true)).toBe(true);
  });

  it("of a twin with the same ownerId: release and refresh succeed", async ({ world }) => {
    const [one, twin] = [world.mutex({ ownerId: "shared" }), world.mutex({ ownerId: "shared" })];
    await one.acquireLock(LOCK);
    loseNextWrite(world);
    expect(await twin.refreshLock(LOCK)).toBe(true);
    loseNextWrite(world);
    expect(await twin.releaseLock(LOCK)).toBe(true);
    expect(world.record(LOCK)?.recent).toHaveLength(1);
  });

  it("every one of them, for good: acquire and release succeed, since a look tells what the write did", async ({
    world,
  }) => {
    world.server.faults.add({ fault: "lose-response", operation: "PutObject" });
    const mutex = world.mutex();
    for (let turn = 0; turn < 5; turn += 1) {
      const ms = await timed(async () => {
        expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
        expect(await mutex.releaseLock(LOCK)).toBe(true);
      });
      expect(ms).toBeLessThan(5000);
    }
  });

  it("every one of them, for good: renewals succeed as well", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 3000 });
    const lock = await mutex.acquire(LOCK);
    world.server.faults.add({ fault: "lose-response", operation: "PutObject" });
    await sleep(3600);
    expect(lock.signal.aborted).toBe(false);
    expect(lock.held).toBe(true);
    expect(await lock.renew()).toBe(true);
    expect(await lock.release()).toBe(true);
  });

  it("in turns: each waiter gets the lock, and none twice", async ({ world }) => {
    let count = 0;
    const random = () => (count++ % 2 === 0 ? 0 : 0.9);
    world.server.faults.add({ fault: "lose-response", operation: "PutObject", probability: 0.5, random });
    let inside = 0;
    const client = async () => {
      const mutex = world.mutex();
      for (let turn = 0; turn < 4; turn += 1) {
        const lock = await mutex.acquire(LOCK);
        expect(++inside).toBe(1);
        await sleep(1);
        inside -= 1;
        await lock.release();
      }
    };
    await Promise.all([client(), client(), client()]);
  });
});

describe.concurrent("a request that goes wrong in another way", () => {
  it.for([
    { fault: "drop-before" },
    { fault: "status", status: 500 },
    { fault: "status", status: 500, applied: true },
    { fault: "status", status: 503 },
    { fault: "status", status: 409 },
    { fault: "status", status: 429 },
    { fault: "duplicate" },
    { fault: "delay-apply", delayMs: 40 },
    { fault: "truncate-body", operation: "GetObject" },
    { fault: "truncate-body", operation: "GetObject", unnoticed: true },
    { fault: "omit-date" },
  ] as const)("each first one of acquire, renew and release: %j", async (rule, { world }) => {
    const mutex = world.mutex();
    world.server.putObject("locks-bucket", "locks/resource.json", '{"locked":false}');
    const operations = "operation" in rule ? [rule.operation] : (["GetObject", "PutObject"] as const);
    const strike = () => operations.map((operation) => world.server.faults.add({ ...rule, operation, times: 1 }));
    const rules = strike();
    const lock = await mutex.acquire(LOCK);
    rules.push(...strike());
    expect(await lock.renew()).toBe(true);
    rules.push(...strike());
    expect(await lock.release()).toBe(true);
    for (const one of rules) one.remove();
    await world.server.settled();
    expect(rules.some(({ hits }) => hits > 0)).toBe(true);
    expect(world.record(LOCK)?.holders).toEqual([]);
    expect(await world.mutex().isLocked(LOCK)).toBe(false);
  });

  it("that is applied twice, each time: acquire and release succeed", async ({ world }) => {
    world.server.faults.add({ fault: "duplicate", operation: "PutObject" });
    const [mutex, other] = [world.mutex(), world.mutex()];
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
      expect(await other.acquireLock(LOCK, 0)).toBe(false);
      expect(await mutex.releaseLock(LOCK)).toBe(true);
    }
  });

  it("that is applied twice, each time: renewals succeed", async ({ world }) => {
    world.server.faults.add({ fault: "duplicate", operation: "PutObject" });
    const lock = await world.mutex({ lockTimeoutMs: 3000 }).acquire(LOCK);
    await sleep(3600);
    expect(lock.signal.aborted).toBe(false);
    expect(lock.held).toBe(true);
    expect(await lock.release()).toBe(true);
  });

  it("that is never answered costs one request timeout, a sixth of the lease", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 1800 });
    let lock = await mutex.acquire("warm-up");
    await lock.release();
    const silence = () => world.server.faults.add({ fault: "never-answer", times: 1 });
    const steps: Array<() => Promise<unknown>> = [
      async () => {
        lock = await mutex.acquire(LOCK);
      },
      () => lock.renew(),
      () => lock.release(),
    ];
    for (const step of steps) {
      const silent = silence();
      const ms = await timed(step);
      expect(silent.hits).toBe(1);
      expect(ms).toBeGreaterThanOrEqual(295);
      expect(ms).toBeLessThan(300 + 2000);
    }
  });

  it("that is never answered but applied costs the same", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 1800 });
    await mutex.isLocked(LOCK);
    world.server.faults.add({ fault: "never-answer", applied: true, operation: "PutObject", times: 1 });
    const ms = await timed(async () => expect(await mutex.acquireLock(LOCK, 2000)).toBe(true));
    expect(ms).toBeGreaterThanOrEqual(295);
    expect(ms).toBeLessThan(300 + 2000);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
  });

  it("and lands late does no harm: what was given up cannot come back", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const late = world.server.faults.add({ fault: "delay-apply", delayMs: 400, operation: "PutObject", times: 1 });
    const stop = new AbortController();
    const acquiring = mutex.acquire(LOCK, { signal: stop.signal }).catch(() => undefined);
    await until(() => late.hits === 1);
    stop.abort();
    expect(await acquiring).toBeUndefined();
    await mutex.close();
    await world.server.settled();
    expect(world.record(LOCK)?.holders ?? []).toEqual([]);
    expect(await other.acquireLock(LOCK, 0)).toBe(true);
    await other.releaseLock(LOCK);
  });

  it("is repeated by this library alone, whatever the client's own retries are", async ({ world }) => {
    const s3Client = world.client({ maxAttempts: 5, retryMode: "adaptive" });
    const mutex = world.mutex({ s3Client });
    for (const rule of [
      { fault: "status", status: 500 },
      { fault: "status", status: 503 },
      { fault: "lose-response" },
      { fault: "drop-before" },
    ] as const) {
      world.server.resetRequests();
      const struck = world.server.faults.add({ ...rule, operation: "PutObject", times: 1 });
      expect(await mutex.acquireLock(LOCK, 5000)).toBe(true);
      expect(struck.hits).toBe(1);
      const operations = world.server.recentRequests.map(({ operation }) => operation);
      // After a write that failed comes a look, not the same write again.
      const failedAt = world.server.recentRequests.findIndex(({ faults }) => faults.length > 0);
      expect(operations[failedAt]).toBe("PutObject");
      expect(operations[failedAt + 1]).toBe("GetObject");
      expect(await mutex.releaseLock(LOCK)).toBe(true);
    }
    world.server.resetRequests();
    world.server.faults.add({ fault: "status", status: 500 });
    await expect(mutex.acquireLock(LOCK, 0)).rejects.toMatchObject({ code: "store-unavailable" });
    // One full attempt asks twice; with the client's own retries it were ten.
    expect(world.server.requests.total).toBe(2);
  });
});

describe.concurrent("a store with a quirk of its own", () => {
  it.for([
    { etagForm: "unquoted-only" },
    { etagForm: "quoted-only" },
    { missingKeyIfMatchStatus: 412 },
    { readIgnoresIfNoneMatch: true },
    { losersGet500: true },
    { noDate: true },
  ] as const)("is coped with: %j", async (quirks, { world }) => {
    world.server.setQuirks(quirks);
    const [mutex, other] = [world.mutex(), world.mutex({ lockTimeoutMs: 6000 })];
    expect(await mutex.acquireLock(LOCK, 0)).toBe(true);
    expect(await other.acquireLock(LOCK, 0)).toBe(false);
    expect(await mutex.refreshLock(LOCK)).toBe(true);
    const waiting = other.acquire(LOCK);
    await until(() => world.record(LOCK)?.queue.length === 1);
    expect(await mutex.releaseLock(LOCK)).toBe(true);
    const lock = await waiting;
    const { renewedAtMs } = world.holder(LOCK);
    await until(() => world.holder(LOCK).renewedAtMs > renewedAtMs);
    lock.assertHeld();
    expect(await lock.release()).toBe(true);
    const left = world.server.objects("locks-bucket").map(({ key }) => key);
    expect(left).toEqual(["locks/resource.json"]);
  });
});

describe.concurrent("a store that cannot be reached", () => {
  const unreachable = async (options = {}) => {
    const endpoint = await deadEndpoint();
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const s3Client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
    return new S3Mutex({
      s3Client,
      bucketName: BUCKET,
      lockTimeoutMs: 3000,
      maxRetries: 2,
      retryDelayMs: 50,
      verify: "never",
      ...options,
    });
  };

  it("is an error of every method", { timeout: 60_000 }, async () => {
    // `acquire` without a limit asks for a minute.
    const asking = METHODS.filter(([name]) => name !== "acquire").map(async ([name, call]) => {
      const error = await errorOf(call(await unreachable()));
      expect(error, name).toMatchObject({ code: "store-unavailable", retryable: true });
      expect(error.cause, name).toBeInstanceOf(Error);
      expect(error.message, name).toContain("ECONNREFUSED");
    });
    await Promise.all(asking);
  });

  it("throughout the patience of acquireLock is an error, not false, and no sooner", async () => {
    const mutex = await unreachable();
    const startedMs = performance.now();
    expect(await codeOf(mutex.acquireLock(LOCK, 400))).toBe("store-unavailable");
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(380);
    expect(await codeOf(mutex.acquireLock(LOCK))).toBe("store-unavailable");
    expect(await codeOf(mutex.withLock(LOCK, () => 1))).toBe("store-unavailable");
    expect(await codeOf(mutex.acquire(LOCK, { timeoutMs: 100 }))).toBe("store-unavailable");
  });

  it("at first is waited for", async ({ world }) => {
    const mutex = world.mutex();
    const down = world.server.faults.add({ fault: "drop-before" });
    const acquiring = mutex.acquireLock(LOCK, 10_000);
    await until(() => down.hits >= 3);
    down.remove();
    expect(await acquiring).toBe(true);
    await mutex.releaseLock(LOCK);
  });

  it("later on does not turn contention into an error", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = mutex.acquireLock(LOCK, 600);
    await until(() => world.record(LOCK)?.queue.length === 1);
    const down = world.server.faults.add({ fault: "drop-before" });
    expect(await waiting).toBe(false);
    down.remove();
    await until(() => world.record(LOCK)?.queue.length === 0);
    await holder.releaseLock(LOCK);
  });

  it("does not keep one from giving up", async ({ world }) => {
    world.server.faults.add({ fault: "drop-before" });
    const stop = new AbortController();
    const waiting = codeOf(world.mutex().acquire(LOCK, { signal: stop.signal }));
    await sleep(100);
    stop.abort();
    expect(await waiting).toBe("aborted");
    // Whatever was under way has failed by then.
    await sleep(300);
  });
});
