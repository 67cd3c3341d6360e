import { type Holder, identityOf, type LockRecord, type Waiter } from "../core/record.js";
import { describeParty } from "../core/report.js";
import { type LockHolder, S3MutexError } from "../errors.js";
import { printable } from "../printable.js";
import type { LockObject } from "../runtime/swap/lock-object.js";
import type { AcquireOptions } from "./call-options.js";

/** Says that a lock was not had in time, and who has it, in words and as data, by what was read last. */
export function timedOut(
  { name: lockName, latest }: Pick<LockObject, "name" | "latest">,
  sentence: string,
): S3MutexError {
  const holders = latest?.record?.holders ?? [];
  const message = holders.length === 0 ? sentence : `${sentence} ${sentenceAbout(holders)}`;
  return new S3MutexError("timed-out", message, { lockName, holders: holders.map(publicHolder) });
}

/** Says the same of a lock that a caller waited for alone. */
export function notFree(
  object: LockObject,
  { timeoutMs, mode }: Pick<AcquireOptions, "timeoutMs" | "mode">,
): S3MutexError {
  const sentence = `The lock ${JSON.stringify(object.name)} was not free within ${timeoutMs} ms.`;
  return notFreeFor(object, sentence, mode);
}

/** Says that a lock was not free for a caller: a sharer may have waited behind a caller that has nothing yet. */
export function notFreeFor(object: LockObject, sentence: string, mode: AcquireOptions["mode"]): S3MutexError {
  const writer = mode === "shared" ? writerBefore(object.latest?.record) : undefined;
  return timedOut(object, writer === undefined ? sentence : `${sentence}${wasBefore(writer)}`);
}

/** Finds the caller that wants all of the lock and that a sharer has waited behind: sharers alone would have left room for one more. */
function writerBefore(record: LockRecord | undefined): Waiter | undefined {
  if (record === undefined || record.holders.some(({ mode }) => mode === "exclusive")) return undefined;
  return record.queue.find(({ mode }) => mode === "exclusive");
}

/** Names a waiter that had nothing yet and was in the way, in a sentence behind another. */
export function wasBefore(waiter: Waiter): string {
  const wanted = waiter.permits === undefined ? "all of the lock" : `${waiter.permits} permits`;
  return ` ${printable(describeParty(waiter))} was before it in the queue, and wants ${wanted}.`;
}

function publicHolder(holder: Holder): LockHolder {
  const { id, owner, token, acquiredAtMs, expiresAtMs, releasedAtMs } = holder;
  const times = { acquiredAt: acquiredAtMs, expiresAt: expiresAtMs };
  const released = releasedAtMs === undefined ? {} : { releasedAt: releasedAtMs };
  return { acquisitionId: id, owner, ...identityOf(holder), fencingToken: token, ...times, ...released };
}

/** Writes `It is held by nightly, web-1:4711 since 2026-11-28T03:00:00.000Z, until 2026-11-28T03:01:00.000Z unless it is renewed.` */
function sentenceAbout(holders: readonly Holder[]): string {
  const named = holders.slice(0, NAMED_MAX).map((holder) => {
    const [since, until] = [instant(holder.acquiredAtMs), instant(holder.expiresAtMs)];
    const { releasedAtMs } = holder;
    const stays =
      releasedAtMs === undefined
        ? `until ${until} unless it is renewed`
        : `was given back at ${instant(releasedAtMs)}, and stays held until ${until}`;
    return `${printable(describeParty(holder))} since ${since}, ${stays}`;
  });
  const more = holders.length - named.length;
  return `It is held by ${[...named, ...(more > 0 ? [`${more} more`] : [])].join("; and by ")}.`;
}

/** Writes a time, as records can have times that no calendar has. */
function instant(epochMs: number): string {
  return Math.abs(epochMs) <= MAX_DATE_MS ? new Date(epochMs).toISOString() : `${epochMs} ms`;
}

const MAX_DATE_MS = 8.64e15;
/** Further holders, of a semaphore or a share, are in the data. */
const NAMED_MAX = 3;
