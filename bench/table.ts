import type { Spread } from "../testkit/statistics.js";
import type { Figure } from "./case.js";
import { shareOfLimit, timesTheAncestor, type Verdict, verdictOf } from "./judge.js";
import type { CaseReport } from "./run-cases.js";

const HEADINGS = [
  "figure",
  "measured",
  "target",
  "",
  "ancestor",
  "times the ancestor",
  "limit",
  "of the limit",
] as const;

const MARKS: Readonly<Record<Verdict, string>> = { reached: "✓", missed: "✗", "no target": "·", "not there": "–" };

/** Lays out everything that was measured for a terminal: case by case, columns aligned over all of them. */
export function textTable(cases: readonly CaseReport[]): string {
  const rows = cases.map((report) => report.figures.map(cellsOf));
  const all = [[...HEADINGS], ...rows.flat()];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  const blocks = cases.map((report, at) => {
    const notes = report.figures.flatMap(({ name, note }) => (note === undefined ? [] : [`    ${name}: ${note}`]));
    const failure = report.failure === undefined ? [] : [`    could not be run: ${report.failure}`];
    return [`\n${heading(report)}`, ...(rows[at] ?? []).map(line), ...notes, ...failure].join("\n");
  });
  return [line(HEADINGS), ...blocks].join("\n");
}

/** Lays out the same for a page: one table, each row with the command that measures it. */
export function markdownTable(cases: readonly CaseReport[]): string {
  const headings = ["case", ...HEADINGS];
  const rows = cases.flatMap((report) => [
    ...report.figures.map((figure, at) => [
      at === 0 ? `**${report.title}**<br>\`${commandOf(report)}\`` : "",
      ...cellsOf(figure),
    ]),
    ...(report.failure === undefined ? [] : [[`**${report.title}**<br>\`${commandOf(report)}\``, "could not be run"]]),
  ]);
  const line = (cells: readonly string[]) => `| ${headings.map((_, at) => escaped(cells[at] ?? "")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

function heading({ issue, title, seconds }: CaseReport): string {
  return `${title} (issue ${issue}, ${seconds.toFixed(0)} s)`;
}

function commandOf({ name }: CaseReport): string {
  return `npm run bench -- ${name}`;
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

function cellsOf(figure: Figure): string[] {
  const { name, unit, measured, ancestor, limit } = figure;
  const times = timesTheAncestor(figure);
  const share = shareOfLimit(figure);
  return [
    name,
    measured === undefined ? "not there yet" : spreadText(measured, unit),
    targetText(figure),
    MARKS[verdictOf(figure)],
    ancestor === undefined ? "" : valueText(ancestor.median, unit),
    times === undefined ? "" : `${numberText(times)}x`,
    limit === undefined ? "" : valueText(limit.median, unit),
    share === undefined ? "" : numberText(share),
  ];
}

function targetText({ target, unit }: Figure): string {
  if (target === undefined) return "";
  return target.words ?? `${target.is} ${valueText(target.value, unit)}`;
}

function spreadText({ median, low, high, count }: Spread, unit: string): string {
  if (count === 1 || low === high) return valueText(median, unit);
  return `${valueText(median, unit)} (${numberText(low)} to ${numberText(high)})`;
}

function valueText(value: number, unit: string): string {
  return unit === "" ? numberText(value) : `${numberText(value)} ${unit}`;
}

/** Rounds a number: three digits are all that a measurement on a shared machine is worth. */
function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)));
}
