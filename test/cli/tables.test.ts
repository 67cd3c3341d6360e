import { expect, test } from "vitest";
import { tableLines } from "../../src/cli/table.js";
import { ageText, fitted, printable, widthOf } from "../../src/cli/text.js";

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
  expect(tableLines(COLUMNS, rows, 3, plain)[1]).toBe("nightly…     3s");
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
  [850, "850ms"],
  [41_000, "41s"],
  [192_000, "3m12s"],
  [7_500_000, "2h05m"],
  [274_000_000, "3d04h"],
  [-41_000, "-41s"],
])("%d ms are %s", (ageMs, text) => {
  expect(ageText(ageMs)).toBe(text);
});
