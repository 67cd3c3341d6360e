import { expect, onTestFinished, test, vi } from "vitest";
import { Interruption } from "../../src/cli/run/interruption.js";
import type { S3Mutex } from "../../src/index.js";

const never = new Promise<never>(() => {});
const mutex = { close: () => never } as unknown as S3Mutex;

/** Measures how long work takes, by a clock that the test moves. */
async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  let endedAtMs: number | undefined;
  void work().then(() => {
    endedAtMs = performance.now();
  });
  while (endedAtMs === undefined) await vi.advanceTimersByTimeAsync(100);
  return endedAtMs - startedAtMs;
}

function startClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}

test("giving back and closing take ten seconds together, where the store is silent", async () => {
  startClock();
  const interruption = new Interruption();
  interruption.leave();
  const took = await tookMs(async () => {
    expect(await interruption.tidied(never)).toBeUndefined();
    await interruption.close(mutex);
  });
  expect(took).toBeGreaterThanOrEqual(10_000);
  expect(took).toBeLessThan(10_200);
});

test("where no command has run, closing takes three seconds", async () => {
  startClock();
  expect(await tookMs(() => new Interruption().close(mutex))).toBeLessThan(3200);
});
