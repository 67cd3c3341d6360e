import { describe, expect } from "vitest";
import { codeOf, errorOf, it } from "./fixture.js";

const LOCK = "resource";

/** Gives the error that a call ends with, and after how many milliseconds. */
async function elapsed(call: () => Promise<unknown>) {
  const startedAtMs = performance.now();
  const { code, message } = await errorOf(call());
  return { code, message, ms: performance.now() - startedAtMs };
}

describe.concurrent("a store whose conflicts never clear", () => {
  it.for([412, 409] as const)("S1: ends every call: %i to every PUT", async (status, { world }) => {
    world.leaves(LOCK, "held");
    const [mutex, holder] = [world.mutex(), world.mutex({ lockTimeoutMs: 60_000 })];
    const lock = await holder.acquire("held");
    world.server.faults.add({ fault: "status", status, operation: "PutObject" });
    const timed = await elapsed(() => mutex.acquire(LOCK, { timeoutMs: 4000 }));
    expect(timed.code).toMatch(/store-un/);
    expect(timed.ms).toBeLessThan(6000);
    expect(await codeOf(mutex.tryAcquire(LOCK))).toMatch(/store-un/);
    expect(await codeOf(lock.renew())).toBe("store-unsafe");
    expect(await codeOf(mutex.releaseLock("held", true))).toBe("store-unsafe");
    expect(await codeOf(mutex.deleteLock("held", true))).toBe("store-unsafe");
    world.server.faults.clear();
    expect(await lock.release()).toBe(true);
  });

  it("S1: is named together with what was seen", async ({ world }) => {
    world.server.faults.add({ fault: "status", status: 412, operation: "PutObject" });
    const error = await errorOf(world.mutex().acquire(LOCK));
    expect(error.code).toBe("store-unsafe");
    expect(error.message).toMatch(/contradicts itself.*If-None-Match.*there is none.*delete marker.*doctor/);
  });
});

describe.concurrent("credentials that never come", () => {
  const hanging = { credentials: () => new Promise<never>(() => {}) };

  it("S6: do not outlast the time-out", async ({ world }) => {
    const mutex = world.mutex({ s3Client: world.client(hanging) });
    const { code, message, ms } = await elapsed(() => mutex.acquire(LOCK, { timeoutMs: 2000 }));
    expect(code).toBe("store-unavailable");
    expect(message).toContain("wait for credentials");
    expect(ms).toBeLessThan(3500);
  });

  it("S6: nor where the store is to be examined first", async ({ world }) => {
    const mutex = world.mutex({ s3Client: world.client(hanging), verify: "once" });
    const { code, ms } = await elapsed(() => mutex.acquire(LOCK, { timeoutMs: 2000 }));
    expect(code).toBe("store-unavailable");
    expect(ms).toBeLessThan(3500);
  });

  it("S6: an examination that gets no answer does not outlast it either, and nothing is sent afterwards", async ({
    world,
  }) => {
    world.server.faults.add({ fault: "never-answer", key: /\.s3-mutex/ });
    const mutex = world.mutex({ verify: "once" });
    const { code, ms } = await elapsed(() => mutex.acquire(LOCK, { timeoutMs: 1500 }));
    expect(code).toBe("store-unavailable");
    expect(ms).toBeLessThan(3000);
  });
});
