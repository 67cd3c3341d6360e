import { expect, it } from "vitest";
import { isUnchanged } from "./key-answers.js";

it.each([
  [304, {}, true],
  [304, { etag: '"1"' }, true],
  [304, { etag: '"2"' }, false],
  [200, { etag: '"1"' }, false],
  [404, {}, false],
])("%i with %o says that what was asked about is unchanged: %s", (status, headers, expected) => {
  expect(isUnchanged(status, { code: undefined, transmission: { headers } }, '"1"')).toBe(expected);
});
