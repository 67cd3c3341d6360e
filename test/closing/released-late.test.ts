import { describe, expect, it } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import { cutOff, NAME, Scene } from "../../testkit/scene.js";

/** A release that a close did not wait for is false, whenever it was asked for: nothing is sent any more, and the lease runs out. */

interface Released {
  release(): Promise<unknown>;
}

const KINDS: readonly (readonly [string, (mutex: S3Mutex) => Promise<Released>])[] = [
  ["a handle", (mutex) => mutex.acquire(NAME)],
  ["a set", (mutex) => mutex.acquireAll(["a", NAME])],
  ["a permit", (mutex) => mutex.semaphore("pool", { permits: 2 }).acquire()],
  ["a lead", (mutex) => mutex.election(NAME).campaign()],
  [
    "a lead, by resign()",
    async (mutex) => {
      const election = mutex.election(NAME);
      await election.campaign();
      return { release: () => election.resign() };
    },
  ],
];

async function heldOverSilence(take: (mutex: S3Mutex) => Promise<Released>) {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const held = await scene.until(take(mutex));
  scene.fate = cutOff(process);
  return { scene, mutex, process, held };
}

describe.each(KINDS)("the release of %s that the store does not answer", (_, take) => {
  it("is false where close() asked for it, and it is released once more later", async () => {
    const { scene, mutex, process, held } = await heldOverSilence(take);
    const { leftBehind } = await scene.until(mutex.close({ handles: "release", graceMs: 300 }));
    expect(leftBehind[0]?.kind).toBe("release");
    const sent = scene.requestsOf(process).length;
    expect(await scene.until(held.release())).toBe(false);
    expect(await scene.until(held.release())).toBe(false);
    expect(scene.requestsOf(process)).toHaveLength(sent);
  });

  it("is false where it was under way when the mutex was closed, and stays false", async () => {
    const { scene, mutex, held } = await heldOverSilence(take);
    const releasing = held.release();
    await scene.until(mutex.close({ graceMs: 300 }));
    expect(await scene.until(releasing)).toBe(false);
    expect(await scene.until(held.release())).toBe(false);
  });
});

it("a release that the store has refused, and that is asked for again after close(), is false", async () => {
  const { scene, mutex, held } = await heldOverSilence((mutex) => mutex.acquire(NAME, { leaseMs: 3000 }));
  await expect(scene.until(held.release())).rejects.toMatchObject({ code: "store-unavailable" });
  await scene.until(mutex.close({ graceMs: 300 }));
  expect(await scene.until(held.release())).toBe(false);
});
