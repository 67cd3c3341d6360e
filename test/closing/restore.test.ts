import { describe, expect, it } from "vitest";
import type { S3MutexError } from "../../src/index.js";
import { cutOff, NAME, Scene, type Sent } from "../../testkit/scene.js";

/** Makes the text of a lock that was held elsewhere. */
async function handedOver(scene: Scene, leaseMs = 20_000): Promise<string> {
  const lock = await scene.until(scene.client({ lockTimeoutMs: leaseMs }).mutex.acquire(NAME));
  return scene.until(lock.serialize());
}

describe("P18: restore() that meets a close()", () => {
  it("at any moment: it is refused and good for another, or it gives a lock that can be handed over again", async () => {
    const seen = new Set<string>();
    for (let afterMs = 0; afterMs <= 100; afterMs += 2) {
      const scene = new Scene();
      const text = await handedOver(scene);
      const { mutex } = scene.client();
      const restoring = mutex.restore(text).catch((error: S3MutexError) => error);
      await scene.pass(afterMs);
      const closing = mutex.close({ graceMs: 5000 });
      const outcome = await scene.until(restoring);
      let next = text;
      if (outcome instanceof Error) {
        seen.add(outcome.code);
        expect(outcome.code).toBe("closed");
      } else {
        seen.add("restored");
        expect(outcome.held).toBe(true);
        expect(outcome.signal.reason).toMatchObject({ code: "lost", reason: "closed" });
        next = await scene.until(outcome.serialize());
      }
      expect(await scene.until(closing)).toEqual({ leftBehind: [] });
      expect(scene.record()?.holders).toHaveLength(1);
      const last = await scene.until(scene.client().mutex.restore(next));
      expect(last.held).toBe(true);
    }
    expect([...seen].toSorted()).toEqual(["closed", "restored"]);
  });

  it("that gives handles back, at any moment: it is refused, or given back at once", async () => {
    for (let afterMs = 0; afterMs <= 100; afterMs += 2) {
      const scene = new Scene();
      const text = await handedOver(scene);
      const { mutex } = scene.client();
      const restoring = mutex.restore(text).catch((error: S3MutexError) => error);
      await scene.pass(afterMs);
      const startedAtMs = scene.nowMs;
      expect(await scene.until(mutex.close({ handles: "release" }))).toEqual({ leftBehind: [] });
      expect(scene.nowMs - startedAtMs).toBeLessThan(1000);
      const isRefused = (await scene.until(restoring)) instanceof Error;
      expect(scene.record()?.holders).toHaveLength(isRefused ? 1 : 0);
    }
  });

  it("after its write was sent and not answered: it is seen through", async () => {
    const scene = new Scene();
    const text = await handedOver(scene);
    const { mutex, process } = scene.client();
    let losesAnswer = true;
    scene.fate = ({ operation, process: sender }: Sent) => {
      if (sender !== process || operation !== "write" || !losesAnswer) return { kind: "fine" };
      losesAnswer = false;
      return { kind: "error", status: 500, applied: true };
    };
    const restoring = mutex.restore(text);
    await scene.pass(25);
    const closing = mutex.close();
    const lock = await scene.until(restoring);
    expect(lock.held).toBe(true);
    expect(await scene.until(lock.release())).toBe(true);
    expect(await scene.until(closing)).toEqual({ leftBehind: [] });
  });

  it("and a store that is gone: `closed`, in time, and nothing is destroyed afterwards", async () => {
    const scene = new Scene();
    const text = await handedOver(scene, 60_000);
    const { mutex, process } = scene.client();
    scene.fate = ({ operation, process: sender }: Sent) =>
      sender === process && operation === "write" ? { kind: "lost" } : { kind: "fine" };
    const restoring = mutex.restore(text).catch((error: S3MutexError) => error);
    await scene.pass(50);
    const startedAtMs = scene.nowMs;
    scene.fate = cutOff(process);
    await scene.until(mutex.close({ graceMs: 1000 }));
    expect(scene.nowMs - startedAtMs).toBeLessThan(3200);
    expect(await scene.until(restoring)).toMatchObject({ code: "closed" });
    scene.fate = () => ({ kind: "fine" });
    await scene.pass(10_000);
    const last = await scene.until(scene.client().mutex.restore(text));
    expect(last.held).toBe(true);
  });
});
