// npm run --silent bench -- --json > bench.json
// npx tsx bench/report.ts bench.json [more.json ...]
//
// Rewrites the table in docs/performance.md between its markers. Of several files the later ones win, case by case; so
// a case can be measured again without the others.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CASES } from "./cases.js";
import { verdictOf } from "./judge.js";
import type { CaseReport } from "./run-cases.js";
import { markdownTable } from "./table.js";

interface BenchRun {
  readonly when: string;
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly quick: boolean;
  readonly seed: number;
  readonly cases: readonly CaseReport[];
}

const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("Which run? npx tsx bench/report.ts bench.json");
  process.exit(2);
}
const runs = paths.map(readRun);
const cases = merged(runs);
writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), `${provenance(runs, cases)}\n\n${markdownTable(cases)}`));
console.log(`${cases.length} cases written to docs/performance.md`);

/** Reads a run, after the lines that `npm run` without `--silent` prints first. */
function readRun(path: string): BenchRun {
  const text = readFileSync(path, "utf8");
  const start = text.search(/^\{/m);
  if (start < 0) throw new Error(`${path} has no figures in it: make it with npm run --silent bench -- --json`);
  return JSON.parse(text.slice(start));
}

function merged(all: readonly BenchRun[]): CaseReport[] {
  const byName = new Map(all.flatMap((run) => run.cases.map((report) => [report.name, report] as const)));
  return CASES.flatMap(({ name }) => byName.get(name) ?? []);
}

function provenance(all: readonly BenchRun[], reports: readonly CaseReport[]): string {
  const lines = all.map(
    ({ when, commit, node, cpu, quick, seed }) =>
      `${when.slice(0, 10)}, commit ${commit}, Node ${node}, ${cpu}, seed ${seed}${quick ? ", **quick run**" : ""}`,
  );
  const verdicts = reports.flatMap(({ figures }) => figures.map(verdictOf));
  const count = (verdict: string) => verdicts.filter((one) => one === verdict).length;
  const total = `${count("reached")} reached ✓, ${count("missed")} missed ✗, ${count("not there")} not there yet –.`;
  return `Measured ${[...new Set(lines)].join("; ")}. ${total}`;
}

function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has lost its markers, ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n${table}\n${page.slice(end)}`;
}
