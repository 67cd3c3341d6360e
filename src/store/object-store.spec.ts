import { expect, it } from "vitest";
import { isBusy, isComparedAndRefused } from "./object-store.js";

it.each([
  [{ kind: "conflict" }, { isCompared: true, busy: false }],
  // As adapters without a compiler may say it.
  [
    { kind: "conflict", busy: undefined },
    { isCompared: true, busy: false },
  ],
  [
    { kind: "conflict", busy: false },
    { isCompared: true, busy: false },
  ],
  [
    { kind: "conflict", busy: true },
    { isCompared: false, busy: true },
  ],
  [{ kind: "absent" }, { isCompared: false, busy: false }],
] as const)("the condition of %o: %o", (outcome, { isCompared, busy }) => {
  expect({ isCompared: isComparedAndRefused(outcome), busy: isBusy(outcome) }).toEqual({ isCompared, busy });
});
