import { expect, onTestFinished, test } from "vitest";
import { examined } from "./examine.js";

/** The same draws each time. */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each([7, 11])(
  "a store on whose way every seventh answer to a write is lost is not condemned for that (draw %i)",
  { timeout: 60_000 },
  async (seed) => {
    const { report } = await examined({ onTestFinished }, {}, ({ faults }) => {
      faults.add({ fault: "lose-response", operation: "PutObject", probability: 0.15, random: drawn(seed) });
    });
    expect(report.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(report.checks.find(({ id }) => id === "errors")).toMatchObject({ verdict: "warn" });
  },
);
