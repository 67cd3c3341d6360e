import { expect, it } from "vitest";
import { isAnythingLeft, mustChange, type Remains } from "./leftovers.js";

it.each<[Remains["entry"], boolean, { readonly isLeft: boolean; readonly must: boolean }]>([
  ["none", false, { isLeft: false, must: false }],
  ["none", true, { isLeft: true, must: true }],
  ["possible", false, { isLeft: true, must: false }],
  ["possible", true, { isLeft: true, must: true }],
  ["listed", false, { isLeft: true, must: true }],
  ["listed", true, { isLeft: true, must: true }],
])("an entry that is %s and a write that may land (%s) come to %o", (entry, hasUnresolved, { isLeft, must }) => {
  expect(isAnythingLeft({ entry, hasUnresolved })).toBe(isLeft);
  expect(mustChange({ entry, hasUnresolved })).toBe(must);
});
