import fc from "fast-check";
import { expect, it } from "vitest";
import "../../test/protocol/arbitraries.js";
import { isCount, isObject, parseJson } from "./json.js";

it("reads JSON, and nothing where it is not JSON: no body makes it throw", () => {
  const anyJson = fc.jsonValue().map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(anyJson, (text) => {
      expect(JSON.stringify(parseJson(text))).toBe(text);
    }),
  );
  for (const body of ["", "{", "{}garbage", "undefined", "NaN", "\uFEFF{}"])
    expect(parseJson(body), body).toBeUndefined();
});

it("counts from 0 to the last number that has no neighbour in disguise", () => {
  for (const count of [0, 1, Number.MAX_SAFE_INTEGER]) expect(isCount(count), String(count)).toBe(true);
  for (const none of [
    -1,
    0.5,
    Number.MAX_SAFE_INTEGER + 1,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    "1",
    null,
    undefined,
    [1],
    {},
  ]) {
    expect(isCount(none), String(none)).toBe(false);
  }
});

it("takes for an object what has fields by name: neither a list, nor null, nor what is not an object at all", () => {
  for (const object of [{}, { a: 1 }]) expect(isObject(object), JSON.stringify(object)).toBe(true);
  for (const none of [[], null, undefined, "{}", 1, true]) expect(isObject(none), String(none)).toBe(false);
});
