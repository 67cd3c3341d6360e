import { describe, expect, it } from "vitest";
import type { CloseReport, Lock, S3Mutex, S3MutexError } from "../../src/index.js";
import { cutOff, FINE, KEY, NAME, Scene } from "../../testkit/scene.js";

/** Gives what a promise came to, for a test that looks at it later. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error: S3MutexError) => error,
  );
}

const BEGIN_MS = new Scene().nowMs;

/** Says how long the scene has lasted. */
function elapsedMs(scene: Scene): number {
  return scene.nowMs - BEGIN_MS;
}

/** Says whether another client could have the lock now. */
async function isFree(scene: Scene, take: (mutex: S3Mutex) => Promise<Lock | null>): Promise<boolean> {
  const lock = await scene.until(take(scene.client().mutex));
  if (lock !== null) await scene.until(lock.release());
  return lock !== null;
}

interface Guarded {
  readonly kind: string;
  /** Runs a function under a lock, and gives it the signal. */
  readonly run: (mutex: S3Mutex, fn: (signal: AbortSignal) => Promise<string>) => Promise<unknown>;
  readonly take: (mutex: S3Mutex) => Promise<Lock | null>;
  readonly result: (value: string) => unknown;
}

const plain = { take: (mutex: S3Mutex) => mutex.tryAcquire(NAME), result: (value: string): unknown => value };

const GUARDED: readonly Guarded[] = [
  { kind: "withLock", ...plain, run: (mutex, fn) => mutex.withLock(NAME, ({ signal }) => fn(signal)) },
  { kind: "withLocks", ...plain, run: (mutex, fn) => mutex.withLocks(["a", NAME], ({ signal }) => fn(signal)) },
  {
    kind: "withPermits",
    ...plain,
    run: (mutex, fn) => mutex.semaphore("pool", { permits: 1 }).withPermits(({ signal }) => fn(signal)),
    take: (mutex) => mutex.semaphore("pool", { permits: 1 }).tryAcquire(),
  },
  { kind: "runWhenLeader", ...plain, run: (mutex, fn) => mutex.election(NAME).runWhenLeader(fn) },
  {
    kind: "once",
    run: (mutex, fn) => mutex.runOnce("job", ({ signal }) => fn(signal)),
    take: (mutex) => mutex.tryAcquire("once/job"),
    result: (result) => ({ ran: true, result }),
  },
  {
    kind: "a nested withLock",
    ...plain,
    run: (mutex, fn) => mutex.withLock("outer", () => mutex.withLock(NAME, ({ signal }) => fn(signal))),
  },
];

describe.each(GUARDED)("P1: close() while a function of $kind runs", ({ run, take, result }) => {
  it("asks it to stop, keeps and renews the lock until it has ended, and gives it back then", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client({ lockTimeoutMs: 3000 });
    let reason: unknown;
    const running = outcomeOf(
      run(mutex, async (signal) => {
        await scene.world.sleep(7000);
        reason = signal.reason;
        return "done";
      }),
    );
    await scene.pass(1000);
    const closing = mutex.close();
    expect(await isFree(scene, take)).toBe(false);
    await scene.pass(5000);
    // Longer than its lease: it is renewed meanwhile.
    expect(await isFree(scene, take)).toBe(false);
    expect(await scene.until(running)).toEqual({ value: result("done") });
    expect(reason).toMatchObject({ code: "lost", reason: "closed" });
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(await isFree(scene, take)).toBe(true);
    const sent = scene.requestsOf(process).length;
    await scene.pass(60_000);
    expect(scene.requestsOf(process)).toHaveLength(sent);
  });

  it("gives nothing away when it outlasts the grace: the lease runs out, and the call rejects with the result", async () => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 6000 });
    const running = outcomeOf(run(mutex, async () => scene.world.sleep(4000).then(() => "late")));
    await scene.pass(1000);
    const startedAtMs = scene.nowMs;
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 1000 }));
    expect(scene.nowMs - startedAtMs).toBeLessThan(1100);
    expect(leftBehind.map(({ kind }) => kind)).toContain("callback");
    expect(await isFree(scene, take)).toBe(false);
    expect(await scene.until(running)).toMatchObject({ code: "lost", reason: "closed", result: "late" });
    expect(await isFree(scene, take)).toBe(false);
    await scene.pass(20_000);
    expect(await isFree(scene, take)).toBe(true);
  });
});

it("P1: no other is inside together with work that goes on after close(), as long as its lease lasts", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client({ lockTimeoutMs: 3000 });
  const running = mutex.withLock(NAME, async (lock) => {
    scene.believe(lock, process);
    await scene.world.sleep(9000);
    scene.disbelieve(lock);
  });
  const outcome = outcomeOf(running);
  await scene.pass(500);
  const other = scene.client({ lockTimeoutMs: 3000 });
  const waiting = other.mutex.acquire(NAME).then((lock) => scene.believe(lock, other.process));
  await scene.pass(500);
  const { leftBehind } = await scene.until(mutex.close({ graceMs: 2000 }));
  await scene.until(waiting);
  expect(elapsedMs(scene)).toBeGreaterThan(3000);
  expect(leftBehind).toMatchObject([{ lockName: NAME, kind: "callback", fencingToken: expect.any(Number) }]);
  await scene.until(outcome);
  expect(scene.problems).toEqual([]);
});

describe("a handle during close()", () => {
  it("is asked to stop, stays held, and can still do its last write and release", async () => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 3000 });
    const lost: unknown[] = [];
    mutex.on("lost", (event) => lost.push(event));
    const lock = await scene.until(mutex.acquire(NAME));
    const object = await scene.until(lock.fencedObject<string>({ key: "state" }));
    const closing = mutex.close();
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "closed", lockName: NAME });
    await scene.pass(5000);
    expect(lock.held).toBe(true);
    lock.assertHeld();
    await scene.until(object.write("the last word"));
    expect(await scene.until(lock.renew())).toBe(true);
    expect(await scene.until(lock.release())).toBe(true);
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(scene.record()?.holders).toEqual([]);
    expect(lost).toEqual([]);
  });

  it("is reported when it is not released, is neither renewed nor given back, and is lost when its lease is over", async () => {
    const scene = new Scene();
    const warnings: string[] = [];
    const logger = { warn: (message: string) => void warnings.push(message) };
    const { mutex, process } = scene.client({ lockTimeoutMs: 9000, logger });
    const reports: CloseReport[] = [];
    mutex.on("closed", (report) => reports.push(report));
    const lock = await scene.until(mutex.acquire(NAME));
    const startedAtMs = scene.nowMs;
    const report = await scene.until(mutex.close());
    expect(scene.nowMs - startedAtMs).toBeGreaterThanOrEqual(7000);
    expect(scene.nowMs - startedAtMs).toBeLessThan(7100);
    const [holder] = scene.record()?.holders ?? [];
    const { id: acquisitionId, token: fencingToken, expiresAtMs: expiresAt } = holder ?? {};
    expect(report).toEqual({
      leftBehind: [{ lockName: NAME, acquisitionId, fencingToken, expiresAt, kind: "handle" }],
    });
    expect(reports).toEqual([report]);
    expect(warnings.join()).toContain(`"${NAME}"`);
    expect(lock.held).toBe(true);
    const sent = scene.requestsOf(process).length;
    await scene.pass(9000);
    expect(lock.held).toBe(false);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: "lost", reason: "closed" }));
    expect(await scene.until(lock.release())).toBe(false);
    expect(scene.requestsOf(process)).toHaveLength(sent);
  });

  it("is not renewed once the grace is over, while another release is still waited for", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client({ lockTimeoutMs: 900 });
    await scene.until(mutex.acquire(NAME));
    const other = await scene.until(mutex.acquire("other"));
    scene.fate = ({ key }) => (key === "locks/other.json" ? { kind: "lost" } : { kind: "fine" });
    const closing = mutex.close({ graceMs: 200 });
    void other.release().catch(() => {});
    await scene.pass(220);
    const renewals = () => scene.requestsOf(process).filter(({ key }) => key === KEY).length;
    const sent = renewals();
    await scene.until(closing);
    expect(scene.nowMs - BEGIN_MS).toBeGreaterThan(1000);
    expect(renewals()).toBe(sent);
  });

  it("is not given back by a release after close() is over, which is false", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME));
    await scene.until(mutex.close({ graceMs: 0 }));
    const sent = scene.requestsOf(process).length;
    expect(await scene.until(lock.release())).toBe(false);
    expect(lock.held).toBe(false);
    expect(await scene.until(lock.renew())).toBe(false);
    expect(scene.requestsOf(process)).toHaveLength(sent);
    expect(scene.record()?.holders).toHaveLength(1);
  });

  it('is given back at once with handles: "release", while work that runs keeps its lock', async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire("idle"));
    await scene.until(mutex.acquireLock("named"));
    const running = mutex.withLock(NAME, async () => {
      await scene.world.sleep(3000);
      return "done";
    });
    await scene.pass(100);
    const closing = mutex.close({ handles: "release" });
    await scene.pass(500);
    expect(lock.held).toBe(false);
    expect(scene.record("locks/idle.json")?.holders).toEqual([]);
    expect(scene.record("locks/named.json")?.holders).toEqual([]);
    expect(scene.record()?.holders).toHaveLength(1);
    expect(await scene.until(running)).toBe("done");
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(scene.record()?.holders).toEqual([]);
  });

  it("that a function nests in is given back when that has ended, also where the handle itself was released", async () => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 3000 });
    const lock = await scene.until(mutex.acquire(NAME));
    const nested = mutex.withLock(NAME, () => scene.world.sleep(5000).then(() => "done"), { within: lock });
    await scene.pass(500);
    const closing = mutex.close({ handles: "release" });
    await scene.pass(3500);
    expect(scene.record()?.holders).toHaveLength(1);
    expect(await scene.until(nested)).toBe("done");
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(scene.record()?.holders).toEqual([]);
  });

  it("and a function that nests in it, which outlast the grace, are one lock left behind", async () => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 6000 });
    const lock = await scene.until(mutex.acquire(NAME));
    const nested = outcomeOf(mutex.withLock(NAME, () => scene.world.sleep(3000).then(() => "late"), { within: lock }));
    await scene.pass(500);
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 500 }));
    expect(leftBehind).toMatchObject([{ lockName: NAME, kind: "callback" }]);
    expect(await scene.until(nested)).toMatchObject({ code: "lost", reason: "closed", result: "late" });
    expect(await scene.until(lock.release())).toBe(false);
    expect(scene.record()?.holders).toHaveLength(1);
  });

  it("taken by name is waited for as well, and released or refreshed by name meanwhile", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    await scene.until(mutex.acquireLock(NAME));
    const closing = mutex.close();
    await scene.pass(2000);
    expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
    expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(true);
    expect(await scene.until(mutex.releaseLock(NAME))).toBe(true);
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(elapsedMs(scene)).toBeLessThan(3000);
  });

  it("taken by name is given back by deleteLock as well", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    await scene.until(mutex.acquireLock(NAME));
    const closing = mutex.close();
    await expect(mutex.deleteLock(NAME, true)).rejects.toMatchObject({ code: "closed" });
    expect(await scene.until(mutex.deleteLock(NAME))).toBe(true);
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(elapsedMs(scene)).toBeLessThan(1000);
  });

  it("can be handed over", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME));
    const closing = mutex.close();
    const text = await scene.until(lock.serialize());
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    const restored = await scene.until(scene.client().mutex.restore(text));
    expect(restored.held).toBe(true);
  });

  it("is lost for real when it is ended by force meanwhile", async () => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 3000 });
    const running = outcomeOf(mutex.withLock(NAME, () => scene.world.sleep(5000).then(() => "done")));
    await scene.pass(500);
    const closing = mutex.close();
    await scene.until(scene.client().mutex.releaseLock(NAME, true));
    expect(await scene.until(running)).toMatchObject({ code: "lost", reason: "force-released", result: "done" });
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
  });
});

describe("while a mutex closes", () => {
  it("what its running work asks for is refused, and who waits is sent away, so that nothing waits for itself", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const holder = scene.client().mutex;
    await scene.until(holder.acquire("busy"));
    const waitsInside = outcomeOf(mutex.withLock("outer", () => mutex.acquire("busy")));
    const local = outcomeOf(mutex.withLock(NAME, () => scene.world.sleep(2000)));
    await scene.pass(200);
    const inLine = outcomeOf(mutex.acquire(NAME));
    const asksLater = outcomeOf(
      mutex.withLock("later", async () => {
        await scene.world.sleep(1000);
        return mutex.acquire("free");
      }),
    );
    await scene.pass(500);
    const closing = mutex.close();
    for (const waiting of [waitsInside, inLine, asksLater]) {
      expect(await scene.until(waiting)).toMatchObject({ code: "closed" });
    }
    expect(elapsedMs(scene)).toBeLessThan(2000);
    expect(await scene.until(local)).toHaveProperty("value");
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    // The lock was not passed on to the waiter here.
    expect(scene.record()?.holders).toEqual([]);
    expect(scene.record()?.recent).toHaveLength(1);
  });

  it("an error of the work comes out unchanged, and its lock is given back", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const failing = outcomeOf(
      mutex.withLock(NAME, async (lock) => {
        await scene.world.sleep(1000);
        lock.signal.throwIfAborted();
      }),
    );
    await scene.pass(500);
    const closing = mutex.close();
    expect(await scene.until(failing)).toMatchObject({ code: "lost", reason: "closed" });
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(scene.record()?.holders).toEqual([]);
  });

  it("a second close shortens the grace, and none lengthens it", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    await scene.until(mutex.acquire(NAME));
    const first = mutex.close({ graceMs: 5000 });
    await scene.pass(1000);
    const longer = mutex.close({ graceMs: 60_000 });
    await scene.pass(1000);
    const last = mutex.close({ graceMs: 0 });
    const reports = await scene.until(Promise.all([first, longer, last]));
    expect(elapsedMs(scene)).toBeLessThan(2500);
    expect(reports[0].leftBehind).toHaveLength(1);
    expect(reports[1]).toEqual(reports[0]);
    expect(reports[2]).toEqual(reports[0]);
  });

  it("await using does the same", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const running = outcomeOf(mutex.withLock(NAME, () => scene.world.sleep(2000)));
    await scene.pass(100);
    await scene.until(mutex[Symbol.asyncDispose]());
    expect(elapsedMs(scene)).toBeGreaterThan(2000);
    expect(await running).toHaveProperty("value");
    expect(scene.record()?.holders).toEqual([]);
  });

  it("a store that does not answer is waited for two seconds after the work, and not longer", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const running = outcomeOf(mutex.withLock(NAME, () => scene.world.sleep(2000)));
    await scene.pass(500);
    scene.fate = cutOff(process);
    const { leftBehind } = await scene.until(mutex.close());
    expect(elapsedMs(scene)).toBeGreaterThan(3900);
    expect(elapsedMs(scene)).toBeLessThan(4200);
    expect(leftBehind).toMatchObject([{ lockName: NAME, kind: "release" }]);
    const sent = scene.requestsOf(process).length;
    await scene.until(running);
    await scene.pass(60_000);
    expect(scene.requestsOf(process)).toHaveLength(sent);
  });

  it.each([
    { how: "is silent", fate: { kind: "lost" } },
    { how: "answers 503", fate: { kind: "error", status: 503, applied: false } },
  ] as const)("F5: where the store $how, one line without a stack says all that is left behind", async ({ fate }) => {
    const scene = new Scene();
    const said: (readonly unknown[])[] = [];
    const say = (...words: readonly unknown[]) => void said.push(words);
    const { mutex } = scene.client({ logger: { warn: say, error: say } });
    await scene.until(scene.client().mutex.acquire("elsewhere"));
    const lock = await scene.until(mutex.acquire("given back"));
    const guarded = outcomeOf(mutex.withLock("guarded", () => scene.world.sleep(3000)));
    const waiting = outcomeOf(mutex.acquire("elsewhere"));
    await scene.pass(2900);
    scene.fate = () => fate;
    const released = outcomeOf(lock.release());
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 1000 }));
    await scene.until(Promise.all([guarded, waiting, released]));
    await scene.pass(90_000);
    expect(leftBehind.map(({ lockName }) => lockName).toSorted()).toEqual(["given back", "guarded"]);
    expect(said).toEqual([
      [
        expect.stringMatching(
          /closed without giving back "given back", "guarded", .* lease ends; and without clearing up after calls for "elsewhere", .* runs out$/,
        ),
        { leftBehind },
      ],
    ]);
  });

  it("F5: nor is more said where there is nothing but a place in a queue", async () => {
    const scene = new Scene();
    const said: (readonly unknown[])[] = [];
    const { mutex } = scene.client({ logger: { warn: (...words: readonly unknown[]) => void said.push(words) } });
    await scene.until(scene.client().mutex.acquire(NAME));
    const waiting = outcomeOf(mutex.acquire(NAME));
    await scene.pass(2900);
    scene.fate = () => ({ kind: "lost" });
    await scene.until(mutex.close());
    await scene.until(waiting);
    await scene.pass(90_000);
    expect(said).toEqual([
      [expect.stringMatching(/closed without clearing up after calls for "x"/), { leftBehind: [] }],
    ]);
  });

  it.each(["a handle", "a name"])("a release of %s that was not answered is left behind as one", async (of) => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const lock = of === "a name" ? undefined : await scene.until(mutex.acquire(NAME));
    if (lock === undefined) await scene.until(mutex.acquireLock(NAME));
    scene.fate = cutOff(process);
    void outcomeOf(lock?.release() ?? mutex.releaseLock(NAME));
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 500 }));
    expect(leftBehind).toMatchObject([{ lockName: NAME, kind: "release" }]);
  });

  it.each([
    [{ graceMs: -1 }, /graceMs is -1: .*milliseconds/],
    [{ graceMs: Number.POSITIVE_INFINITY }, /graceMs is Infinity/],
    [{ graceMs: "1s" }, /graceMs is "1s"/],
    [{ handles: "keep" }, /handles is "keep": use "wait" or "release"/],
    [null, /options is null/],
  ])("refuses %j, and is not closed by it", async (options, message) => {
    const scene = new Scene();
    const { mutex } = scene.client();
    await expect(mutex.close(options as never)).rejects.toThrow(message);
    expect(await scene.until(mutex.withLock(NAME, () => "open"))).toBe("open");
  });
});

describe("close() from within", () => {
  it.each(GUARDED)(
    "a function of $kind does not wait for that function, whose lock is given back",
    async ({ run, take }) => {
      const scene = new Scene();
      const { mutex } = scene.client();
      const running = run(mutex, async () => {
        await mutex.close();
        return "closed";
      });
      expect(JSON.stringify(await scene.until(running))).toContain("closed");
      expect(elapsedMs(scene)).toBeLessThan(1000);
      await scene.until(mutex.close());
      expect(await isFree(scene, take)).toBe(true);
    },
  );

  it("waits for that function where it was asked for by something detached, such as a server", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    let ended = false;
    let seen: boolean | undefined;
    await scene.until(
      mutex.withLock(NAME, async () => {
        void mutex
          .detached(() => mutex.close())
          .then(() => {
            seen = ended;
          });
        await scene.world.sleep(2000);
        ended = true;
      }),
    );
    await scene.until(mutex.close());
    expect(seen).toBe(true);
  });

  it("waits for what runs besides", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    let besides = "runs";
    const other = mutex.withLock("other", async () => {
      await scene.world.sleep(3000);
      besides = "ended";
    });
    await scene.pass(100);
    const seen = await scene.until(mutex.withLock(NAME, () => mutex.close().then(() => besides)));
    await scene.until(other);
    expect(seen).toBe("ended");
  });

  it("two mutexes that close each other both end, by the grace", async () => {
    const scene = new Scene();
    const [a, b] = [scene.client().mutex, scene.client().mutex];
    const one = outcomeOf(a.withLock("a", () => b.close({ graceMs: 2000 })));
    const other = outcomeOf(b.withLock("b", () => a.close({ graceMs: 2000 })));
    await scene.until(Promise.all([one, other]));
    expect(elapsedMs(scene)).toBeLessThan(5000);
  });

  it("two functions of one mutex that both close it end, and give back", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const close = (lockName: string) =>
      mutex.withLock(lockName, async () => {
        await scene.world.sleep(500);
        return mutex.close({ graceMs: 1000 });
      });
    const outcomes = await scene.until(Promise.all([outcomeOf(close("a")), outcomeOf(close("b"))]));
    expect(outcomes).toEqual([{ value: { leftBehind: [] } }, { value: { leftBehind: [] } }]);
    await scene.until(mutex.close());
    expect(scene.record("locks/a.json")?.holders).toEqual([]);
    expect(scene.record("locks/b.json")?.holders).toEqual([]);
  });

  it("a listener to the signal closes once more without harm", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME));
    lock.signal.addEventListener("abort", () => void mutex.close({ graceMs: 0 }));
    expect((await scene.until(mutex.close())).leftBehind).toHaveLength(1);
  });
});

it.each([
  [10, "goes on", false],
  [30, "goes on", false],
  [10, "stands still", true],
  [30, "stands still", true],
] as const)(
  "clears up although its process stands still for seconds, %i ms after it began to close: its monotonic clock %s",
  async (afterMs, _, stopsMonotonic) => {
    const scene = new Scene();
    const other = await scene.until(scene.client().mutex.acquire("other"));
    const { mutex, process } = scene.client();
    await scene.until(mutex.acquire(NAME));
    const waiting = outcomeOf(mutex.acquire("other"));
    await scene.pass(500);
    const refused = new Set<string>();
    scene.fate = (request) => {
      if (request.process !== process || request.operation !== "write" || refused.has(request.key)) return FINE;
      refused.add(request.key);
      return { kind: "error", status: 409, applied: false };
    };
    const closing = mutex.close({ handles: "release" });
    await scene.pass(afterMs);
    process.freeze(5000, stopsMonotonic);
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
    expect(await scene.until(waiting)).toMatchObject({ code: "closed" });
    expect(scene.record()?.holders).toEqual([]);
    expect(scene.record("locks/other.json")?.queue).toEqual([]);
    await scene.until(other.release());
  },
);

it("a handle that was left behind says the same in every way, also when it is released afterwards: its mutex was closed", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.until(mutex.close({ graceMs: 100 }));
  expect(await scene.until(lock.release())).toBe(false);
  const isClosed = expect.objectContaining({ code: "lost", reason: "closed" });
  expect(() => lock.assertHeld()).toThrow(isClosed);
  expect(lock.signal.reason).toEqual(isClosed);
  await expect(lock.serialize()).rejects.toEqual(isClosed);
  await expect(lock.fencedObject({ key: "report.json" })).rejects.toEqual(isClosed);
});
