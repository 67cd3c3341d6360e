import { expect, test } from "vitest";
import { longestMs } from "./thoroughness.js";

test("an examination of many rounds has the time that they take; fewer do not make it shorter", () => {
  expect(longestMs(undefined)).toBe(100_000);
  expect(longestMs(1)).toBe(100_000);
  // The help of \`doctor\` says ten minutes or so of as many.
  expect(longestMs(20_000)).toBeGreaterThan(1_200_000);
});
