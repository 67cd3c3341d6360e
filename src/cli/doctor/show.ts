import type { StoreCheck, StoreReport, StoreVerdict } from "../../index.js";
import type { Colour, Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";
import { type Column, tableLines } from "../base/table.js";
import { counted, printable, wrapped } from "../base/text.js";

const COLOURS: Readonly<Record<StoreVerdict, Colour>> = { pass: "green", warn: "yellow", fail: "red", skipped: "dim" };

/** Shows the report for people: all that was examined, then what to do about it, then the verdict. */
export function showReport(report: StoreReport, output: Output): void {
  const { line, paint } = output;
  const columns: readonly Column<StoreCheck>[] = [
    { heading: "VERDICT", text: ({ verdict }) => verdict, colour: ({ verdict }) => COLOURS[verdict] },
    { heading: "CHECK", text: ({ title }) => title },
    { heading: "SEEN", text: ({ detail }) => printable(inOwnWords(detail)), canShrink: true },
  ];
  const maxWidth = output.isTerminal ? output.columns : Number.POSITIVE_INFINITY;
  for (const text of tableLines(columns, report.checks, maxWidth, paint)) line(text);
  const worstFirst = (["fail", "warn", "skipped"] as const).flatMap((verdict) => {
    return report.checks.filter((check) => check.verdict === verdict);
  });
  const troubles = worstFirst.filter(({ remedy }) => remedy !== undefined);
  const width = output.isTerminal ? Math.max(40, output.columns - 2) : 118;
  for (const check of troubles) showTrouble(check, width, output);
  line();
  line(conclusion(report, paint));
}

/** Shows a trouble in full: in the table, what was seen may have been cut. */
function showTrouble(
  { verdict, title, detail, remedy = "" }: StoreCheck,
  width: number,
  { line, paint }: Output,
): void {
  line();
  line(`${paint(COLOURS[verdict], verdict)}: ${paint("bold", title)}`);
  const advice = inOwnWords(remedy);
  for (const text of [sentence(printable(inOwnWords(detail))), printable(advice)]) {
    for (const part of wrapped(text, width)) line(`  ${part}`);
  }
}

function sentence(text: string): string {
  // The name of an action, and a URL, stay as they are.
  if (/^(?:s3:|https?:)/.test(text)) return `${text.replace(/\.$/, "")}.`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

function conclusion(
  { verdict, checks, requests, elapsedMs, bucketName, keyPrefix }: StoreReport,
  paint: Output["paint"],
): string {
  const of = (wanted: StoreVerdict) => checks.filter((check) => check.verdict === wanted).length;
  const store = printable(`s3://${bucketName}/${keyPrefix}`);
  const effort = `(${counted(checks.length, "check")}, ${counted(requests, "request")}, ${(elapsedMs / 1000).toFixed(1)} s)`;
  if (verdict === "fail")
    return `${paint("red", `Do not lock on ${store}`)}: ${counted(of("fail"), "check")} failed ${effort}.`;
  const warnings = verdict === "warn" ? `, with ${counted(of("warn"), "warning")}` : "";
  return `${paint("green", `Safe to lock on: ${store}`)}${warnings} ${effort}.`;
}
