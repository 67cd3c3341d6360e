import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countsInWords, type DoctorResult, readDoctorResults, rightVerdicts } from "../doctors.js";
import { KINDS } from "../kinds.js";
import type { Observation } from "../measure/observe.js";
import { VERSIONINGS } from "../measure/versions.js";
import { type StoreResult, winnersOf } from "../result.js";
import { CONFIGURATIONS, WITHOUT } from "./configurations.js";
import { ELSEWHERE } from "./elsewhere.js";
import { notesOf, twoProcesses, verdictOf, versionsCell, whyOf } from "./verdicts.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "stores/results");
const PAGE = join(ROOT, "docs/guide/stores.md");

/** Writes docs/guide/stores.md from the results that were recorded. */
export function writePage(): void {
  writeFileSync(PAGE, pageOf(readResults()));
}

export function readResults(): StoreResult[] {
  const results = readdirSync(RESULTS)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(join(RESULTS, file), "utf8")) as StoreResult);
  const place = ({ store }: StoreResult) => KINDS.findIndex(({ name }) => name === store);
  return results.toSorted((a, b) => place(a) - place(b));
}

export function pageOf(results: readonly StoreResult[]): string {
  const text = (name: string) => readFileSync(join(ROOT, "stores/document/words", `${name}.md`), "utf8").trim();
  return `${[
    "<!-- Written by `npm run stores -- --document` from stores/results and stores/document. -->",
    text("beginning"),
    text("checked"),
    "## Measured",
    text("measured"),
    verdictTable(results),
    text("reading"),
    requestsTable(results),
    versionsTable(results),
    "Where a delete marker counts as an object, no caller gets a lock whose object another program has deleted; s3-mutex itself deletes none in such buckets. [What to do then](operations.md#buckets-with-versioning).",
    locksTable(results),
    text("notes"),
    results.flatMap((result) => notesOf(result) ?? []).join("\n"),
    text("not-had"),
    text("doctor"),
    doctorTable(readDoctorResults()),
    "## Documented elsewhere",
    "No recorded run has met these. What is said of them is what their documentation or others report, or we saw by hand, as of November 2026.",
    elsewhereTable(results),
    "## Configurations",
    text("configurations"),
    ...CONFIGURATIONS.map(({ title, code, remark }) => {
      const parts = [`### ${title}`, `\`\`\`ts\n${code}\n\`\`\``];
      return (remark === undefined ? parts : [...parts, remark]).join("\n\n");
    }),
    WITHOUT,
    text("headers"),
    text("credentials"),
    text("repeats"),
    text("end"),
  ].join("\n\n")}\n`;
}

function verdictTable(results: readonly StoreResult[]): string {
  const rows = results.map((result) => [
    result.title,
    result.version,
    verdictOf(result),
    whyOf(result),
    twoProcesses(result),
    `${result.verification.verdict}, ${(result.verification.elapsedMs / 1000).toFixed(1)} s`,
    [result.date, ...(result.commit === undefined ? [] : [result.commit])].join(", "),
  ]);
  const head = ["Store", "Version", "Verdict", "Why", "Two processes, defaults", "`doctor`", "Measured"];
  return table(head, rows);
}

function versionsTable(results: readonly StoreResult[]): string {
  const rows = results.map((result) => [result.title, ...VERSIONINGS.map((one) => versionsCell(result, one))]);
  return table(["Store", "Versioning on", "Suspended", "Object Lock"], rows);
}

function requestsTable(results: readonly StoreResult[]): string {
  const rows = results.map(({ title, observation: o }) => [
    title,
    answer(o.createExisting, "412"),
    answer(o.replaceStale, "412"),
    replaceForm(o),
    o.replaceMissing,
    removal(o),
    o.readUnchanged,
    quirksOf(o),
  ]);
  const head = [
    "Store",
    "PUT `If-None-Match: *`, exists",
    "PUT `If-Match`, stale",
    "ETag",
    "PUT `If-Match`, missing key",
  ];
  return table([...head, "DELETE `If-Match`", "GET unchanged", "Quirks"], rows);
}

function locksTable(results: readonly StoreResult[]): string {
  const rows = results.map((result) => [
    result.title,
    winnersOf(result.create),
    winnersOf(result.replace),
    suiteOf(result),
    chaosOf(result),
    `${result.latency.put.p50} / ${result.latency.put.p95}`,
    `${result.latency.get.p50} / ${result.latency.get.p95}`,
  ]);
  return table(["Store", "16 racing creates", "16 racing replacements", "Suite", "Chaos", "PUT ms", "GET ms"], rows);
}

function doctorTable(results: readonly DoctorResult[]): string {
  const place = ({ store }: DoctorResult) => KINDS.findIndex(({ name }) => name === store);
  const rows = results
    .toSorted((one, other) => place(one) - place(other))
    .map((result) => [
      result.title,
      result.version,
      `${rightVerdicts(result) ?? 0} of ${result.runs}`,
      countsInWords(result.verdicts),
      `${result.seconds.least} to ${result.seconds.most}, mostly ${result.seconds.median}`,
      unsteadyOf(result),
      [result.date, ...(result.commit === undefined ? [] : [result.commit])].join(", "),
    ]);
  return table(
    ["Store", "Version", "Right", "Said", "Seconds", "Checks that did not always say the same", "Run"],
    rows,
  );
}

function unsteadyOf({ unsteady }: DoctorResult): string {
  const checks = Object.entries(unsteady).map(([title, counts]) => `${title} (${countsInWords(counts)})`);
  return checks.length === 0 ? "none" : checks.join("; ");
}

function answer(status: string, right: string): string {
  return status === right ? status : `**${status}**`;
}

function replaceForm({ replaceCurrent, replaceUnquoted }: Observation): string {
  if (replaceCurrent === "200") return replaceUnquoted === "200" ? "either form" : "quoted";
  return replaceUnquoted === "200" ? "unquoted only" : `**none: ${replaceCurrent}, ${replaceUnquoted}**`;
}

/** Judges `If-Match` on a removal, by both answers and the object's fate; a stale one that deletes is why the library tries it first. */
function removal({ deleteStale, deleteCurrent }: Observation): string {
  if (deleteStale.endsWith("gone")) return "ignored";
  return deleteCurrent.endsWith("gone") ? "honoured" : `refused (${deleteCurrent.split(",")[0]})`;
}

function quirksOf(o: Observation): string {
  const quirks = [o.date ? "" : "no `Date`", o.checksum === "200" ? "" : `default checksum: ${o.checksum}`].filter(
    (quirk) => quirk !== "",
  );
  return quirks.join("; ") || "none";
}

function suiteOf({ suite }: StoreResult): string {
  const all = suite.passed + suite.failed.length;
  return `${suite.passed} of ${all}${suite.withLocks ? "" : ", locks not tried"}`;
}

function chaosOf({ chaos }: StoreResult): string {
  if (chaos === undefined) return "not tried";
  const { seconds, turns, lostBehindTokens, kills, freezes, gatewaysKilled } = chaos;
  const gateways = gatewaysKilled === 0 ? "" : `, ${gatewaysKilled} gateways killed`;
  return `${seconds} s, ${turns} turns, ${kills} kills, ${freezes} freezes${gateways}: ${lostBehindTokens} lost`;
}

/** Lists the stores that were not measured here; what was measured meanwhile stands above. */
function elsewhereTable(results: readonly StoreResult[]): string {
  const measured = new Set(results.map(({ title }) => title));
  const rows = ELSEWHERE.filter(({ title }) => !measured.has(title)).map(
    ({ title, create, replace, remove, remarks, source }) => {
      return [title, create, replace, remove, remarks, source];
    },
  );
  return table(["Store", "PUT `If-None-Match: *`", "PUT `If-Match`", "DELETE `If-Match`", "Remarks", "Source"], rows);
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
