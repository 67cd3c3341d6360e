import { getEventListeners } from "node:events";
import { describe, expect } from "vitest";
import { S3MutexError } from "../../src/index.js";
import { codeOf, errorOf, freeze, heldRecord, it, listeningLogger, sleep, until } from "./fixture.js";
import { inVirtualTime } from "./virtual-world.js";

const LOCK = "resource";

describe.concurrent("acquire", () => {
  it("gives a handle on a held lock", async ({ world }) => {
    const mutex = world.mutex();
    const before = Date.now();
    const lock = await mutex.acquire(LOCK);
    expect(lock.name).toBe(LOCK);
    expect(lock.held).toBe(true);
    lock.assertHeld();
    expect(lock.signal.aborted).toBe(false);
    expect(lock.expiresAt).toBe(world.holder(LOCK).expiresAtMs);
    expect(lock.expiresAt).toBeGreaterThanOrEqual(before + 60_000);
    expect(lock.remainingMs).toBeGreaterThan(50_000);
    expect(lock.remainingMs).toBeLessThan(60_000);
    expect(world.holder(LOCK)).toMatchObject({ via: "handle", owner: mutex.ownerId });
    expect(await lock.release()).toBe(true);
    expect(lock.held).toBe(false);
    expect(lock.remainingMs).toBe(0);
    expect(lock.signal.aborted).toBe(false);
  });

  it("gives growing fencing tokens, whichever caller asks and however", async ({ world }) => {
    const mutexes = [world.mutex(), world.mutex(), world.mutex()];
    let last = 0;
    const grown = (token: number) => {
      expect(token).toBeGreaterThan(last);
      last = token;
    };
    for (const mutex of mutexes) {
      const lock = await mutex.acquire(LOCK);
      grown(lock.fencingToken);
      await lock.release();
      await mutex.acquireLock(LOCK);
      grown(world.holder(LOCK).token);
      await mutex.releaseLock(LOCK);
    }
    world.server.deleteObject("locks-bucket", world.key(LOCK));
    const again = await mutexes[0]?.acquire(LOCK);
    grown(again?.fencingToken ?? 0);
    await again?.release();
  });

  it("waits without a limit", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex({ maxRetries: 0 })];
    await holder.acquireLock(LOCK);
    const waiting = mutex.acquire(LOCK);
    const outcome = await Promise.race([waiting.then(() => "had it"), sleep(700).then(() => "waits")]);
    expect(outcome).toBe("waits");
    await holder.releaseLock(LOCK);
    await (await waiting).release();
  });

  it("with timeoutMs rejects as timed out", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const startedMs = performance.now();
    const error = await errorOf(mutex.acquire(LOCK, { timeoutMs: 150 }));
    expect(error).toMatchObject({ code: "timed-out", lockName: LOCK, retryable: true });
    expect(error.message).toContain(LOCK);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(145);
    expect(await codeOf(mutex.acquire(LOCK, { timeoutMs: 0 }))).toBe("timed-out");
    await until(() => world.record(LOCK)?.queue.length === 0);
    await holder.releaseLock(LOCK);
  });

  it("rejects as aborted, at once, and leaves the queue", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const stop = new AbortController();
    const waiting = errorOf(mutex.acquire(LOCK, { signal: stop.signal }));
    await until(() => world.record(LOCK)?.queue.length === 1);
    world.server.setLatency(2000);
    const abortedMs = performance.now();
    stop.abort();
    expect(await waiting).toMatchObject({ code: "aborted", lockName: LOCK, retryable: false });
    expect(performance.now() - abortedMs).toBeLessThan(1700);
    world.server.setLatency(0);
    await until(() => world.record(LOCK)?.queue.length === 0);
    await holder.releaseLock(LOCK);
  });

  it("with a signal that was aborted before makes no request", async ({ world }) => {
    const mutex = world.mutex();
    const reason = new Error("never mind");
    const signal = AbortSignal.abort(reason);
    expect(await errorOf(mutex.acquire(LOCK, { signal }))).toMatchObject({ code: "aborted", cause: reason });
    expect(await codeOf(mutex.tryAcquire(LOCK, { signal }))).toBe("aborted");
    expect(await codeOf(mutex.withLock(LOCK, () => 1, { signal }))).toBe("aborted");
    expect(world.server.requests.total).toBe(0);
  });

  it.for(["PutObject", "GetObject"] as const)(
    "aborted while its %s is under way leaves nothing behind",
    async (operation, { world }) => {
      const mutex = world.mutex();
      const slow = world.server.faults.add({ fault: "latency", latencyMs: 300, operation, times: 1 });
      const stop = new AbortController();
      const waiting = codeOf(mutex.acquire(LOCK, { signal: stop.signal }));
      await until(() => slow.hits === 1);
      stop.abort();
      expect(await waiting).toBe("aborted");
      await sleep(600);
      await mutex.close();
      await world.server.settled();
      world.leaves(LOCK);
      expect(world.record(LOCK)?.holders ?? []).toEqual([]);
    },
  );

  it("leaves no more than one listener on the caller's signal, however often that is used", async ({ world }) => {
    const mutex = world.mutex();
    const { signal } = new AbortController();
    for (let times = 0; times < 20; times += 1) await (await mutex.acquire(LOCK, { signal })).release();
    expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
  });

  it("takes priority, lease and label, and may shorten the lease of the mutex", async ({ world }) => {
    const mutex = world.mutex({ label: "web-1" });
    const lock = await mutex.acquire(LOCK, { priority: 9, leaseMs: 5000, label: "import" });
    expect(world.holder(LOCK)).toMatchObject({ priority: 9, leaseMs: 5000, label: "import" });
    expect(lock.remainingMs).toBeLessThan(5000);
    await lock.release();
    const plain = await mutex.acquire(LOCK);
    expect(world.holder(LOCK)).toMatchObject({ priority: 0, leaseMs: 60_000, label: "web-1" });
    await plain.release();
  });
});

describe.concurrent("tryAcquire", () => {
  it("gives a handle or null, and never waits", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const lock = await mutex.tryAcquire(LOCK);
    expect(lock?.held).toBe(true);
    const startedMs = performance.now();
    expect(await other.tryAcquire(LOCK)).toBeNull();
    expect(await mutex.tryAcquire(LOCK)).toBeNull();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(world.record(LOCK)?.queue).toEqual([]);
    await lock?.release();
    const again = await other.tryAcquire(LOCK, { priority: 3, leaseMs: 1000, label: "now" });
    expect(world.holder(LOCK)).toMatchObject({ priority: 3, leaseMs: 1000, label: "now" });
    await again?.release();
  });

  it("does not overtake a live waiter", async ({ world }) => {
    const [holder, waiter, mutex] = [world.mutex(), world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const waiting = waiter.acquire(LOCK);
    await until(() => world.record(LOCK)?.queue.length === 1);
    // The waiter's next look is put off, so that the free lock is there to be snatched.
    const slow = world.server.faults.add({ fault: "latency", latencyMs: 250, operation: "GetObject", times: 1 });
    await until(() => slow.hits === 1);
    await holder.releaseLock(LOCK);
    expect(await mutex.tryAcquire(LOCK)).toBeNull();
    await (await waiting).release();
  });
});

describe.concurrent("a held lock", () => {
  it(
    "renews itself until it is released, a third of the lease apart",
    inVirtualTime(async (world) => {
      const mutex = world.mutex({ lockTimeoutMs: 900 });
      const lock = await mutex.acquire(LOCK);
      const first = lock.expiresAt;
      const before = world.requests("write");
      await world.sleep(2000);
      lock.assertHeld();
      expect(lock.expiresAt).toBeGreaterThan(first + 900);
      expect(lock.expiresAt).toBe(world.holder(LOCK).expiresAtMs);
      const renewals = world.requests("write") - before;
      expect(renewals).toBeGreaterThanOrEqual(6);
      expect(renewals).toBeLessThanOrEqual(9);
      expect(await lock.release()).toBe(true);
      const afterwards = world.requests();
      await world.sleep(500);
      expect(world.requests()).toBe(afterwards);
    }),
  );

  it("renews on request, for a whole lease", async ({ world }) => {
    const mutex = world.mutex();
    const lock = await mutex.acquire(LOCK);
    const before = lock.expiresAt;
    await sleep(30);
    expect(await lock.renew()).toBe(true);
    expect(lock.expiresAt).toBeGreaterThanOrEqual(before + 25);
    expect(lock.expiresAt).toBe(world.holder(LOCK).expiresAtMs);
    await lock.release();
    expect(await lock.renew()).toBe(false);
  });

  it("keeps counting down between renewals", async ({ world }) => {
    const lock = await world.mutex().acquire(LOCK);
    const before = lock.remainingMs;
    await sleep(50);
    expect(lock.remainingMs).toBeLessThan(before - 40);
    expect(lock.remainingMs).toBeGreaterThan(before - 5000);
    await lock.release();
  });

  it("is released once, however often it is told, also at the same time", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const lock = await mutex.acquire(LOCK);
    expect(await Promise.all([lock.release(), lock.release()])).toEqual([true, true]);
    expect(world.record(LOCK)?.recent).toHaveLength(1);
    await other.acquireLock(LOCK);
    world.server.resetRequests();
    expect(await lock.release()).toBe(true);
    expect(world.server.requests.total).toBe(0);
    expect(await other.isOwnedByUs(LOCK)).toBe(true);
    await other.releaseLock(LOCK);
  });

  it("says in assertHeld that it was released", async ({ world }) => {
    const lock = await world.mutex().acquire(LOCK);
    await lock.release();
    expect(() => lock.assertHeld()).toThrow(
      expect.objectContaining({ code: "lost", reason: "released", lockName: LOCK }),
    );
    expect(lock.signal.aborted).toBe(false);
  });

  it(
    "is not touched by the signal that it was acquired with",
    inVirtualTime(async (world) => {
      const stop = new AbortController();
      const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK, { signal: stop.signal });
      stop.abort();
      await world.sleep(1200);
      lock.assertHeld();
      expect(await lock.renew()).toBe(true);
      await lock.release();
    }),
  );
});

describe.concurrent("await using", () => {
  it(
    "releases at the end of the block, and renews until then",
    inVirtualTime(async (world) => {
      const mutex = world.mutex({ lockTimeoutMs: 900 });
      {
        await using lock = await mutex.acquire(LOCK);
        await world.sleep(1200);
        lock.assertHeld();
        expect(await mutex.isLocked(LOCK)).toBe(true);
      }
      expect(await mutex.isLocked(LOCK)).toBe(false);
    }),
  );

  it("releases when the block throws, and leaves its error as it is", async ({ world }) => {
    const { logger, lines } = listeningLogger();
    const mutex = world.mutex({ lockTimeoutMs: 900, logger });
    const boom = new Error("boom");
    const failing = async (breakStore: boolean) => {
      await using _lock = await mutex.acquire(LOCK);
      if (breakStore) world.server.faults.add({ fault: "drop-before" });
      throw boom;
    };
    await expect(failing(false)).rejects.toBe(boom);
    expect(await mutex.isLocked(LOCK)).toBe(false);
    await expect(failing(true)).rejects.toBe(boom);
    expect(lines.some(({ level }) => level === "warn")).toBe(true);
    world.server.faults.clear();
    await until(() => world.record(LOCK)?.holders.length === 0);
  });

  it("works with what tryAcquire gives, null included, and after an own release", async ({ world }) => {
    const mutex = world.mutex();
    {
      await using lock = await mutex.tryAcquire(LOCK);
      await using none = await mutex.tryAcquire(LOCK);
      expect(lock?.held).toBe(true);
      expect(none).toBeNull();
      await lock?.release();
    }
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });

  it(
    "of a mutex closes it",
    inVirtualTime(async (world) => {
      const mutex = world.mutex();
      {
        await using scoped = mutex;
        const lock = await scoped.acquire(LOCK);
        // Its holder ends when it is asked to.
        lock.signal.addEventListener("abort", () => void lock.release());
      }
      expect(world.record(LOCK)?.holders).toEqual([]);
      expect(await codeOf(mutex.isLocked(LOCK))).toBe("closed");
    }),
  );
});

describe.concurrent("lock.signal", () => {
  /** Gives what the signal says, and how long after the deed it said it. */
  async function loss(world: Parameters<Parameters<typeof it>[2] & object>[0]["world"], deed: () => unknown) {
    const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
    await deed();
    const startedMs = performance.now();
    await new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
    const ms = performance.now() - startedMs;
    expect(lock.held).toBe(false);
    expect(lock.remainingMs).toBe(0);
    expect(() => lock.assertHeld()).toThrow(lock.signal.reason);
    expect(await lock.renew()).toBe(false);
    expect(await lock.release()).toBe(false);
    expect(lock.signal.reason).toBeInstanceOf(S3MutexError);
    return { reason: lock.signal.reason as S3MutexError, ms };
  }

  it("is aborted with the reason when it is released by force", async ({ world }) => {
    const other = world.mutex();
    const { reason, ms } = await loss(world, () => other.releaseLock(LOCK, true));
    expect(reason).toMatchObject({ code: "lost", reason: "force-released", lockName: LOCK, retryable: true });
    expect(ms).toBeLessThan(900 + 2500);
  });

  it("is aborted with the reason when the lock is deleted", async ({ world }) => {
    const other = world.mutex();
    const { reason } = await loss(world, () => other.deleteLock(LOCK, true));
    expect(reason).toMatchObject({ code: "lost", reason: "deleted" });
  });

  it("is aborted with the reason when the object vanishes", async ({ world }) => {
    const { reason } = await loss(world, () => world.server.deleteObject("locks-bucket", world.key(LOCK)));
    expect(reason).toMatchObject({ code: "lost", reason: "deleted" });
    expect(world.record(LOCK)).toBeUndefined();
  });

  it("is aborted with the reason when it was taken over", async ({ world }) => {
    const { reason } = await loss(world, () => {
      const now = Date.now();
      world.put(LOCK, heldRecord({ acquiredAtMs: now, expiresAtMs: now + 60_000, owner: "thief" }));
    });
    expect(reason).toMatchObject({ code: "lost", reason: "taken-over" });
    expect(world.holder(LOCK).owner).toBe("thief");
    world.leaves(LOCK);
  });

  it("is aborted with the reason when the record is garbage", async ({ world }) => {
    const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
    world.put(LOCK, "garbage");
    await new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
    expect(lock.signal.reason).toMatchObject({ code: "lost" });
    expect(lock.signal.reason.cause).toMatchObject({ code: "corrupt-record" });
    expect(world.server.getObject("locks-bucket", world.key(LOCK))?.text).toBe("garbage");
    world.leaves(LOCK);
  });

  it("is aborted before the published expiry when the store is out of reach", async ({ world }) => {
    const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
    world.server.faults.add({ fault: "drop-before" });
    await new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
    const abortedMs = Date.now();
    expect(abortedMs).toBeLessThan(world.holder(LOCK).expiresAtMs + 2500);
    expect(lock.signal.reason).toMatchObject({ code: "lost" });
    expect(lock.held).toBe(false);
    world.server.faults.clear();
    await until(() => world.record(LOCK)?.holders.length === 0);
  });

  const away = /not held any more: the store could not be reached until the lease was over\.$/;
  const answered = (words: string) =>
    new RegExp(`no renewal got through until the lease was over; the last answer: s3:\\w+ on .*: ${words}`);

  it.for([
    [{ fault: "drop-before" }, away],
    [{ fault: "status", status: 503 }, answered("503 SlowDown")],
    [{ fault: "status", status: 507, code: "XMinioStorageFull" }, answered("507 XMinioStorageFull")],
    [{ fault: "status", status: 403, code: "RequestTimeTooSkewed" }, answered("403 RequestTimeTooSkewed")],
    [{ fault: "page", status: 403 }, answered("403 with .* This is not an answer of S3")],
  ] as const)(
    "says whether the store could not be reached until the lease was over, or what it answered: %j",
    async ([rule, words], { world }) => {
      const lock = await world.mutex({ lockTimeoutMs: 900 }).acquire(LOCK);
      world.server.faults.add(rule);
      await new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
      world.server.faults.clear();
      await until(() => world.record(LOCK)?.holders.length === 0);
      expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "store-unavailable" });
      expect(lock.signal.reason.cause).toBeInstanceOf(Error);
      expect(lock.signal.reason.message).toMatch(words);
    },
  );

  it("is aborted once, for listeners, and is readable for callers that come late", async ({ world }) => {
    const lock = await world.mutex().acquire(LOCK);
    let calls = 0;
    lock.signal.addEventListener("abort", () => {
      calls += 1;
    });
    await world.mutex().releaseLock(LOCK, true);
    expect(await lock.renew()).toBe(false);
    expect(await lock.renew()).toBe(false);
    expect(await lock.release()).toBe(false);
    expect(calls).toBe(1);
    expect(() => lock.signal.throwIfAborted()).toThrow(expect.objectContaining({ reason: "force-released" }));
  });

  it("is aborted also where the loss shows no sooner than at the release", async ({ world }) => {
    const lock = await world.mutex().acquire(LOCK);
    await world.mutex().releaseLock(LOCK, true);
    expect(await lock.release()).toBe(false);
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "force-released" });
  });
});

describe("after the process stood still past the lease", () => {
  it("release is false: the lock had been lost before", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    const lock = await mutex.acquire(LOCK);
    freeze(1100);
    const released = await lock.release();
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "expired" });
    expect(released).toBe(false);
  });

  it("nothing is renewed that another holder has taken over", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 900 });
    const lock = await mutex.acquire(LOCK);
    freeze(1100);
    const now = Date.now();
    world.put(LOCK, heldRecord({ acquiredAtMs: now, expiresAtMs: now + 60_000, owner: "next" }));
    await until(() => lock.signal.aborted);
    await sleep(200);
    expect(world.holder(LOCK).owner).toBe("next");
    world.leaves(LOCK);
  });
});
