import { expect, test } from "vitest";
import { tableLines } from "../../src/cli/base/table.js";
import { ageText, fitted, printable, printableJson, widthOf } from "../../src/cli/base/text.js";

const COLUMNS = [
  { heading: "NAME", text: ({ name }: Row) => name, canShrink: true },
  { heading: "AGE", text: ({ age }: Row) => age, align: "right" as const },
];
interface Row {
  readonly name: string;
  readonly age: string;
}
const rows = [
  { name: "nightly-report-of-the-sales-team", age: "3s" },
  { name: "a", age: "2h05m" },
];
const plain = (_colour: string, text: string) => text;

test("a table is as wide as it needs to be, and is cut where the terminal is too narrow for it", () => {
  expect(tableLines(COLUMNS, rows, Number.POSITIVE_INFINITY, plain)).toEqual([
    "NAME                                AGE",
    "nightly-report-of-the-sales-team     3s",
    "a                                 2h05m",
  ]);
  expect(tableLines(COLUMNS, rows, 20, plain)).toEqual([
    "NAME             AGE",
    "nightly-repo…     3s",
    "a              2h05m",
  ]);
});

test("some of a name is left on the narrowest of terminals", () => {
  expect(tableLines(COLUMNS, rows, 3, plain)[1]).toBe("ni…     3s");
});

test("what takes up two columns, or none, is counted as such", () => {
  expect(widthOf("日本")).toBe(4);
  expect(widthOf("e\u0301")).toBe(1);
  expect(fitted("日本語", 5)).toBe("日本…");
  expect(fitted("日本語", 6)).toBe("日本語");
});

test("what would draw on the terminal is spelt out", () => {
  expect(printable("a\u001b[2J\u202eb")).toBe("a\\x1b[2J\\u{202e}b");
});

test.each([
  ["\u0000\u001b\u007f\u0085\u009b", "\\x00\\x1b\\x7f\\x85\\x9b"],
  ["\u061c\u200e\u200f\u202a\u202e\u2066\u2069", "\\u{61c}\\u{200e}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}"],
  ["\u00ad\u200b\u200c\u200d\u2060\ufeff\u034f", "\\xad\\u{200b}\\u{200c}\\u{200d}\\u{2060}\\u{feff}\\u{34f}"],
  ["\u{e0001}\u{e0041}\u{e007f}\u{e0100}", "\\u{e0001}\\u{e0041}\\u{e007f}\\u{e0100}"],
  ["a\ufe0fb\ufe01\u180e\u115f\u3164\uffa0", "a\\u{fe0f}b\\u{fe01}\\u{180e}\\u{115f}\\u{3164}\\u{ffa0}"],
  ["\u2028\u2029\ud800", "\\u{2028}\\u{2029}\\u{d800}"],
  // What people write, they may read.
  ["é ñ 日本 שלום ⚠️ 👩‍💻 👍🏽 ❤️‍🔥 e\u0301", "é ñ 日本 שלום ⚠️ 👩‍💻 👍🏽 ❤️‍🔥 e\u0301"],
])("what is invisible, or turns the line around, is spelt out: %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(JSON.parse(printableJson({ text }))).toEqual({ text });
  expect(printable(printableJson({ text }))).toBe(printableJson({ text }));
});

test.each([
  [Number.NaN, "?"],
  [Number.POSITIVE_INFINITY, "100y+"],
  [1e300, "100y+"],
  [Number.NEGATIVE_INFINITY, "-100y+"],
  [850, "850ms"],
  [41_000, "41s"],
  [192_000, "3m12s"],
  [7_500_000, "2h05m"],
  [274_000_000, "3d04h"],
  [-41_000, "-41s"],
])("%d ms are %s", (ageMs, text) => {
  expect(ageText(ageMs)).toBe(text);
});
