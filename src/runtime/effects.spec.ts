import { expect, it, vi } from "vitest";
import { realEffects } from "./effects.js";

it("asks for no timer that Node would warn of: not for one in the past, nor for one further ahead than it can", () => {
  const spy = vi.spyOn(globalThis, "setTimeout");
  try {
    for (const delayMs of [-0.03, -1e9, 0, 5, Number.POSITIVE_INFINITY]) {
      realEffects.setTimer(delayMs, () => {}, { keepAlive: false })();
    }
    expect(spy.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0, 0, 0, 5, 2 ** 31 - 1]);
  } finally {
    spy.mockRestore();
  }
});
