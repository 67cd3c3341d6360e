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

it("has whole milliseconds on the wall clock, also where a finer one takes the place of Date.now", () => {
  const real = Date.now;
  Date.now = () => 1_796_000_000_000.75;
  try {
    expect(realEffects.wallMs()).toBe(1_796_000_000_000);
  } finally {
    Date.now = real;
  }
});
