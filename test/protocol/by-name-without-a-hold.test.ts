import { expect, it } from "vitest";
import { createTestMutex } from "../../src/testing/index.js";

const LONGEST_MS = 10_000;

it.each([60_000, 3_600_000])(
  "over a silent store, what is called by a name that has no hold here ends in 10 s, with a lease of %i ms",
  async (lockTimeoutMs) => {
    const { clock, mutex, store } = await createTestMutex({ roundTripMs: 20, lockTimeoutMs });
    store.faults.add({ fault: "never-answer" });
    const calls = {
      release: () => mutex.releaseLock("never-had"),
      refresh: () => mutex.refreshLock("never-had"),
      "release after an acquireLock that failed": () => mutex.releaseLock("failed"),
    };
    const failed = mutex.acquireLock("failed", 3000).catch((error) => error.code);
    expect(await clock.runUntil(failed)).toBe("store-unavailable");
    for (const call of Object.values(calls)) {
      const startedAtMs = clock.nowMs;
      const end = call().then(String, (error) => error.code);
      expect(["store-unavailable", "false"]).toContain(await clock.runUntil(end, { limitMs: 4_000_000 }));
      expect(clock.nowMs - startedAtMs).toBeLessThanOrEqual(LONGEST_MS + 10);
    }
  },
);
