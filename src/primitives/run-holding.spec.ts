import { expect, it } from "vitest";
import { HeldLock } from "./lock.js";
import { runGuarded } from "./run-holding.js";

it("a nested handle that was given back while the clocks disagree about its lock ends the call at once", async () => {
  let asked = 0;
  const doubt = {
    // So that a call that goes on asking comes to an end all the same.
    get exists() {
      asked += 1;
      return asked < 1000;
    },
    settled: async () => {},
  };
  const root = { doubt, standing: { wasClosed: false, noteUnused: () => {} } };
  const lost = new Error("released");
  const hold = { root, isHeld: false, loss: undefined, release: async () => true, assertHeld: () => fail(lost) };
  const lock = new HeldLock({ name: "job" }, hold as never, { onRelease: () => {} } as never);
  await lock.release();
  let ran = false;
  await expect(runGuarded(lock, () => (ran = true))).rejects.toBe(lost);
  expect([ran, asked]).toEqual([false, 0]);
});

function fail(error: Error): never {
  throw error;
}
