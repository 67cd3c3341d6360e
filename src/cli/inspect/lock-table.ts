import type { LockReport } from "../../index.js";
import type { Output } from "../base/output.js";
import { type Column, tableLines } from "../base/table.js";
import { ageText, counted, printable } from "../base/text.js";
import { colourOfState, mainHolder, whereIs, whoIs } from "./describe.js";

const COLUMNS: readonly Column<LockReport>[] = [
  { heading: "LOCK", text: ({ lockName }) => printable(lockName), canShrink: true },
  { heading: "STATE", text: ({ state }) => state, colour: colourOfState },
  { heading: "HOLDER", text: holderText, canShrink: true },
  { heading: "HOST", text: (report) => ofHolder(report, whereIs), canShrink: true, spare: 3 },
  { heading: "AGE", text: (report) => ofHolder(report, ({ heldMs }) => ageText(heldMs)), align: "right", spare: 1 },
  {
    heading: "LEFT",
    text: (report) => ofHolder(report, ({ leaseLeftMs }) => ageText(leaseLeftMs)),
    align: "right",
    colour: (report) => (report.state === "expired" ? "yellow" : undefined),
  },
  {
    heading: "WAIT",
    text: ({ waiters }) => (waiters.length === 0 ? "" : String(waiters.length)),
    align: "right",
    spare: 2,
  },
  {
    heading: "TOKEN",
    text: ({ state, fencingToken }) => (state === "unreadable" ? "" : String(fencingToken)),
    align: "right",
    spare: 4,
  },
];

function holderText(report: LockReport): string {
  if (report.problem !== undefined) return report.problem.code;
  const others = report.holders.length - 1;
  return ofHolder(report, (holder) => (others > 0 ? `${whoIs(holder)} +${others}` : whoIs(holder)));
}

function ofHolder(report: LockReport, text: (holder: LockReport["holders"][number]) => string): string {
  const holder = mainHolder(report);
  return holder === undefined ? "" : text(holder);
}

/** Lays out a table of locks as wide as it needs to be, except on a terminal. */
export function lockTable(reports: readonly LockReport[], output: Output): string[] {
  return tableLines(COLUMNS, reports, output.isTerminal ? output.columns : Number.POSITIVE_INFINITY, output.paint);
}

/** Counts the locks in each state: `5,000 locks: 12 held, 1 expired, 3 waiting, 1 unreadable` */
export function summaryOf(reports: readonly LockReport[]): string {
  const count = (state: LockReport["state"]) => reports.filter((report) => report.state === state).length;
  const waiting = reports.reduce((sum, { waiters }) => sum + waiters.length, 0);
  const some = (many: number, word: string) => `${many.toLocaleString("en")} ${word}`;
  const parts = [
    some(count("held"), "held"),
    ...(count("expired") > 0 ? [some(count("expired"), "expired")] : []),
    some(waiting, "waiting"),
    ...(count("unreadable") > 0 ? [some(count("unreadable"), "unreadable")] : []),
  ];
  return `${counted(reports.length, "lock")}: ${parts.join(", ")}`;
}
