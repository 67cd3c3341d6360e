import { describe, expect } from "vitest";
import { type Lock, S3MutexError } from "../../src/index.js";
import { FINE } from "../../testkit/scene.js";
import { codeOf, errorOf, freeze, it, listeningLogger, sleep, until } from "./fixture.js";
import { inVirtualTime } from "./virtual-world.js";

const LOCK = "resource";

const whenLost = (lock: Lock): Promise<void> =>
  new Promise((resolve) => lock.signal.addEventListener("abort", () => resolve(), { once: true }));

describe.concurrent("withLock", () => {
  it("runs the function while the lock is held, gives its result, and releases", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const result = await mutex.withLock(LOCK, async (lock) => {
      expect(lock.name).toBe(LOCK);
      lock.assertHeld();
      expect(await other.isLocked(LOCK)).toBe(true);
      expect(await mutex.isOwnedByUs(LOCK)).toBe(true);
      expect(world.holder(LOCK).token).toBe(lock.fencingToken);
      return { answer: 42 };
    });
    expect(result).toEqual({ answer: 42 });
    expect(await other.isLocked(LOCK)).toBe(false);
  });

  it("takes a function that is not asynchronous, or gives nothing", async ({ world }) => {
    const mutex = world.mutex();
    expect(await mutex.withLock(LOCK, () => "at once")).toBe("at once");
    expect(await mutex.withLock(LOCK, () => {})).toBeUndefined();
    expect(await mutex.withLock(LOCK, async () => null)).toBeNull();
  });

  it("is null when the lock is not had in time, and does not run the function then", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    let runs = 0;
    const startedMs = performance.now();
    expect(await mutex.withLock(LOCK, () => ++runs, { timeoutMs: 0 })).toBeNull();
    expect(await mutex.withLock(LOCK, () => ++runs, { timeoutMs: 50 })).toBeNull();
    expect(await mutex.withLock(LOCK, () => ++runs, { retries: 0 })).toBeNull();
    expect(await mutex.withLock(LOCK, () => ++runs)).toBeNull();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(runs).toBe(0);
    await holder.releaseLock(LOCK);
  });

  it("waits as long as `retries` say instead of `maxRetries`", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex({ maxRetries: 0, retryDelayMs: 100 })];
    await holder.acquireLock(LOCK);
    const startedMs = performance.now();
    expect(await mutex.withLock(LOCK, () => 1, { retries: 2 })).toBeNull();
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(290);
    await holder.releaseLock(LOCK);
  });

  it("excludes another call on the same instance, and itself within itself", async ({ world }) => {
    const mutex = world.mutex();
    let inside = 0;
    const turn = () =>
      mutex.withLock(
        LOCK,
        async () => {
          expect(++inside).toBe(1);
          await sleep(5);
          inside -= 1;
        },
        { timeoutMs: 10_000 },
      );
    await Promise.all(Array.from({ length: 10 }, turn));
    const nested = mutex.withLock(LOCK, () => mutex.withLock(LOCK, () => "in", { timeoutMs: 20 }));
    expect(await codeOf(nested)).toBe("deadlock");
  });

  it(
    "renews: it may take longer than the lease",
    inVirtualTime(async (world) => {
      const mutex = world.mutex({ lockTimeoutMs: 900 });
      const other = world.mutex({ clockSkewToleranceMs: 0 });
      let isRunning = true;
      const overtaken: unknown[] = [];
      const look = async () => {
        while (isRunning) {
          const lock = await other.tryAcquire(LOCK);
          if (lock !== null && isRunning) overtaken.push(lock);
          await lock?.release();
          await world.sleep(20);
        }
      };
      const result = await mutex.withLock(LOCK, async (lock) => {
        const looking = look();
        await world.sleep(1500);
        lock.assertHeld();
        isRunning = false;
        await looking;
        return "done";
      });
      expect(result).toBe("done");
      expect(overtaken).toEqual([]);
    }),
  );

  it("takes priority, lease and label", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.withLock(
      LOCK,
      () =>
        expect(world.holder(LOCK)).toMatchObject({ priority: -3, leaseMs: 61_234, label: "nightly", via: "handle" }),
      { priority: -3, leaseMs: 61_234, label: "nightly" },
    );
  });

  it("rejects when its signal is aborted while waiting, and does not interrupt the function", async ({ world }) => {
    const [holder, mutex] = [world.mutex(), world.mutex()];
    await holder.acquireLock(LOCK);
    const stop = new AbortController();
    const waiting = errorOf(mutex.withLock(LOCK, () => 1, { timeoutMs: 60_000, signal: stop.signal }));
    await until(() => world.record(LOCK)?.queue.length === 1);
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await waiting).toMatchObject({ code: "aborted", cause: reason, lockName: LOCK });
    await until(() => world.record(LOCK)?.queue.length === 0);
    await holder.releaseLock(LOCK);

    const late = new AbortController();
    const run = async (lock: Lock) => {
      late.abort();
      await sleep(10);
      lock.assertHeld();
      return "whole";
    };
    expect(await mutex.withLock(LOCK, run, { signal: late.signal })).toBe("whole");
  });
});

describe.concurrent("an error of the function", () => {
  it.for([new Error("boom"), new TypeError("typed"), "a string", undefined, null, { code: "plain" }])(
    "comes out unchanged: %s",
    async (thrown, { world }) => {
      const mutex = world.mutex();
      const outcome = await mutex
        .withLock(LOCK, () => Promise.reject(thrown))
        .then(
          () => "resolved",
          (error: unknown) => ({ error }),
        );
      expect((outcome as { error: unknown }).error).toBe(thrown);
      expect(await mutex.isLocked(LOCK)).toBe(false);
    },
  );

  it("comes out unchanged also from a function that is not asynchronous", async ({ world }) => {
    const error = new Error("at once");
    const failing = (): string => {
      throw error;
    };
    await expect(world.mutex().withLock(LOCK, failing)).rejects.toBe(error);
    expect(world.record(LOCK)?.holders).toEqual([]);
  });

  it(
    "comes out unchanged although the release fails, which goes to the logger",
    inVirtualTime(async (world) => {
      const { logger, lines } = listeningLogger();
      const mutex = world.mutex({ lockTimeoutMs: 900, logger });
      const error = new Error("boom");
      const failing = async () => {
        world.fate = () => ({ kind: "lost" });
        throw error;
      };
      await expect(mutex.withLock(LOCK, failing)).rejects.toBe(error);
      expect(lines).toContainEqual(expect.objectContaining({ level: "warn", message: expect.stringContaining(LOCK) }));
      world.fate = () => FINE;
      // What could not be done then is done behind the scenes.
      await world.until(() => world.record(LOCK)?.holders.length === 0);
    }),
  );

  it(
    "comes out unchanged although the lock was lost",
    inVirtualTime(async (world) => {
      const [mutex, other] = [world.mutex({ lockTimeoutMs: 900 }), world.mutex()];
      const error = new Error("boom");
      const failing = async (lock: Lock) => {
        await other.releaseLock(LOCK, true);
        await whenLost(lock);
        throw error;
      };
      await expect(mutex.withLock(LOCK, failing)).rejects.toBe(error);
    }),
  );

  it("that is an error of this library comes out unchanged as well", async ({ world }) => {
    const error = new S3MutexError("timed-out", "of something else");
    await expect(world.mutex().withLock(LOCK, () => Promise.reject(error))).rejects.toBe(error);
  });
});

describe.concurrent("a release that fails", () => {
  it(
    "does not cost the result",
    inVirtualTime(async (world) => {
      const { logger, lines } = listeningLogger();
      const mutex = world.mutex({ lockTimeoutMs: 900, logger });
      const working = async () => {
        world.fate = () => ({ kind: "error", status: 503, applied: false });
        return "done";
      };
      expect(await mutex.withLock(LOCK, working)).toBe("done");
      expect(lines.some(({ level }) => level === "warn")).toBe(true);
      world.fate = () => FINE;
      await world.until(() => world.record(LOCK)?.holders.length === 0);
    }),
  );

  it("because it is denied does not cost the result either", async ({ world }) => {
    const { logger, lines } = listeningLogger();
    const mutex = world.mutex({ logger });
    const working = async () => {
      world.server.setQuirks({ deny: ["PutObject"] });
      return "done";
    };
    expect(await mutex.withLock(LOCK, working)).toBe("done");
    expect(lines.some(({ level }) => level === "warn")).toBe(true);
    world.leaves(LOCK);
  });
});

describe.concurrent("lost while the function ran", () => {
  it(
    "by force: rejects as lost, with the result",
    inVirtualTime(async (world) => {
      const [mutex, other] = [world.mutex({ lockTimeoutMs: 900 }), world.mutex()];
      const working = async (lock: Lock) => {
        await other.releaseLock(LOCK, true);
        await whenLost(lock);
        return "late";
      };
      const error = await errorOf(mutex.withLock(LOCK, working));
      expect(error).toMatchObject({ code: "lost", reason: "force-released", result: "late", lockName: LOCK });
      expect(error.cause).toMatchObject({ code: "lost", reason: "force-released" });
    }),
  );

  it("rejects also when the loss is noticed no sooner than at the release", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const working = async () => {
      await other.releaseLock(LOCK, true);
      return undefined;
    };
    const error = await errorOf(mutex.withLock(LOCK, working));
    expect(error).toMatchObject({ code: "lost", reason: "force-released" });
    expect("result" in error).toBe(true);
  });

  it("because another caller got it after it was forced open", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const working = async () => {
      await other.releaseLock(LOCK, true);
      return other.acquireLock(LOCK);
    };
    const error = await errorOf(mutex.withLock(LOCK, working));
    expect(error).toMatchObject({ code: "lost", result: true });
    expect(await other.isOwnedByUs(LOCK)).toBe(true);
    await other.releaseLock(LOCK);
  });

  it(
    "because the store did not answer",
    inVirtualTime(async (world) => {
      const mutex = world.mutex({ lockTimeoutMs: 900 });
      const working = async (lock: Lock) => {
        world.fate = () => ({ kind: "lost" });
        await whenLost(lock);
        expect(lock.held).toBe(false);
        world.fate = () => FINE;
        return "cut off";
      };
      const error = await errorOf(mutex.withLock(LOCK, working));
      expect(error).toMatchObject({ code: "lost", result: "cut off" });
      expect(["store-unavailable", "expired"]).toContain(error.reason);
      await world.until(() => world.record(LOCK)?.holders.length === 0);
    }),
  );
});

describe.concurrent("a function that releases by itself", () => {
  it("gives its result, and the lock is free from then on", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    const result = await mutex.withLock(LOCK, async (lock) => {
      expect(await lock.release()).toBe(true);
      expect(lock.held).toBe(false);
      expect(await other.acquireLock(LOCK)).toBe(true);
      return "early";
    });
    expect(result).toBe("early");
    expect(await other.isOwnedByUs(LOCK)).toBe(true);
    await other.releaseLock(LOCK);
  });

  it("without waiting for it", async ({ world }) => {
    const mutex = world.mutex();
    const released: Promise<boolean>[] = [];
    const working = (lock: Lock) => {
      released.push(lock.release());
      return "early";
    };
    expect(await mutex.withLock(LOCK, working)).toBe("early");
    expect(await Promise.all(released)).toEqual([true]);
    expect(await mutex.isLocked(LOCK)).toBe(false);
  });
});

describe.concurrent("what a lost lock leaves alone", () => {
  it("the others: a store error while acquiring is an error, not null", async ({ world }) => {
    world.server.setQuirks({ deny: ["GetObject"] });
    let runs = 0;
    expect(await codeOf(world.mutex().withLock(LOCK, () => ++runs))).toBe("access-denied");
    expect(runs).toBe(0);
  });
});

// On its own: the others would stand still as well.
describe("lost while the process stood still", () => {
  it("rejects as lost, with the result, although no timer had run", async ({ world }) => {
    const mutex = world.mutex({ lockTimeoutMs: 3000 });
    const working = () => {
      freeze(3200);
      return "thawed";
    };
    const error = await errorOf(mutex.withLock(LOCK, working));
    expect(error).toMatchObject({ code: "lost", reason: "expired", result: "thawed" });
  });
});
