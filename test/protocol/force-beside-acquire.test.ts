import { expect, it } from "vitest";
import { NAME, nth, Scene, writesOf } from "./scene.js";

/** What ends holds by force in a process, whose own callers acquire at the same time. */

it.each(["deleteLock", "releaseLock"] as const)(
  "a %s by force spares who was granted the lock since",
  async (method) => {
    const scene = new Scene();
    await scene.until(scene.client().mutex.acquire(NAME));
    const { process, mutex } = scene.client();
    scene.fate = nth(0, writesOf(process), { kind: "answer-lost" });
    const ending = mutex[method](NAME, true);
    await scene.pass(200);
    const lock = await scene.until(mutex.acquire(NAME));
    expect(await scene.until(ending)).toBe(true);
    expect(lock.held).toBe(true);
    await scene.pass(60_000);
    expect(lock.held).toBe(true);
    expect(scene.record()?.holders).toMatchObject([{ token: lock.fencingToken }]);
  },
);

it.each(["deleteLock", "releaseLock"] as const)(
  "a %s by force is felt at once by whoever held it here",
  async (method) => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME));
    expect(await scene.until(mutex[method](NAME, true))).toBe(true);
    expect(lock.held).toBe(false);
  },
);
