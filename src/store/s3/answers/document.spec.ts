import { expect, it } from "vitest";
import { elementOf } from "./document.js";

it.each([
  ["<Key>a b</Key>", "a b"],
  ["<Key> a </Key><Key>b</Key>", " a "],
  ["<Key></Key>", ""],
  ["<Keys>a</Keys>", undefined],
  ["<Key>a<b/></Key>", undefined],
  ["<Key>&lt;&gt;&quot;&apos;&amp;</Key>", "<>\"'&"],
  ["<Key>&amp;lt;</Key>", "&lt;"],
  ["<Key>&#65;&#x1F512;&#X41;</Key>", "A\u{1F512}A"],
  ["<Key>&#x10FFFF;&#x110000;</Key>", "\u{10FFFF}&#x110000;"],
  ["<Key>&LT;&nbsp;&#xFFFFFF;&</Key>", "&LT;&nbsp;&#xFFFFFF;&"],
])("%s has %j", (text, expected) => {
  expect(elementOf(text, "Key")).toBe(expected);
});
