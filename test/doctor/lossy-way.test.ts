import { expect, onTestFinished, test } from "vitest";
import { Random } from "../../src/testing/virtual/random.js";
import { examined } from "./examine.js";

/** Numbers from 0 to 1: below 0.15, and this answer is lost. */
const WAYS = {
  "of draw 7": () => {
    const random = new Random(7);
    return () => random.number();
  },
  "of draw 11": () => {
    const random = new Random(11);
    return () => random.number();
  },
  "that loses every third": () => {
    let answers = 0;
    return () => {
      answers += 1;
      return answers % 3 === 0 ? 0 : 1;
    };
  },
};

test.each(Object.entries(WAYS))(
  "a store on whose way answers to writes are lost is not condemned for that (a way %s)",
  { timeout: 60_000 },
  async (_, numbersOf) => {
    const random = numbersOf();
    const { report } = await examined({ onTestFinished }, {}, ({ faults }) => {
      faults.add({ fault: "lose-response", operation: "PutObject", probability: 0.15, random });
    });
    expect(report.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(report.checks.find(({ id }) => id === "errors")).toMatchObject({ verdict: "warn" });
  },
);
