import { describe, expect, it } from "vitest";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { Scene, type Sent } from "../../testkit/scene.js";

/**
 * A close with a short grace that comes while a lock is held and no function of the caller runs under it: `runOnce` looks what is
 * remembered, or remembers what its function has returned, and `forget` forgets.
 */

const ROUND_TRIP_MS = 40;
const LOCK_KEY = "locks/once/job.json";

interface Call {
  readonly kind: string;
  readonly isDone: boolean;
  readonly ask: (mutex: S3Mutex, run: () => unknown) => Promise<unknown>;
}

const CALLS: readonly Call[] = [
  { kind: "runOnce", isDone: false, ask: (mutex, run) => mutex.runOnce("job", run) },
  { kind: "forget", isDone: true, ask: (mutex) => mutex.forget("job") },
];

async function sceneFor({ isDone }: Call) {
  const scene = new Scene({ roundTripMs: () => ROUND_TRIP_MS });
  if (isDone) await scene.until(scene.client().mutex.runOnce("job", () => 1));
  const client = scene.client();
  const granted = new Promise<void>((resolve) => client.mutex.on("acquired", () => resolve()));
  return { scene, ...client, granted };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    (error) => error.code as string,
  );

describe.each(CALLS)("$kind before its function, or without one", (call) => {
  it.each([0, 60, 100, 200])(
    "a grace of %i ms leaves nothing behind, and the next caller does not wait",
    async (graceMs) => {
      for (let afterMs = 0; afterMs <= 4 * ROUND_TRIP_MS; afterMs += 20) {
        const { scene, mutex, granted } = await sceneFor(call);
        let runs = 0;
        const code = codeOf(
          call.ask(mutex, () => {
            runs += 1;
          }),
        );
        await scene.until(granted);
        await scene.pass(afterMs);
        const closedAtMs = scene.nowMs;
        const { leftBehind } = await scene.until(mutex.close({ graceMs }));
        expect(leftBehind).toEqual([]);
        expect(scene.nowMs - closedAtMs).toBeLessThan(500);
        const ended = await scene.until(code);
        expect(ended === "done" || runs === 0).toBe(true);
        expect(["done", "closed"]).toContain(ended);
        expect(scene.record(LOCK_KEY)?.holders ?? []).toEqual([]);
        const askedAtMs = scene.nowMs;
        await scene.until(scene.client().mutex.acquire("once/job"));
        expect(scene.nowMs - askedAtMs).toBeLessThan(500);
        expect(scene.problems.filter((problem) => !problem.startsWith("once/"))).toEqual([]);
      }
    },
  );

  it("of a store that does not answer, it ends two seconds after the grace, and says that nothing ran", async () => {
    const { scene, mutex, process, granted } = await sceneFor(call);
    const code = codeOf(call.ask(mutex, () => {}));
    await scene.until(granted);
    scene.fate = (request) => (request.process === process ? { kind: "lost" } : { kind: "fine" });
    await scene.pass(1);
    const closedAtMs = scene.nowMs;
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 100 }));
    expect(scene.nowMs - closedAtMs).toBeLessThan(2500);
    expect(leftBehind).toMatchObject([{ lockName: "once/job", kind: "release" }]);
    expect(await scene.until(code)).toBe("closed");
  });
});

describe("runOnce whose function runs", () => {
  it("is left to run out when the grace is over, as a callback", async () => {
    const scene = new Scene({ roundTripMs: () => ROUND_TRIP_MS });
    const { mutex } = scene.client();
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const running = codeOf(
      mutex.runOnce("job", async () => {
        begun();
        await scene.world.sleep(10_000);
      }),
    );
    await scene.until(hasBegun);
    const { leftBehind } = await scene.until(mutex.close({ graceMs: 100 }));
    expect(leftBehind).toMatchObject([{ lockName: "once/job", kind: "callback" }]);
    expect(await scene.until(running)).toBe("lost");
    expect(scene.record(LOCK_KEY)?.holders).toHaveLength(1);
  });

  it("and that has ended: what it returned is remembered under the lock, and the lock is given back", async () => {
    for (let laterMs = 0; laterMs <= 2 * ROUND_TRIP_MS; laterMs += 10) {
      const scene = new Scene({ roundTripMs: () => ROUND_TRIP_MS });
      const { mutex } = scene.client();
      let end = () => {};
      const hasEnded = new Promise<void>((resolve) => {
        end = resolve;
      });
      const holders: (number | undefined)[] = [];
      const watch = ({ operation, key }: Sent) => {
        if (operation === "write" && key.startsWith("once/")) holders.push(scene.record(LOCK_KEY)?.holders.length);
        return { kind: "fine" as const };
      };
      scene.fate = watch;
      const result = mutex.runOnce("job", () => {
        end();
        return "result";
      });
      await scene.until(hasEnded);
      await scene.pass(laterMs);
      const { leftBehind } = await scene.until(mutex.close({ graceMs: 0 }));
      expect(leftBehind).toEqual([]);
      expect(await scene.until(result)).toEqual({ ran: true, result: "result" });
      expect(holders.at(-1)).toBe(1);
      expect(scene.record(LOCK_KEY)?.holders ?? []).toEqual([]);
      expect(await scene.until(scene.client().mutex.runOnce("job", () => "again"))).toEqual({
        ran: false,
        result: "result",
      });
    }
  });

  it("and asks for the end itself is not waited for by its own close", async () => {
    const scene = new Scene({ roundTripMs: () => ROUND_TRIP_MS });
    const { mutex } = scene.client();
    const result = mutex.runOnce("job", async () => (await mutex.close({ graceMs: 0 })).leftBehind.length);
    expect(await scene.until(result)).toEqual({ ran: true, result: 0 });
    expect(await scene.until(mutex.close())).toEqual({ leftBehind: [] });
  });

  it("and whose answers do not come does not keep the lock of a function that asks for the end and returns", async () => {
    const scene = new Scene({ roundTripMs: () => ROUND_TRIP_MS });
    const { mutex } = scene.client();
    let ask = () => {};
    const mayAsk = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const asking = codeOf(
      mutex.withLock("a", async () => {
        await mayAsk;
        await mutex.close({ graceMs: 100 });
      }),
    );
    const running = codeOf(mutex.runOnce("job", () => "result"));
    scene.fate = ({ operation, key }) => {
      const isResult = operation === "write" && key.startsWith("once/");
      if (isResult) ask();
      return isResult ? { kind: "lost" } : { kind: "fine" };
    };
    expect(await scene.until(asking)).toBe("done");
    expect(scene.record("locks/a.json")?.holders ?? []).toEqual([]);
    expect(await scene.until(running)).toBe("closed");
  });
});
