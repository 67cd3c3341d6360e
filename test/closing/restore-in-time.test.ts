import { expect, it } from "vitest";
import { createTestMutex } from "../../src/testing/index.js";

it.each([
  [6000, 4200],
  [15_000, 10_500],
  [15_000, 4000],
])(
  "restore() ends with the lease, or before, where each write lands late: lease %i ms, %i ms late",
  async (leaseMs, delayMs) => {
    const world = await createTestMutex({ roundTripMs: 20, lockTimeoutMs: leaseMs, verify: "never" });
    const { clock, mutex, store } = world;
    const lock = await clock.runUntil(mutex.acquire("a"));
    const text = await clock.runUntil(lock.serialize());
    store.faults.add({ fault: "delay-apply", delayMs, operation: "PutObject" });
    const startedAtMs = clock.nowMs;
    const end = await clock.runUntil(
      world
        .another()
        .mutex.restore(text)
        .then(
          ({ held }) => held,
          (error) => error.code,
        ),
      { limitMs: 300_000 },
    );
    expect(clock.nowMs - startedAtMs).toBeLessThanOrEqual(leaseMs + 100);
    expect([true, "store-unavailable"]).toContain(end);
  },
);
