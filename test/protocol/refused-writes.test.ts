import { expect, it } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { FINE, NAME, Scene } from "../../testkit/scene.js";

const REFUSED = { kind: "error", status: 409, applied: false } as const;
const PATIENCE_MS = [1000, 2000];

/** All that a caller can be told by, with a time-out. */
const CALLS: readonly [string, (mutex: S3Mutex, timeoutMs: number) => Promise<unknown>][] = [
  ["withLock", (mutex, timeoutMs) => mutex.withLock(NAME, () => "ran", { timeoutMs })],
  ["acquire", (mutex, timeoutMs) => mutex.acquire(NAME, { timeoutMs })],
  ["acquireLock", (mutex, timeoutMs) => mutex.acquireLock(NAME, timeoutMs)],
  ["acquireAll", (mutex, timeoutMs) => mutex.acquireAll([NAME, "other"], { timeoutMs })],
  ["tryAcquire", (mutex) => mutex.tryAcquire(NAME)],
  ["withPermits", (mutex, timeoutMs) => mutex.semaphore("pool", { permits: 2 }).withPermits(() => 1, { timeoutMs })],
];

it.each(CALLS)(
  "S1: a free lock is not called taken because a write was refused: the time is up before a read, %s",
  async (_, call) => {
    for (const timeoutMs of PATIENCE_MS) {
      const scene = new Scene({ roundTripMs: () => 700 });
      const { mutex } = scene.client();
      scene.fate = ({ operation }) => (operation === "write" ? REFUSED : FINE);
      const end = await scene.until(
        call(mutex, timeoutMs).catch((error) => error.code),
        60_000,
      );
      expect([timeoutMs, end]).toEqual([timeoutMs, expect.stringMatching(/^store-un(available|safe)$/)]);
    }
  },
);

it.each(CALLS)("S1: a free lock is not called taken because a write was refused: then silence, %s", async (_, call) => {
  for (const applied of [false, true]) {
    const scene = new Scene({ roundTripMs: () => 100 });
    const { mutex } = scene.client();
    let isSilent = false;
    scene.fate = ({ operation }) => {
      if (isSilent) return { kind: "lost" };
      if (operation !== "write") return FINE;
      isSilent = true;
      // A proxy sends a write twice: it is made, and refused.
      return { ...REFUSED, applied };
    };
    const end = await scene.until(
      call(mutex, 2000).catch((error) => error.code),
      60_000,
    );
    expect([applied, end]).toEqual([applied, "store-unavailable"]);
  }
});

it("S1: a caller that comes second each time is told that others have the lock", async () => {
  const scene = new Scene({ roundTripMs: () => 100 });
  let versions = 0;
  const { mutex } = scene.client({
    through: (store) => ({
      read: (key, options) => store.read(key, options),
      remove: (key, etag, options) => store.remove(key, etag, options),
      list: (prefix, options) => store.list(prefix, options),
      write: (key, body, condition, options) => {
        versions += 1;
        const free = { ...JSON.parse(body), holders: [], queue: [], writeId: `other-${versions}` };
        scene.bucket.put(key, JSON.stringify(free));
        return store.write(key, body, condition, options);
      },
    }),
  });
  expect(await scene.until(mutex.tryAcquire(NAME), 60_000)).toBeNull();
  expect(await scene.until(mutex.acquireLock(NAME, 2000), 60_000)).toBe(false);
});
