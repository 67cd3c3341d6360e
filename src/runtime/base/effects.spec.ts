import { expect, it } from "vitest";
import { realEffects } from "./effects.js";

it("asks for no timer that Node would warn of: not for one in the past, nor for one further ahead than it can", () => {
  const real = globalThis.setTimeout;
  const asked: unknown[] = [];
  globalThis.setTimeout = ((callback: () => void, delayMs?: number) => {
    asked.push(delayMs);
    return real(callback, delayMs);
  }) as typeof setTimeout;
  try {
    for (const delayMs of [-0.03, -1e9, 0, 5, Number.POSITIVE_INFINITY]) {
      realEffects.setTimer(delayMs, () => {}, { keepAlive: false })();
    }
  } finally {
    globalThis.setTimeout = real;
  }
  expect(asked).toEqual([0, 0, 0, 5, 2 ** 31 - 1]);
});
