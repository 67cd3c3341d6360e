import type { HolderReport, LockReport, TurnReport, WaiterReport } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { problemText } from "../base/own-words.js";
import { type Column, tableLines } from "../base/table.js";
import { ageText, counted, printable } from "../base/text.js";
import type { LockAddress } from "../store/address.js";
import { colourOfState, NAMED_MAX, shortId, whereIs, whoAndWhere, whoIs } from "./describe.js";
import { noSuchLock } from "./elsewhere.js";
import { withMutex } from "./with-mutex.js";

/** Runs `s3-mutex show`. */
export function showCommand(input: Input, address: LockAddress, output: Output): Promise<number> {
  return withMutex(input, address, output, async (mutex) => {
    const report = await mutex.inspect(address.lockName);
    if (input.values.flag("json")) output.json(report);
    else if (report !== null) showLock(report, address, output);
    else output.note(await noSuchLock(input, address, ": it was never held, or it was removed."));
    if (report === null) return EXIT.failed;
    return report.state === "unreadable" ? EXIT.store : EXIT.ok;
  });
}

function showLock(report: LockReport, { bucketName }: LockAddress, output: Output): void {
  const { paint } = output;
  const name = paint("bold", printable(report.lockName));
  output.line(`${name}  ${paint(colourOfState(report), report.state)}  ${paint("dim", where(bucketName, report))}`);
  if (report.problem !== undefined) {
    output.line(problemText(report.problem));
    return;
  }
  const parts = [
    `fencing token ${report.fencingToken}`,
    ...(report.limit === 1 ? [] : [`at most ${report.limit} holders`]),
    ...(report.writtenAt === undefined ? [] : [`last written ${ageText(report.reportedAt - report.writtenAt)} ago`]),
  ];
  output.line(parts.join(", "));
  for (const { checkedAt, versioning } of report.storeProofs ?? []) {
    const versions = versioning === "none" ? "" : `, with versioning ${versioning}`;
    output.line(`store seen to honour conditions ${ageText(report.reportedAt - checkedAt)} ago${versions}`);
  }
  section(counted(report.holders.length, "holder"), HOLDERS, report.holders, output);
  for (const holder of report.holders.slice(0, NAMED_MAX)) output.line(`  ${signOfLife(holder, report.reportedAt)}`);
  section(`${counted(report.waiters.length, "waiter")}, in the order of service`, WAITERS, report.waiters, output);
  section("Last turns, the newest first", turnColumns(report.reportedAt), report.recentTurns, output);
}

function where(bucketName: string, { key }: LockReport): string {
  return printable(`s3://${bucketName}/${key}`);
}

function section<Row>(title: string, columns: readonly Column<Row>[], rows: readonly Row[], output: Output): void {
  if (rows.length === 0) return;
  output.line();
  output.line(output.paint("bold", title));
  const width = output.isTerminal ? output.columns - 2 : Number.POSITIVE_INFINITY;
  for (const line of tableLines(columns, rows, width, output.paint)) output.line(`  ${line}`);
}

const HOLDERS: readonly Column<HolderReport>[] = [
  { heading: "HOLDER", text: whoIs, canShrink: true },
  { heading: "HOST", text: whereIs, canShrink: true, spare: 2 },
  { heading: "AGE", text: ({ heldMs }) => ageText(heldMs), align: "right", spare: 1 },
  {
    heading: "LEFT",
    text: ({ leaseLeftMs, leaseMs }) => `${ageText(leaseLeftMs)} of ${ageText(leaseMs)}`,
    align: "right",
    colour: ({ leaseLeftMs }) => (leaseLeftMs <= 0 ? "yellow" : undefined),
  },
  { heading: "PRIORITY", text: ({ priority }) => String(priority), align: "right", spare: 5 },
  { heading: "TOKEN", text: ({ fencingToken }) => String(fencingToken), align: "right", spare: 3 },
  { heading: "AS", text: ({ mode, via }) => `${mode}, by ${via}`, spare: 4 },
  { heading: "ID", text: shortId },
];

/** Later than this many times the usual time between renewals is late. */
const LATE = 1.5;

/** Says whether a holder's process lives, as far as its renewals tell: each is due after a third of the lease. */
export function signOfLife({ via, leaseMs, releasedAt, renewedAt, ...holder }: HolderReport, nowMs: number): string {
  const who = whoAndWhere(holder);
  if (releasedAt !== undefined) return `${who} has given it back; it is held on for its holdAtLeastMs.`;
  const sinceMs = Math.max(0, nowMs - renewedAt);
  if (via === "name") return `${who} renewed ${ageText(sinceMs)} ago, and does so by refreshLock() only.`;
  const dueMs = leaseMs / 3;
  return sinceMs <= LATE * dueMs
    ? `${who} renews every ${ageText(dueMs)}, last ${ageText(sinceMs)} ago: alive.`
    : `${who} has not renewed for ${ageText(sinceMs)}, where ${ageText(dueMs)} is usual: dead, frozen or cut off.`;
}

const WAITERS: readonly Column<WaiterReport>[] = [
  { heading: "#", text: ({ position }) => String(position + 1), align: "right" },
  { heading: "WAITER", text: whoIs, canShrink: true },
  { heading: "HOST", text: whereIs, canShrink: true, spare: 1 },
  { heading: "WAITS FOR", text: ({ waitedMs }) => ageText(waitedMs), align: "right" },
  { heading: "PRIORITY", text: ({ priority }) => String(priority), align: "right", spare: 3 },
  {
    heading: "HOLDS MEANWHILE",
    text: ({ holds }) => holds.map(({ lockName }) => printable(lockName)).join(", "),
    canShrink: true,
    spare: 2,
  },
];

function turnColumns(nowMs: number): readonly Column<TurnReport>[] {
  return [
    { heading: "HOLDER", text: whoIs, canShrink: true },
    { heading: "HOST", text: whereIs, canShrink: true, spare: 2 },
    { heading: "HELD", text: ({ heldMs }) => ageText(heldMs), align: "right", spare: 1 },
    { heading: "UNTIL", text: ({ endedAt }) => `${ageText(Math.max(0, nowMs - endedAt))} ago`, align: "right" },
    { heading: "TOKEN", text: ({ fencingToken }) => String(fencingToken), align: "right", spare: 3 },
    {
      heading: "ENDED",
      text: ({ ended }) => ended,
      colour: ({ ended }) => (ended === "released" ? undefined : "yellow"),
    },
  ];
}
