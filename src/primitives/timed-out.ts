import { type Holder, identityOf, type LockRecord } from "../core/record.js";
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
  const before = mode === "shared" ? writerBefore(object.latest?.record) : "";
  return timedOut(object, `The lock ${JSON.stringify(object.name)} was not free within ${timeoutMs} ms.${before}`);
}

/** Names the caller that wants all of the lock and that a sharer has waited behind: sharers alone would have left room for one more. */
function writerBefore(record: LockRecord | undefined): string {
  if (record === undefined || record.holders.some(({ mode }) => mode === "exclusive")) return "";
  const writer = record.queue.find(({ mode }) => mode === "exclusive");
  return writer === undefined
    ? ""
    : ` ${printable(describeParty(writer))} was before it in the queue, and wants all of the lock.`;
}

function publicHolder(holder: Holder): LockHolder {
  const { id, owner, token, acquiredAtMs, expiresAtMs } = holder;
  const times = { acquiredAt: acquiredAtMs, expiresAt: expiresAtMs };
  return { acquisitionId: id, owner, ...identityOf(holder), fencingToken: token, ...times };
}

/** Writes `It is held by nightly, web-1:4711 since 2026-11-28T03:00:00.000Z, until 2026-11-28T03:01:00.000Z unless it is renewed.` */
function sentenceAbout(holders: readonly Holder[]): string {
  const named = holders.slice(0, NAMED_MAX).map((holder) => {
    const [since, until] = [instant(holder.acquiredAtMs), instant(holder.expiresAtMs)];
    return `${printable(describeParty(holder))} since ${since}, until ${until} unless it is renewed`;
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
