import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";

/** What docs/guide/locks.md recommends for what has to run. */
const TIMEOUT_MS = 120_000;

it("P20: a worker that is restarted at once is told that nothing ran, and runs if it waits for as long as recommended", async () => {
  const scene = new Scene();
  const dying = scene.client();
  await scene.until(dying.mutex.acquire(NAME));
  dying.process.kill();
  const { mutex } = scene.client();
  const startedMs = scene.nowMs;
  expect(await scene.until(mutex.withLock(NAME, () => "ran"))).toBeNull();
  expect(scene.nowMs - startedMs).toBeLessThan(7000);
  const waiting = mutex.withLock(NAME, () => "ran", { timeoutMs: TIMEOUT_MS });
  expect(await scene.until(waiting, TIMEOUT_MS)).toBe("ran");
  expect(scene.nowMs - startedMs).toBeGreaterThan(60_000);
});
