import { readFileSync, writeFileSync } from "node:fs";
import { median } from "../../testkit/statistics.js";
import { type Figures, ROWS } from "./rows.js";

/** The figures of the last record, which are compared with: virtual time has no noise. */
const RECORD = new URL("record.json", import.meta.url);
const SEEDS = Array.from({ length: 7 }, (_, index) => 9000 + index);
/** More is better of these; less of all others. */
const RATES: readonly string[] = ["perSecond"];
const WORSE_BY = 1.05;

type Report = Readonly<Record<string, Figures>>;

/** @returns whether nothing is worse than the last record by more than a twentieth */
export async function runVirtual({ json, record }: { json: boolean; record: boolean }): Promise<boolean> {
  const report = await measure();
  if (record) writeFileSync(RECORD, `${JSON.stringify(report, null, 2)}\n`);
  const before: Report = JSON.parse(readFileSync(RECORD, "utf8"));
  const found = worse(report, before);
  if (json) console.log(JSON.stringify(report, null, 2));
  else for (const text of linesOf(report, before, found)) console.log(text);
  return found.length === 0;
}

async function measure(): Promise<Report> {
  const report: Record<string, Figures> = {};
  for (const { name, run } of ROWS) {
    const runs: Figures[] = [];
    for (const seed of SEEDS) runs.push(await run(seed));
    const names = Object.keys(runs[0] ?? {});
    report[name] = Object.fromEntries(
      names.map((figure) => [figure, toHundredth(median(runs.map((one) => one[figure] ?? 0)))]),
    );
  }
  return report;
}

function linesOf(report: Report, before: Report, found: readonly string[]): readonly string[] {
  const lines = ROWS.flatMap(({ name, what }) => [
    `${name}: ${what}`,
    ...Object.entries(report[name] ?? {}).map(([figure, value]) => {
      const last = before[name]?.[figure];
      return `  ${figure.padEnd(18)}${String(value).padStart(10)}${last === undefined ? "" : `   last record ${last}`}`;
    }),
  ]);
  return [...lines, found.length === 0 ? "nothing is worse than the last record" : `worse: ${found.join(", ")}`];
}

function worse(report: Report, before: Report): readonly string[] {
  return Object.entries(before).flatMap(([name, figures]) =>
    Object.entries(figures).flatMap(([figure, last]) => {
      const now = report[name]?.[figure] ?? Number.NaN;
      const isFine = RATES.includes(figure) ? now * WORSE_BY >= last : now <= last * WORSE_BY;
      return isFine ? [] : [`${name} ${figure} (${now}, before ${last})`];
    }),
  );
}

function toHundredth(value: number): number {
  return Math.round(value * 100) / 100;
}
