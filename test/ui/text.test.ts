import { expect, test } from "vitest";
import { durationText, fullText, numberText, spanText, visible, whoText } from "../../src/cli/ui/page/base/text.js";

test.each([
  [-5, "0 s"],
  [59_999, "59 s"],
  [65_000, "1 min 05 s"],
  [3_600_000, "1 h 00 min"],
  [90_061_000, "1 d 1 h"],
  [Number.NaN, "?"],
  [Number.POSITIVE_INFINITY, "100 y+"],
  [1e300, "100 y+"],
])("%d ms are %s", (durationMs, text) => {
  expect(durationText(durationMs)).toBe(text);
});

test("the past is told more exactly", () => {
  expect([spanText(7), spanText(1234), spanText(9960), spanText(61_000)]).toEqual([
    "7 ms",
    "1.2 s",
    "9 s",
    "1 min 01 s",
  ]);
});

test.each([
  [0, "0"],
  [0.25, "0.3"],
  [12.6, "13"],
  [1000, "1,000"],
])("%d is %s", (value, text) => {
  expect(numberText(value)).toBe(text);
});

test.each([
  ["orders/4711 ü 日本 🔒", "orders/4711 ü 日本 🔒"],
  ["a\u202egnp.exe", "a\\u{202e}gnp.exe"],
  ["two\nlines\u0000", "two\\u{a}lines\\u{0}"],
  ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
  ["soft\u00adhyphen\u061c\u{e0041}\ufe0f", "soft\\u{ad}hyphen\\u{61c}\\u{e0041}\\u{fe0f}"],
  ["half \ud800", "half \\u{d800}"],
  ["<b>", "<b>"],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("who a party is: what people gave a name, and where it runs", () => {
  const party = { id: "1", owner: "o-1", host: "web-1", pid: 7 };
  expect([whoText(party), fullText(party)]).toEqual(["web-1:7", "web-1:7"]);
  expect([whoText({ ...party, label: "import" }), fullText({ ...party, label: "import" })]).toEqual([
    "import",
    "import · web-1:7",
  ]);
  expect(whoText({ id: "1", owner: "o\u202e" })).toBe("o\\u{202e}");
});
