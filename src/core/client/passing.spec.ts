import { expect, it } from "vitest";
import { leftInDoubt, NOT_PASSED, type Passing, passingOn } from "./passing.js";

/** The next write is made while these wait, in the order in which they are served. */
function madeFor(before: Passing<string>, ...waiting: readonly string[]): Passing<string> {
  return passingOn(
    before,
    (caller) => {
      expect(caller).toBeDefined();
      return waiting.includes(caller);
    },
    () => waiting[0],
  );
}

it("is a plain release where none of the process waits, of which none is in doubt", () => {
  expect(madeFor(NOT_PASSED)).toEqual({ to: undefined, tried: [] });
  expect(leftInDoubt(madeFor(NOT_PASSED), true)).toEqual([]);
});

it("is for the first in line", () => {
  expect(madeFor(NOT_PASSED, "first", "second")).toEqual({ to: "first", tried: ["first"] });
});

it("stays for whom it was tried with first, also where another comes before", () => {
  const tried = madeFor(NOT_PASSED, "first");
  expect(madeFor(tried, "urgent", "first")).toEqual({ to: "first", tried: ["first"] });
});

it("is for the next where that one does not wait any more, or for none", () => {
  const tried = madeFor(NOT_PASSED, "first");
  expect(madeFor(tried, "second")).toEqual({ to: "second", tried: ["first", "second"] });
  expect(madeFor(tried)).toEqual({ to: undefined, tried: ["first"] });
});

it("may come back to one that it was tried with before", () => {
  const tried = madeFor(madeFor(NOT_PASSED, "first"), "second");
  expect(madeFor(tried, "first")).toEqual({ to: "first", tried: ["first", "second"] });
});

it("leaves all in doubt but the one that an answered write was for", () => {
  const tried = madeFor(madeFor(NOT_PASSED, "first"), "second");
  expect(leftInDoubt(tried, true)).toEqual(["first"]);
  expect(leftInDoubt(tried, false)).toEqual(["first", "second"]);
  expect(leftInDoubt(madeFor(tried), true)).toEqual(["first", "second"]);
});
