import { expect } from "vitest";
import { it, until } from "../api/fixture.js";

it("is well when the store answers, with one request", async ({ world }) => {
  const mutex = world.mutex();
  const health = await mutex.health();
  expect(health).toEqual({ ok: true, latencyMs: expect.any(Number), isClockKnown: true, held: [], waiting: [] });
  expect(world.server.requests).toMatchObject({ total: 1, byOperation: { GetObject: 1 } });
});

it("says what is held and waited for, also of locks by name", async ({ world }) => {
  const mutex = world.mutex();
  const lock = await mutex.acquire("by-handle");
  await mutex.acquireLock("by-name");
  const giveUp = new AbortController();
  const waiting = mutex.acquire("by-handle", { signal: giveUp.signal }).catch(() => {});
  await until(async () => (await mutex.health()).waiting.length > 0);
  expect(await mutex.health()).toMatchObject({ held: ["by-handle", "by-name"], waiting: ["by-handle"] });
  giveUp.abort();
  await waiting;
  await lock.release();
  await mutex.releaseLock("by-name");
  expect(await mutex.health()).toMatchObject({ ok: true, held: [], waiting: [] });
});

it("forgets a lock by name when its lease is over", async ({ world }) => {
  const mutex = world.mutex({ lockTimeoutMs: 1500 });
  await mutex.acquireLock("short");
  await until(async () => (await mutex.health()).held.length === 0);
  world.leaves("short");
});

it("is not well when the store refuses, and says what went wrong last", async ({ world }) => {
  const mutex = world.mutex();
  world.server.faults.add({ fault: "status", status: 403 });
  const health = await mutex.health();
  expect(health).toMatchObject({ ok: false, lastError: { code: "access-denied", message: expect.any(String) } });
  expect(health.latencyMs).toBeUndefined();
  expect(Math.abs(Date.now() - (health.lastError?.at ?? 0))).toBeLessThan(60_000);
  world.server.faults.clear();
  expect(await mutex.health()).toMatchObject({ ok: true, lastError: { code: "access-denied" } });
});

it("does not wait for a store that does not answer, nor behind other requests", async ({ world }) => {
  const mutex = world.mutex();
  world.server.faults.add({ fault: "never-answer" });
  const others = Array.from({ length: 60 }, (_, index) => [
    mutex.inspect(`lock-${index}`).catch(() => {}),
    mutex.health({ timeoutMs: 6_000 }),
  ]);
  const startedAtMs = performance.now();
  const first = await Promise.race([mutex.health({ timeoutMs: 100 }), ...others.flat()]);
  expect(first).toMatchObject({ ok: false });
  // The requests ahead of it give up after five seconds.
  expect(performance.now() - startedAtMs).toBeLessThan(4000);
  world.server.faults.clear();
  await mutex.close();
  await Promise.all(others.flat());
});

it("is not well after it was closed, and never rejects", async ({ world }) => {
  const mutex = world.mutex();
  await mutex.close();
  expect(await mutex.health()).toMatchObject({ ok: false, held: [], waiting: [] });
  expect(await world.mutex({ bucketName: "no-bucket" }).health()).toMatchObject({
    ok: false,
    lastError: { code: "no-such-bucket" },
  });
});
