import { expect, it } from "vitest";
import { KEY, NAME, Scene } from "../../testkit/scene.js";

/** An answer tells how things were when it was given: who hears it late, since the process stood still, does not judge it by now. */

const LEASE_MS = 6000;

/** Plays a holder that renews, and a process that freezes with an answer on its way, until after the lease that it was told of. */
async function playFrozenQuestion<T>(ask: (scene: Scene, mutex: ReturnType<Scene["client"]>["mutex"]) => Promise<T>) {
  const scene = new Scene();
  const { mutex: holder } = scene.client({ lockTimeoutMs: LEASE_MS });
  const lock = await scene.until(holder.acquire(NAME));
  const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS });
  // It knows the store's time before.
  await scene.until(mutex.inspect("another"));
  const asked = ask(scene, mutex);
  await scene.pass(12);
  process.freeze(LEASE_MS + 2000, false);
  const answer = await scene.until(asked);
  expect(lock.held).toBe(true);
  await scene.until(lock.release());
  expect(scene.problems).toEqual([]);
  return answer;
}

it("isLocked is not false for a lock that was held, and renewed, all the while", async () => {
  expect(await playFrozenQuestion((_, mutex) => mutex.isLocked(NAME))).toBe(true);
});

it("isOwnedByUs is judged by now: no caller is told that it owns what has run out while the answer was on its way", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client({ lockTimeoutMs: LEASE_MS });
  await scene.until(mutex.acquireLock(NAME));
  const asked = mutex.isOwnedByUs(NAME);
  await scene.pass(12);
  process.freeze(LEASE_MS + 200, false);
  expect(await scene.until(asked)).toBe(false);
});

it("inspect shows a holder, not an expired one", async () => {
  const report = await playFrozenQuestion((_, mutex) => mutex.inspect(NAME));
  expect(report).toMatchObject({ key: KEY, state: "held" });
});

it("an election's leader is not null", async () => {
  const leader = await playFrozenQuestion((_, mutex) => mutex.election(NAME).leader());
  expect(leader).toMatchObject({ isSelf: false });
});
