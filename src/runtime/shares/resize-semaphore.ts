import type { LockRecord } from "../../core/record.js";
import { laterParts, shareIn, type Use } from "../../core/shares.js";
import { found, level, type ReshareCommand, type ReshareReply, reshare } from "../../core/transition/reshare.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { inParallel } from "../base/in-parallel.js";
import { resizePatienceMs, resizePolicy } from "../swap/policies.js";
import type { Swapped } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import type { SemaphoreRecords } from "./semaphore-records.js";

/**
 * Changes how many permits a semaphore has. With several records: all get the shares that are decided, those of a call that did not
 * come to the end of it included; then the next shares are decided, and all get those.
 * @returns the number before
 */
export async function resizeSemaphore(
  context: Context,
  records: SemaphoreRecords,
  number: number,
): Promise<number | undefined> {
  const startedAtMs = context.effects.monotonicMs();
  const { capacity } = context;
  const writeLog = new WriteLog();
  let from: number | undefined;
  let isDone = false;
  for (;;) {
    const untilMs = startedAtMs + resizePatienceMs(records.shares === undefined ? "one" : "several");
    const levelled = await levelAll(context, records, untilMs);
    if (levelled !== undefined) {
      const { seen } = levelled;
      const { reply }: Swapped<ReshareReply> = await records.anchor.swap(
        (record, attempt) => {
          const decision = reshare(record, { number, capacity, seen }, attempt);
          const isFound = isDone || (decision.change === undefined && mayHaveLanded(writeLog, record));
          if (decision.reply.kind === "reshared" && !isFound) from = decision.reply.from;
          return decision;
        },
        { ...swapOptions(untilMs, { insists: seen !== undefined }), from: "store", writeLog },
      );
      isDone ||= reply.kind === "reshared";
      if (reply.kind === "reshared" && (await levelAll(context, records, untilMs)) !== undefined) return from;
    }
    if (context.effects.monotonicMs() >= untilMs) throw contested(records.anchor.name);
    await poll(records, untilMs);
  }
}

/**
 * Says whether a number that needs no change may be this call's own: a write of it was not answered. Where another client was faster,
 * the number is that client's, unless the record itself is this call's. Not told apart: a write that lands unanswered after a lost race, and
 * under another client's write when it is read; then the number before is told as this call's own.
 */
function mayHaveLanded(writeLog: WriteLog, record: LockRecord | undefined): boolean {
  return (
    writeLog.hasBegun && (!writeLog.hasLostRaces || (record?.writeId !== undefined && writeLog.isOwn(record.writeId)))
  );
}

/**
 * Makes a semaphore of several records where it was not used yet, once for all callers that want that at the same time. Afterwards it is
 * known what it consists of.
 */
export function foundSemaphore(context: Context, records: SemaphoreRecords, number: number): Promise<void> {
  const running = founding.get(records);
  if (running !== undefined) return running;
  const { noteFailure } = records;
  const heard = { onFailure: noteFailure, onRefusal: noteFailure, signal: context.closing };
  const options = { ...swapOptions(context.effects.monotonicMs() + resizePatienceMs("one")), ...heard };
  const begun = records.anchor
    .swap((record, attempt) => found(record, { number, capacity: context.capacity }, attempt), options)
    .then(() => {})
    .finally(() => founding.delete(records));
  begun.catch(() => {});
  founding.set(records, begun);
  return begun;
}

const founding = new WeakMap<SemaphoreRecords, Promise<void>>();

/**
 * Gives all records the shares that are known when it begins: another call may decide others meanwhile, which these records do not have.
 * @returns what they all have, and what of it is in use in the others than the anchor; undefined where there are other shares by now
 */
async function levelAll(
  context: Context,
  records: SemaphoreRecords,
  untilMs: number,
): Promise<Pick<ReshareCommand, "seen"> | undefined> {
  if (context.effects.monotonicMs() >= untilMs) throw contested(records.anchor.name);
  const { shares } = records;
  if (shares === undefined) return { seen: undefined };
  const parts = laterParts(shares);
  const uses = new Map<number, Use>();
  await inParallel(parts, AT_ONCE, async (part) => {
    const share = shareIn(shares, part);
    const options = swapOptions(untilMs, { insists: true });
    const { reply } = await records.objectOf(part).swap((record, attempt) => level(record, share, attempt), options);
    if (reply.kind === "levelled") uses.set(part, reply.use);
  });
  if (uses.size < parts.length) return undefined;
  return { seen: { version: shares.version, others: parts.map((part) => uses.get(part) as Use) } };
}

async function poll(records: SemaphoreRecords, untilMs: number): Promise<void> {
  await records.anchor.swap(() => ({ reply: undefined }), { ...swapOptions(untilMs), from: "store" });
}

function swapOptions(...policy: Parameters<typeof resizePolicy>) {
  return { ...resizePolicy(...policy), writeLog: new WriteLog() };
}

function contested(lockName: string): S3MutexError {
  const message = `The number of permits of ${JSON.stringify(lockName)} was changed by others all the time, so that it is not known whether it is yours now. Try again.`;
  return new S3MutexError("store-unavailable", message, { lockName });
}

/** So many records get their shares at the same time. */
const AT_ONCE = 8;
