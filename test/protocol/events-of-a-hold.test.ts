import { expect, it } from "vitest";
import { NAME, Scene } from "../../testkit/scene.js";

/** Tests what a listener finds when it is told: the simulation's `events` looks at the order of all of them. */

it("a listener of `lost` finds the lock not held, whatever its clock says, and the signal aborted", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 30_000 });
  const lock = await scene.until(mutex.acquire(NAME));
  const found: unknown[] = [];
  mutex.on("lost", ({ reason }) => found.push({ reason, held: lock.held, aborted: lock.signal.aborted }));
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  await scene.pass(12_000);
  expect(found).toEqual([{ reason: "force-released", held: false, aborted: true }]);
});
