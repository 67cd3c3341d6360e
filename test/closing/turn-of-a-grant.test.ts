import { describe, expect, it } from "vitest";
import type { Lock, S3Mutex, S3MutexError } from "../../src/index.js";
import { NAME, Scene } from "../../testkit/scene.js";
import { stride } from "../scale.js";

/**
 * A mutex that is closed in the very turn in which a lock is granted, by a listener of `acquired` or a few microtasks later:
 * the caller has a handle, or `closed`; never neither while the record says that the lock is held.
 */

interface Call {
  readonly kind: string;
  readonly ask: (mutex: S3Mutex, noteRun: () => void) => Promise<unknown>;
}

const CALLS: readonly Call[] = [
  { kind: "acquire", ask: (mutex) => mutex.acquire(NAME) },
  { kind: "tryAcquire", ask: (mutex) => mutex.tryAcquire(NAME) },
  { kind: "withLock", ask: (mutex, noteRun) => mutex.withLock(NAME, noteRun) },
  { kind: "acquireAll", ask: (mutex) => mutex.acquireAll(["a", NAME, "z"]) },
  { kind: "withLocks", ask: (mutex, noteRun) => mutex.withLocks(["a", NAME, "z"], noteRun) },
  { kind: "once", ask: (mutex, noteRun) => mutex.runOnce("job", noteRun) },
  { kind: "forget", ask: (mutex) => mutex.forget("done") },
  { kind: "acquireLock", ask: (mutex) => mutex.acquireLock(NAME) },
  { kind: "a semaphore's acquire", ask: (mutex) => mutex.semaphore("pool", { permits: 3 }).acquire({ permits: 2 }) },
  { kind: "withPermits", ask: (mutex, noteRun) => mutex.semaphore("pool", { permits: 3 }).withPermits(noteRun) },
  { kind: "campaign", ask: (mutex) => mutex.election(NAME).campaign() },
  { kind: "runWhenLeader", ask: (mutex, noteRun) => mutex.election(NAME).runWhenLeader(noteRun) },
];

async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await Promise.resolve();
}

/** Lists the acquisitions that are in any record, as holders or as waiters. */
function idsIn(scene: Scene): string[] {
  const bodies = [...scene.bucket.objects].filter(([key]) => !key.startsWith("once/"));
  return bodies.flatMap(([key]) => {
    const record = scene.record(key);
    return [...(record?.holders ?? []), ...(record?.queue ?? [])].map(({ id }) => id);
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "granted",
    (error: S3MutexError) => error.code,
  );
}

describe.each(CALLS)("close() in the turn of a grant to $kind", ({ ask }) => {
  it.each([0, 1, 2, 3, 4, 5])(
    "%i microtasks after it: the caller gets `closed`, and nothing is left",
    async (later) => {
      const scene = new Scene();
      await scene.until(scene.client().mutex.runOnce("done", () => 1));
      const { mutex } = scene.client();
      let closing: Promise<unknown> | undefined;
      let runs = 0;
      const close = () => {
        closing ??= mutex.close();
      };
      mutex.on("acquired", () => void (later === 0 ? close() : microtasks(later).then(close)));
      const code = await scene.until(
        codeOf(
          ask(mutex, () => {
            runs += 1;
          }),
        ),
      );
      expect([code, runs]).toEqual(["closed", 0]);
      const askedAtMs = scene.nowMs;
      expect(await scene.until(closing as Promise<unknown>)).toEqual({ leftBehind: [] });
      expect(scene.nowMs - askedAtMs).toBeLessThan(200);
      expect(idsIn(scene)).toEqual([]);
      expect(scene.problems.filter((problem) => !problem.startsWith("once/"))).toEqual([]);
    },
  );

  it("later in that turn: no function begins once its mutex is being closed", async () => {
    for (let later = 0; later < 25; later += stride(1)) {
      const scene = new Scene();
      await scene.until(scene.client().mutex.runOnce("done", () => 1));
      const { mutex } = scene.client();
      let closing: Promise<unknown> | undefined;
      let begunLate = 0;
      mutex.on("acquired", () => {
        void microtasks(later).then(() => {
          closing ??= mutex.close({ graceMs: 100 });
        });
      });
      const noteRun = () => {
        if (closing !== undefined) begunLate += 1;
      };
      await scene.until(codeOf(ask(mutex, noteRun)));
      await scene.pass(1000);
      await scene.until(mutex.close({ graceMs: 100 }));
      expect(begunLate).toBe(0);
    }
  });

  it("by a listener that throws then, with a logger that throws as well: the same", async () => {
    const scene = new Scene();
    await scene.until(scene.client().mutex.runOnce("done", () => 1));
    const throws = () => {
      throw new Error("no disk");
    };
    const { mutex } = scene.client({ logger: { debug: throws, info: throws, warn: throws, error: throws } });
    let closing: Promise<unknown> | undefined;
    mutex.on("acquired", () => {
      closing ??= mutex.close();
      throw new Error("a bad listener");
    });
    expect(await scene.until(codeOf(ask(mutex, () => {})))).toBe("closed");
    expect(await scene.until(closing as Promise<unknown>)).toEqual({ leftBehind: [] });
    expect(idsIn(scene)).toEqual([]);
  });

  it("at any moment of it, whichever request is under way: a handle, a result or `closed`, and nothing is left unsaid", async () => {
    for (let afterMs = 0; afterMs <= 160; afterMs += stride(4)) {
      const scene = new Scene();
      await scene.until(scene.client().mutex.runOnce("done", () => 1));
      const { mutex } = scene.client();
      const asked = ask(mutex, () => {});
      const code = codeOf(asked);
      await scene.pass(afterMs);
      const { leftBehind } = await scene.until(mutex.close({ graceMs: 100 }));
      const reported = leftBehind.map(({ acquisitionId }) => acquisitionId);
      expect(idsIn(scene).filter((id) => !reported.includes(id))).toEqual([]);
      expect(["granted", "closed"]).toContain(await scene.until(code));
      if ((await code) === "closed") expect(leftBehind).toEqual([]);
    }
  });
});

it("a listener and a logger that throw take no lock away from a waiter", async () => {
  const scene = new Scene();
  const throws = () => {
    throw new Error("no disk");
  };
  const { mutex } = scene.client({ logger: { warn: throws, error: throws } });
  for (const event of ["acquired", "released"] as const) mutex.on(event, throws);
  const lock: Lock = await scene.until(mutex.acquire(NAME));
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});

describe("close() while others wait in the same process", () => {
  it.each([0, 1, 2, 3])(
    "and a release %i microtasks later: no caller that is sent away holds it first",
    async (later) => {
      const scene = new Scene();
      const { mutex } = scene.client();
      const holder = await scene.until(mutex.acquire(NAME));
      const waiting = Array.from({ length: 3 }, () => codeOf(mutex.acquire(NAME)));
      await scene.pass(500);
      const closing = mutex.close();
      await microtasks(later);
      expect(await scene.until(holder.release())).toBe(true);
      expect(await scene.until(closing)).toEqual({ leftBehind: [] });
      expect(await scene.until(Promise.all(waiting))).toEqual(["closed", "closed", "closed"]);
      const tokens = new Set(scene.landed.flatMap(({ record }) => record?.holders.map(({ token }) => token) ?? []));
      expect([...tokens]).toEqual([holder.fencingToken]);
    },
  );

  it.each([0, 1, 2, 3, 4, 5])(
    "%i microtasks after the holder released: no caller is handed the lock unseen",
    async (later) => {
      const scene = new Scene();
      const { mutex } = scene.client();
      const holder = await scene.until(mutex.acquire(NAME));
      const waiting = Array.from({ length: 3 }, () => codeOf(mutex.acquire(NAME)));
      await scene.pass(500);
      const released = holder.release();
      await microtasks(later);
      const { leftBehind } = await scene.until(mutex.close());
      expect(await scene.until(released)).toBe(true);
      expect(await scene.until(Promise.all(waiting))).toEqual(["closed", "closed", "closed"]);
      expect(leftBehind).toEqual([]);
      expect(idsIn(scene)).toEqual([]);
    },
  );
});
