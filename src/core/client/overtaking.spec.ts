import { expect, it } from "vitest";
import { decidedOn, isOvertaken, NOTHING_REFUSED, refusedOnce } from "./overtaking.js";

type Version = { readonly writeId?: string | undefined } | undefined;
const version = (writeId: string | undefined): Version => ({ writeId });
const isOwn = (writeId: string) => writeId === "own";

/** What a refused write over `before`, and then a read of `after`, say. */
function shown(before: Version, after: Version, isOfThisCall = true) {
  expect(isOvertaken(NOTHING_REFUSED, before, isOwn)).toBe(false);
  const refused = refusedOnce(decidedOn(before, isOfThisCall));
  return [isOvertaken(refused, after, isOwn), isOvertaken(decidedOn(after, true), version("later"), isOwn)];
}

it("takes a version that another caller wrote for what came first, once", () => {
  expect(shown(version("old"), version("theirs"))).toEqual([true, false]);
  expect(shown(undefined, version("theirs"))).toEqual([true, false]);
  expect(shown(version("old"), undefined)).toEqual([true, false]);
  expect(shown(version("old"), version(undefined))).toEqual([true, false]);
});

it("takes neither the version that was refused nor one of its own for that", () => {
  expect(shown(version("old"), version("old"))).toEqual([false, false]);
  expect(shown(undefined, undefined)).toEqual([false, false]);
  expect(shown(version("old"), version("own"))).toEqual([false, false]);
});

it("says nothing by a version that was known before the call", () => {
  expect(shown(version("old"), version("theirs"), false)).toEqual([false, false]);
});

it("a second refusal is about the same version as the first, until another decision", () => {
  const twice = refusedOnce(refusedOnce(decidedOn(version("old"), true)));
  expect(isOvertaken(twice, version("old"), isOwn)).toBe(false);
  expect(isOvertaken(twice, version("theirs"), isOwn)).toBe(true);
});
