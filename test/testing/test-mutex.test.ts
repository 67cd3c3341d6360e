import { describe, expect, it, test } from "vitest";
import { type Lock, S3MutexError } from "../../src/index.js";
import { createTestMutex, type TestMutex } from "../../src/testing/index.js";

const JOB = "job";
/** The default. */
const LEASE_MS = 60_000;

/** Makes a job under a lock, and a way for it to lose that. */
async function holding(options = {}): Promise<TestMutex & { readonly lock: Lock }> {
  const test = await createTestMutex(options);
  return { ...test, lock: await test.mutex.acquire(JOB) };
}

const reasonOf = ({ signal }: Lock) => (S3MutexError.is(signal.reason, "lost") ? signal.reason.reason : undefined);

it("names its own options where one of them is mistyped", async () => {
  const mistyped = { roundTrip: 20 };
  await expect(createTestMutex(mistyped as object)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining('has "roundTrip", which is not an option here: did you mean roundTripMs?'),
  });
  const unknown = { leaseMs: 1000 };
  await expect(createTestMutex(unknown as object)).rejects.toThrow(/there are seed, roundTripMs, fakeTimers, /);
});

describe("a lock", () => {
  it("is acquired while the clock stands, and renewed while it moves", async () => {
    const { lock, clock, store } = await holding();
    const startMs = clock.nowMs;
    expect(lock.held).toBe(true);
    await clock.advance(10 * LEASE_MS);
    expect(clock.nowMs - startMs).toBe(10 * LEASE_MS);
    expect(lock.held).toBe(true);
    const writes = store.requests.filter(({ operation }) => operation === "PutObject");
    expect(writes.length).toBeGreaterThan(10);
    await lock.release();
    expect(isFree(store.get("locks/job.json"))).toBe(true);
  });

  it("is waited for until the time-out, and had when it is given back", async () => {
    const { lock, clock, another } = await holding();
    const { mutex } = another();
    const startMs = clock.nowMs;
    await expect(clock.runUntil(mutex.acquire(JOB, { timeoutMs: 5000 }))).rejects.toMatchObject({ code: "timed-out" });
    expect(clock.nowMs - startMs).toBeGreaterThanOrEqual(5000);
    expect(clock.nowMs - startMs).toBeLessThan(6000);
    const waiting = mutex.acquire(JOB);
    await clock.advance(1000);
    await lock.release();
    expect((await clock.runUntil(waiting)).held).toBe(true);
  });

  it.each<readonly [string, string | undefined, (test: TestMutex) => unknown]>([
    [
      "its process stands still, and no other takes it",
      "expired",
      async ({ process, clock }) => {
        process.freeze({ forMs: 90_000 });
        await clock.advance(90_000);
      },
    ],
    [
      "its machine sleeps, and no other takes it",
      undefined,
      async ({ process, clock }) => {
        process.freeze({ forMs: 90_000, suspends: true });
        await clock.advance(91_000);
      },
    ],
    [
      "its machine sleeps, and another takes it",
      "taken-over",
      async ({ process, clock, another }) => {
        process.freeze({ forMs: 90_000, suspends: true });
        await clock.runUntil(another().mutex.acquire(JOB));
        await clock.advance(90_000);
      },
    ],
    ["another ends it by force", "force-released", ({ another }) => another().mutex.releaseLock(JOB, true)],
    ["another deletes it", "deleted", ({ another }) => another().mutex.deleteLock(JOB, true)],
    ["its object is gone", "deleted", ({ store }) => store.delete("locks/job.json")],
    ["the store is away", "store-unavailable", ({ store }) => store.faults.add({ fault: "never-answer" })],
    ["the store refuses", "store-unavailable", ({ store }) => store.faults.add({ fault: "status", status: 403 })],
    ["its process is cut off", "store-unavailable", ({ process }) => process.faults.add({ fault: "never-answer" })],
    ["its mutex is closed", "closed", ({ mutex }) => void mutex.close()],
  ])("when %s: %s", async (_, reason, bringAbout) => {
    const test = await holding();
    const told: string[] = [];
    test.mutex.on("lost", (event) => told.push(event.reason));
    await bringAbout(test);
    await test.clock.advance(LEASE_MS);
    expect(reasonOf(test.lock)).toBe(reason);
    expect(told).toEqual(reason === undefined ? [] : [reason]);
    if (reason !== "closed") expect(test.lock.held).toBe(reason === undefined);
  });

  it("of a process that was killed is had by another after the lease", async () => {
    const { process, clock, another } = await holding();
    process.kill();
    const startMs = clock.nowMs;
    await clock.runUntil(another().mutex.acquire(JOB));
    expect(clock.nowMs - startMs).toBeGreaterThanOrEqual(LEASE_MS);
    expect(clock.nowMs - startMs).toBeLessThan(LEASE_MS + 20_000);
  });
});

describe("the other primitives", () => {
  test("a leader that stands still is followed by another", async () => {
    const { mutex, process, clock, another } = await createTestMutex({ lockTimeoutMs: 10_000 });
    const first = await mutex.election("boss").campaign();
    const second = another().mutex.election("boss").campaign();
    await clock.advance(60_000);
    expect(first.signal.aborted).toBe(false);
    process.freeze();
    await clock.runUntil(second);
    process.thaw();
    await clock.runUntil(() => first.signal.aborted);
    expect(first.held).toBe(false);
  });

  test("a semaphore gives its permits, and not one more", async () => {
    const { mutex, clock, another } = await createTestMutex();
    const first = await mutex.semaphore("api", { permits: 2 }).acquire();
    await another().mutex.semaphore("api", { permits: 2 }).acquire();
    const third = another().mutex.semaphore("api", { permits: 2 });
    expect(await third.tryAcquire()).toBeNull();
    const waiting = third.acquire();
    await first.release();
    expect(await clock.runUntil(waiting)).toBeTruthy();
  });

  test("what one has done, another need not do", async () => {
    const { mutex, clock, another } = await createTestMutex({ roundTripMs: 20 });
    const run = (one: TestMutex["mutex"]) =>
      one.runOnce("invoice", async () => {
        await clock.sleep(30_000);
        return "paid";
      });
    const both = Promise.all([run(mutex), run(another().mutex)]);
    const results = await clock.runUntil(both);
    expect(results.map(({ result }) => result)).toEqual(["paid", "paid"]);
    expect(results.filter(({ ran }) => ran)).toHaveLength(1);
  });

  test("a close waits for the work under a lock, for as long as its grace", async () => {
    const { mutex, clock } = await createTestMutex();
    const work = mutex.withLock(JOB, () => clock.sleep(3000));
    await clock.settle();
    const report = await clock.runUntil(mutex.close({ graceMs: 5000 }));
    expect(report.leftBehind).toEqual([]);
    await work;
  });
});

describe("a store that fails", () => {
  test("gets the faults of the server for tests, in its words", async () => {
    const { mutex, store, clock } = await createTestMutex();
    const lock = await mutex.acquire(JOB);
    const lost = store.faults.add({ fault: "lose-response", operation: "PutObject", key: /job/, times: 1 });
    await clock.runUntil(lock.release());
    expect(lost.hits).toBe(1);
    expect(await mutex.tryAcquire(JOB)).not.toBeNull();
  });

  test.each([
    [{ fault: "status", status: 403 }, "access-denied"],
    [{ fault: "status", status: 404, code: "NoSuchBucket" }, "no-such-bucket"],
    [{ fault: "status", status: 501 }, "store-unsafe"],
    [{ fault: "page", status: 407 }, "store-unavailable"],
    [{ fault: "drop-before" }, "store-unavailable"],
  ] as const)("with %o: %s, as over S3", async (rule, code) => {
    const { mutex, store, clock } = await createTestMutex();
    store.faults.add(rule);
    await expect(clock.runUntil(mutex.inspect(JOB))).rejects.toMatchObject({ code });
  });

  test("takes its time when it is told to", async () => {
    const { mutex, store, clock } = await createTestMutex({ roundTripMs: 50 });
    const startMs = clock.nowMs;
    await clock.runUntil(mutex.inspect(JOB));
    expect(clock.nowMs - startMs).toBeCloseTo(50, 3);
    store.faults.add({ fault: "latency", latencyMs: 1000 });
    await clock.runUntil(mutex.inspect(JOB));
    expect(clock.nowMs - startMs).toBeCloseTo(1100, 3);
  });

  test("applies late what no caller waits for any more, and twice what a proxy repeats", async () => {
    const { mutex, store, clock } = await createTestMutex();
    store.faults.add({ fault: "delay-apply", delayMs: 5000, operation: "PutObject", times: 1 });
    store.faults.add({ fault: "duplicate", operation: "PutObject", skip: 1, times: 1 });
    const lock = await clock.runUntil(mutex.acquire(JOB));
    await clock.advance(10_000);
    expect(lock.held).toBe(true);
    expect(JSON.parse(store.get("locks/job.json") ?? "").holders).toHaveLength(1);
  });

  test("says what it cannot do", async () => {
    const { store } = await createTestMutex();
    expect(() => store.faults.add({ fault: "truncate-body" })).toThrow(
      /the store in memory has no such thing; use startS3Server/,
    );
    expect(() => store.faults.add({ fault: "status" } as never)).toThrow(/status is missing/);
  });
});

describe("options", () => {
  test("those of S3Mutex are taken as they are, a client that is not needed included", async () => {
    const { mutex, store, another } = await createTestMutex({
      bucketName: "my-bucket",
      keyPrefix: "team/",
      ownerId: "me",
      lockTimeoutMs: 5000,
      s3Client: { send: () => Promise.reject(new Error("never")) } as never,
    });
    await mutex.acquire(JOB);
    expect(store.keys).toEqual(["team/job.json"]);
    expect(mutex.ownerId).toBe("me");
    const other = another({ lockTimeoutMs: 7000 }).mutex;
    expect(other.ownerId).not.toBe("me");
    await other.acquire("other");
    expect(JSON.parse(store.get("team/other.json") ?? "").holders[0].leaseMs).toBe(7000);
  });

  test.each([
    [{ leaseMs: 1 }, /"leaseMs", which is not an option here/],
    [{ seed: -1 }, /seed is -1: use a whole number/],
    [{ roundTripMs: "1" }, /roundTripMs is "1"/],
    [{ fakeTimers: {} }, /fakeTimers is .*pass `vi`, `jest`/],
    [null, /options is null/],
  ])("%o is refused, and it is said what to do", async (options, message) => {
    await expect(createTestMutex(options as never)).rejects.toThrow(message);
  });

  test("the same seed gives the same run, another one another", async () => {
    const run = async (seed: number) => {
      const { mutex, another, clock, store } = await createTestMutex({ seed });
      const startMs = clock.nowMs;
      const use = (one: TestMutex["mutex"]) => one.withLock(JOB, () => clock.sleep(1500), { retries: 10 });
      await clock.runUntil(Promise.all([use(mutex), use(another().mutex), use(another().mutex)]));
      return store.requests.map(({ atMs, operation, process }) => `${atMs - startMs} ${operation} ${process}`);
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

function isFree(body: string | undefined): boolean {
  return body === undefined || JSON.parse(body).holders.length === 0;
}
