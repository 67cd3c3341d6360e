import { expect, it } from "vitest";
import { isSameEtag, isSameVersion } from "./snapshot.js";

it.each([
  ['"a"', '"a"', true],
  ['W/"a"', '"a"', true],
  ['"a"', 'W/"a"', true],
  ["a", '"a"', true],
  ['W/"a"', "a", true],
  ['"a"', '"b"', false],
  ['"a"', undefined, false],
  [undefined, undefined, true],
])("an ETag in another form is the same, and another one is not: %s and %s", (one, other, isSame) => {
  expect(isSameEtag(one, other)).toBe(isSame);
});

it("a version is told by its write where there is one, and by ETag or body where 1.x has written", () => {
  const landedAtMs = 5;
  const version = { writeId: "w1", etag: '"a"', body: "{}", landedAtMs };
  expect(isSameVersion(version, { ...version, etag: '"b"' })).toBe(true);
  expect(isSameVersion(version, { ...version, writeId: "w2" })).toBe(false);
  const of1x = { writeId: undefined, etag: '"a"', body: "{}", landedAtMs };
  expect(isSameVersion(of1x, { ...of1x, etag: 'W/"a"', body: "other" })).toBe(true);
  expect(isSameVersion(of1x, { ...of1x, etag: '"b"' })).toBe(true);
  expect(isSameVersion(of1x, { ...of1x, etag: '"b"', landedAtMs: 6 })).toBe(false);
});
