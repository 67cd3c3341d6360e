import { firstTooWide } from "../../core/shares.js";
import { type LockReport, type S3Mutex, S3MutexError, type WaiterReport } from "../../index.js";
import type { Output } from "../base/output.js";
import { holdersText, whoAndWhere } from "../inspect/describe.js";
import { bounded } from "../process/bounded.js";
import { inspectWanted, titleOfWanted, type Wanted } from "./wanted.js";

/** When a wait is told of, from its beginning. */
export interface NoticePlan {
  readonly firstMs: number;
  readonly secondMs: number;
  /** And then again after each of these. */
  readonly everyMs: number;
}

/** Plans notices: a person watches a terminal; a log gets a line that a short wait does not leave, and a long one repeats seldom. */
export function noticePlan(isWatched: boolean): NoticePlan {
  return { firstMs: isWatched ? 1000 : 10_000, secondMs: 60_000, everyMs: 300_000 };
}

/** Says who is waited for, now and then. Returns how to stop. */
export function announceWait(
  mutex: S3Mutex,
  wanted: Wanted,
  plan: NoticePlan,
  output: Pick<Output, "note" | "isWatched">,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const startedAtMs = performance.now();
  const tell = async () => {
    const who = await whoHas(mutex, wanted);
    if (isOver) return;
    const how = output.isWatched ? " (Ctrl-C to give up)" : "";
    output.note(`waiting for ${titleOfWanted(wanted)}${how} ...${who === undefined ? "" : ` ${who}`}`);
    const waitedMs = performance.now() - startedAtMs;
    schedule(waitedMs < plan.secondMs ? plan.secondMs - waitedMs : plan.everyMs);
  };
  const schedule = (delayMs: number) => {
    timer = setTimeout(() => void tell(), delayMs);
  };
  schedule(plan.firstMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** A message is not worth a longer wait than this. */
const INSPECT_MAX_MS = 2000;

/** Says in a sentence who holds what is wanted, and who was before this command where that is why it has to wait; undefined when that is not known in a moment, or it is free by now. */
export async function whoHas(mutex: S3Mutex, wanted: Wanted): Promise<string | undefined> {
  const look = inspectWanted(mutex, wanted).catch((error) => {
    if (S3MutexError.is(error)) return [];
    throw error;
  });
  const reports = (await bounded(look, INSPECT_MAX_MS, NEVER)) ?? [];
  const isOne = wanted.kind === "permit" || wanted.names.length === 1;
  // Of several, those that this command holds already are not in its way.
  const isInTheWay = ({ holders }: LockReport) =>
    holders.length > 0 && (isOne || !holders.some(({ owner }) => owner === mutex.ownerId));
  const sentences = reports
    .filter(isInTheWay)
    .map((report) => `${waiterBefore(report, wanted)}${sentenceOf(report, mutex.ownerId)}`);
  return sentences.length === 0 ? undefined : sentences.join(" ");
}

const NEVER = new AbortController().signal;

/** Names the waiter that keeps this command from what its holders leave, as the library does: a holder alone would not be the reason. */
function waiterBefore({ holders, waiters, limit }: LockReport, wanted: Wanted): string {
  if (wanted.kind === "permit") {
    const free = holders.reduce((left, { permits }) => left - permits, limit);
    const waiter = firstTooWide(waiters, free, 1);
    return waiter === undefined ? "" : wasBefore(waiter, `${waiter.permits} permits`);
  }
  if (!wanted.isShared || holders.some(({ mode }) => mode === "exclusive")) return "";
  const writer = waiters.find(({ mode }) => mode === "exclusive");
  return writer === undefined ? "" : wasBefore(writer, "all of the lock");
}

function wasBefore(waiter: WaiterReport, wanted: string): string {
  return `${whoAndWhere(waiter)} was before this command in the queue, and wants ${wanted}. `;
}

function sentenceOf(report: LockReport, ownerId: string): string {
  const name = JSON.stringify(report.lockName);
  const others = report.holders.filter(({ owner }) => owner !== ownerId);
  // As while the store has not said yet whether it may be locked on.
  if (others.length === 0) return `${name} is granted to this command by its record, and not confirmed yet.`;
  return `${name} is held by ${holdersText({ ...report, holders: others })}.`;
}
