import { expect, onTestFinished, test } from "vitest";
import { Random } from "../../src/testing/virtual/random.js";
import { examined } from "./examine.js";

test.each([7, 11])(
  "a store on whose way every seventh answer to a write is lost is not condemned for that (draw %i)",
  { timeout: 60_000 },
  async (seed) => {
    const random = new Random(seed);
    const { report } = await examined({ onTestFinished }, {}, ({ faults }) => {
      faults.add({ fault: "lose-response", operation: "PutObject", probability: 0.15, random: () => random.number() });
    });
    expect(report.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(report.checks.find(({ id }) => id === "errors")).toMatchObject({ verdict: "warn" });
  },
);
