import type { ClockReading } from "../store-time.js";

/** One write that an acquisition has sent. */
export interface SentWrite {
  readonly writeId: string;
  /** The ETag of the version that it was to replace; undefined where there was to be no object. */
  readonly etag: string | undefined;
  /** By the monotonic clock. */
  readonly sentAtMs: number;
  /** The clocks as they were when its transition was computed, from which a lease counts; undefined where that is forgotten. */
  readonly reading: ClockReading | undefined;
  /** Whether it may still land. */
  readonly isUnresolved: boolean;
}

/** What one acquisition has sent, and what of it may still land although no caller waits for it any more. */
export interface SentWrites {
  /** In the order in which they were sent, as long as anything of them matters. */
  readonly sent: readonly SentWrite[];
  /** The one that was seen in the record last. */
  readonly landed: string | undefined;
  /** Those that the last look settled: the version that it showed may be one of them. */
  readonly settled: readonly string[];
}

export const NOTHING_SENT: SentWrites = { sent: [], landed: undefined, settled: [] };

/** Notes a write that is about to be sent: until it is answered, it may land at any time. */
export function begun(
  log: SentWrites,
  write: Pick<SentWrite, "writeId" | "etag" | "sentAtMs"> & { readonly reading: ClockReading },
): SentWrites {
  const sent = [...log.sent, { ...write, isUnresolved: true }];
  const firstRemembered = sent.length - MAX_READINGS;
  return withSent(
    log,
    sent.map((one, at) => (at < firstRemembered ? { ...one, reading: undefined } : one)),
  );
}

/** Notes that the write was answered: it has landed, or it never will. */
export function answered(log: SentWrites, writeId: string): SentWrites {
  return withSent(
    log,
    log.sent.map((one) => (one.writeId === writeId ? { ...one, isUnresolved: false } : one)),
  );
}

/**
 * Notes that the object was seen with this ETag (undefined: there was none) by a request that left at this monotonic time. A
 * write that was sent before is dead if it was conditioned on any other version of a present object; where there is no
 * object nothing is. One that was sent later may be conditioned on a version that this request was too early for.
 */
export function seen(log: SentWrites, etag: string | undefined, askedAtMs: number): SentWrites {
  if (etag === undefined) return log;
  const isSettled = (write: SentWrite) => write.isUnresolved && write.etag !== etag && write.sentAtMs < askedAtMs;
  const settled = log.sent.filter(isSettled).map(({ writeId }) => writeId);
  if (settled.length === 0) return log;
  return { ...settled.reduce(answered, log), settled };
}

/** Says whether this process has sent the write, as far as it can be in the record still. */
export function isOwn({ sent, landed, settled }: SentWrites, writeId: string): boolean {
  return writeId === landed || settled.includes(writeId) || sent.some((one) => one.writeId === writeId);
}

/** Lists the writes of its own that the record may show where it was known to show this one: that, what was sent later, and what was seen. */
export function mayShow({ sent, landed, settled }: SentWrites, known: string): readonly string[] {
  const later = sent.slice(sent.findIndex(({ writeId }) => writeId === known) + 1).map(({ writeId }) => writeId);
  return [...new Set([known, ...later, ...settled, ...(landed === undefined ? [] : [landed])])];
}

/** Notes that a write of its own was seen in the record. */
export function found(log: SentWrites, writeId: string): SentWrites {
  return { ...log, landed: writeId };
}

/** Gives the clocks as they were when this write's transition was computed. */
export function readingOf({ sent }: SentWrites, writeId: string): ClockReading | undefined {
  return sent.find((one) => one.writeId === writeId)?.reading;
}

/** Says whether any of the writes may still land. */
export function hasUnresolved({ sent }: SentWrites): boolean {
  return sent.some(({ isUnresolved }) => isUnresolved);
}

/** Says whether this answer to a write proves that it has landed, or never will. A conflict does not: a proxy may have repeated it. */
export function settles(outcome: { readonly kind: string; readonly sent?: boolean }): boolean {
  return outcome.kind === "unknown" ? outcome.sent === false : outcome.kind !== "conflict";
}

/** Keeps these writes, without those of which nothing matters any more. */
function withSent(log: SentWrites, sent: readonly SentWrite[]): SentWrites {
  return { ...log, sent: sent.filter(({ reading, isUnresolved }) => reading !== undefined || isUnresolved) };
}

/** Far more writes than one lease has time for; readings older than that cannot matter. */
const MAX_READINGS = 64;
