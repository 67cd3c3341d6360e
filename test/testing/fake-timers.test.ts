import { mock } from "node:test";
import { afterEach, expect, test, vi } from "vitest";
import { createTestMutex, type FakeTimers } from "../../src/testing/index.js";

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

/** All that vitest can replace in a child process. */
const EVERYTHING = [
  ...(["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"] as const),
  ...(["Date", "performance", "queueMicrotask", "hrtime"] as const),
];

test("a clock of its own takes no notice of fake timers, whatever they replace", async () => {
  vi.useFakeTimers({ toFake: [...EVERYTHING] });
  const { mutex, clock, process, another } = await createTestMutex();
  const lock = await mutex.acquire("job");
  await clock.advance(600_000);
  expect(lock.held).toBe(true);
  process.freeze({ forMs: 100_000 });
  await clock.runUntil(another().mutex.acquire("job"));
  await clock.runUntil(() => lock.signal.aborted);
});

test("two requests by name are two where fake timers hold microtasks back", async () => {
  vi.useFakeTimers({ toFake: ["queueMicrotask"] });
  const { mutex, clock } = await createTestMutex();
  const request = <T>(handle: () => Promise<T>) => new Promise<T>((resolve) => setImmediate(() => resolve(handle())));
  expect(await request(() => mutex.acquireLock("job"))).toBe(true);
  const other = request(async () => {
    const isMine = await mutex.acquireLock("job", 0);
    return { isMine, ended: await mutex.releaseLock("job") };
  });
  expect(await clock.runUntil(other)).toEqual({ isMine: false, ended: false });
});

const tools: readonly (readonly [string, () => FakeTimers])[] = [
  [
    "vi",
    () => {
      vi.useFakeTimers();
      return vi;
    },
  ],
  [
    "vi without its asynchronous methods, as in Bun",
    () => {
      vi.useFakeTimers();
      return { advanceTimersByTime: (ms: number) => vi.advanceTimersByTime(ms) };
    },
  ],
  [
    "mock.timers",
    () => {
      mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1e12 });
      return mock.timers;
    },
  ],
];

test.each(tools)("by the fake timers of %s: the code's timers and the lock's are moved together", async (_, start) => {
  const { mutex, clock, process, another } = await createTestMutex({ fakeTimers: start() });
  const startMs = Date.now();
  const pauses: number[] = [];
  const work = mutex.withLock("job", async (lock) => {
    for (let count = 0; count < 30; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      pauses.push(Date.now() - startMs);
    }
    return lock.held;
  });
  await clock.advance(100_000);
  expect(pauses.at(-1)).toBeLessThanOrEqual(100_000);
  expect(pauses.length).toBeGreaterThanOrEqual(9);
  expect(await clock.runUntil(work)).toBe(true);
  expect(clock.nowMs).toBe(Date.now());
  const lock = await mutex.acquire("job");
  process.freeze({ forMs: 90_000 });
  await clock.runUntil(another().mutex.acquire("job"));
  await clock.runUntil(() => lock.signal.aborted);
  await expect(clock.runUntil(new Promise(() => {}), { limitMs: 5000 })).rejects.toThrow(/within \d+ ms/);
});

test("who moves vi moves the lock's time", async () => {
  vi.useFakeTimers();
  const { mutex, store } = await createTestMutex({ fakeTimers: vi });
  const lock = await mutex.acquire("job");
  await vi.advanceTimersByTimeAsync(300_000);
  expect(lock.held).toBe(true);
  store.faults.add({ fault: "never-answer" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lock.signal.aborted).toBe(true);
});

test("fake timers that leave Date alone are told so", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { clock } = await createTestMutex({ fakeTimers: mock.timers });
  vi.useFakeTimers({ toFake: ["Date"] });
  await expect(clock.advance(1000)).rejects.toThrow(/Date\.now\(\) has not: let them replace Date as well/);
});
