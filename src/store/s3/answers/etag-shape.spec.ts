import { expect, it } from "vitest";
import { asTaken, haveOneCore, inForm, shapeOf, strongEtag, unsafe } from "./etag-shape.js";

it.each([
  ['"abc"', "abc", ""],
  ['W/"abc"', "abc", "weak"],
  ['w/"abc"', "abc", "weak"],
  ["abc", "abc", "without quotes"],
  ["W/abc", "abc", "weak, without quotes"],
  ['"abc-gzip"', "abc", "-gzip"],
  ['"abc--GZIP"', "abc", "--GZIP"],
  ['W/"abc;br"', "abc", "weak, ;br"],
  ["abc:zstd", "abc", "without quotes, :zstd"],
  ['"abc-gzip-2"', "abc-gzip-2", ""],
  ['"abcgzip"', "abcgzip", ""],
  ['"aW/bc"', "aW/bc", ""],
  ['"', '"', "without quotes"],
  ['"abc', '"abc', "without quotes"],
  ['abc"', 'abc"', "without quotes"],
  ['""', "", ""],
])("takes %s apart", (etag, core, shape) => {
  expect(shapeOf(etag)).toEqual({ core, shape });
});

it("knows a version under any shape, by what is taken where another is shown", () => {
  for (const etag of ['"abc"', 'W/"abc"', '"abc-gzip"', "abc"]) expect(asTaken(etag, "")).toBe('"abc"');
  expect(asTaken('W/"abc"', "weak")).toBe('W/"abc"');
  expect(asTaken('W/"abc-gzip"', "weak")).toBe('"abc"');
  expect(haveOneCore('W/"abc-gzip"', '"abc"')).toBe(true);
  expect(haveOneCore('"abc"', '"abd"')).toBe(false);
});

it("sends an ETag as it was returned, or without what is around it", () => {
  expect(strongEtag("abc")).toBe('"abc"');
  expect(inForm("as-returned", 'W/"abc"')).toBe('W/"abc"');
  expect(inForm("unquoted", '"abc"')).toBe("abc");
  expect(inForm("unquoted", 'W/"abc"')).toBe("abc");
  expect(inForm("unquoted", 'xW/"abc"y')).toBe('xW/"abc"y');
  expect(inForm("unquoted", 'x"abc"')).toBe('x"abc"');
  expect(inForm("unquoted", '"abc"y')).toBe('"abc"y');
});

it("says of a store what is wrong with it, and what to do", () => {
  expect(unsafe("it forgets")).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
  expect(unsafe("it forgets").error.message).toBe(
    "This store cannot hold locks: it forgets. Use one whose conditional writes work (s3-mutex doctor).",
  );
});
