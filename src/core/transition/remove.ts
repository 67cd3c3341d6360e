import { type Attempt, isExpired, isWaiting, mayBeTakenOver } from "../expiry.js";
import type { Holder, LockRecord } from "../record.js";
import { isOneOfSeveral } from "../shares.js";
import { type Change, type Decision, nextVersion, recordOrNew, withTurns } from "./decision.js";

/**
 * How long an object is at rest before it may be removed: longer than a request can live. A create that was sent before
 * the object existed could otherwise land after it is gone, and grant an old token. AWS refuses a signature that is older
 * than 15 minutes.
 */
export const DEFAULT_REST_MS = 20 * 60 * 1000;

export interface DeleteCommand {
  /** Whose hold may be deleted with the lock; undefined: that of any owner. */
  readonly owner: string | undefined;
  readonly restMs: number;
  /** The holders that the caller of the deletion saw: it is not about others. Undefined: about all. */
  readonly seen?: ReadonlySet<string> | undefined;
  /** The writes that were sent for this very deletion, and whose holds it is about: what comes later is not its business. */
  readonly attempted?: Attempted;
}

/** What a command that is applied again has sent already. */
export interface Attempted {
  readonly writeIds: ReadonlySet<string>;
  /** The holders when it was applied first. */
  readonly holderIds: ReadonlySet<string>;
}

export type DeleteReply =
  | { readonly kind: "deleted" }
  | { readonly kind: "not-ours" }
  /** It has a holder that the caller did not see. */
  | { readonly kind: "changed" };

/** Removes a lock, holders, waiters and all; for now a tombstone that reads as absent where the object is too young. */
export function deleteLock(
  record: LockRecord | undefined,
  command: DeleteCommand,
  attempt: Attempt,
): Decision<DeleteReply> {
  const { owner, seen, attempted } = command;
  if (record !== undefined && seen !== undefined && record.holders.some(({ id }) => !seen.has(id))) {
    return { reply: { kind: attempted !== undefined && hasDeleted(record, seen) ? "deleted" : "changed" } };
  }
  if (attempted !== undefined && isDone(record, attempted)) return { reply: { kind: "deleted" } };
  if (owner !== undefined && !record?.holders.some((holder) => isHeldByName(holder, owner, attempt))) {
    return { reply: { kind: "not-ours" } };
  }
  if (record === undefined) return { reply: { kind: "deleted" } };
  const isForced = owner === undefined;
  return {
    reply: { kind: "deleted" },
    ...clear(isForced ? withoutDelays(record, attempt) : record, command.restMs, attempt),
  };
}

/** Says whether one of these writes has landed, or the lock has a holder by now that it did not have when it was to be deleted. */
function isDone(record: LockRecord | undefined, { writeIds, holderIds }: Attempted): boolean {
  if (record === undefined) return true;
  return isMadeBy(record, writeIds) || record.holders.some((holder) => !holderIds.has(holder.id));
}

/** Says whether the turn of one of these was ended by a deletion: the lock was deleted before its present holder came. */
function hasDeleted({ recent }: LockRecord, ids: ReadonlySet<string>): boolean {
  return recent.some(({ id, ended }) => ended === "deleted" && ids.has(id));
}

function isMadeBy({ writeId }: LockRecord, writeIds: ReadonlySet<string | undefined>): boolean {
  return writeIds.has(writeId);
}

function isHeldByName(holder: Holder, owner: string, attempt: Attempt): boolean {
  return holder.owner === owner && holder.via === "name" && !isExpired(holder, attempt);
}

/** Replaces a body under the key that was not a lock record by a tombstone whose counter starts at store time. */
export function replaceCorrupt(attempt: Attempt): Decision<DeleteReply> {
  const token = attempt.now.latestMs;
  const record = nextVersion({ ...recordOrNew(undefined, attempt), token }, attempt, { deleted: true });
  return { reply: { kind: "deleted" }, change: { kind: "write", record } };
}

/**
 * Drops all that would keep the next one waiting, in a deletion by force: these times may be in the far future,
 * written by a wrong clock or by a stranger, and there is no other way to get rid of them.
 */
function withoutDelays(record: LockRecord, attempt: Attempt): LockRecord {
  const { notBeforeMs, freeSinceMs = 0, deleted: _, ...rest } = record;
  return notBeforeMs === undefined && freeSinceMs <= attempt.now.latestMs ? record : rest;
}

function clear(record: LockRecord, restMs: number, attempt: Attempt): { readonly change?: Change | undefined } {
  if (!attempt.keepsVersions && isRemovable(record, restMs, attempt)) return { change: { kind: "remove" } };
  return record.deleted ? {} : { change: buried(record, attempt) };
}

/** Buries the object, which stays as a tombstone that lists and reads as absent. */
function buried(record: LockRecord, attempt: Attempt): Change {
  const turns = withTurns(record, record.holders, "deleted", attempt);
  return { kind: "write", record: nextVersion(record, attempt, { holders: [], queue: [], ...turns, deleted: true }) };
}

/** Says whether an object may go: only one without holder or waiter, whose counter store time has overtaken, and that was at rest. */
export function isRemovable(record: LockRecord, restMs: number, attempt: Attempt): boolean {
  return (
    !attempt.lacksStoreTime &&
    record.writeId !== undefined &&
    // A share that was forgotten would be given out again.
    !isOneOfSeveral(record) &&
    !record.undated &&
    record.holders.length === 0 &&
    !record.queue.some((waiter) => isWaiting(waiter, attempt)) &&
    record.token < attempt.now.earliestMs &&
    restsSinceMs(record, attempt) + restMs < attempt.now.earliestMs
  );
}

/** Says since when it is at rest: while its write was on its way, others may have seen that there is none, and sent what creates it. */
function restsSinceMs({ touchedAtMs }: LockRecord, { landedAtMs = touchedAtMs }: Attempt): number {
  return Math.max(touchedAtMs, landedAtMs);
}

export interface CleanupCommand {
  /** Only leases last renewed before this (epoch ms, store time). */
  readonly olderThanMs: number | undefined;
  /** Remove free objects as well. */
  readonly includeReleased: boolean;
  readonly restMs: number;
  /** The writes that were sent for this very sweep of this lock. */
  readonly attempted?: ReadonlySet<string>;
}

export type CleanupReply =
  | { readonly kind: "absent" }
  /** Held by a live lease, or free and left alone. */
  | { readonly kind: "kept" }
  /** To be removed, but for so long it is not certain by the bounds of store time that it was at rest for long enough. */
  | { readonly kind: "unsettled"; readonly forMs: number }
  | { readonly kind: "stale" }
  | { readonly kind: "removed" };

/**
 * Frees what is held by leases that have ended. No tolerance: it is reported to an operator and swapped
 * conditionally. The tolerance is kept towards the next holder, who is granted nothing before it has passed.
 */
export function cleanup(
  record: LockRecord | undefined,
  command: CleanupCommand,
  attempt: Attempt,
): Decision<CleanupReply> {
  const { olderThanMs = Number.POSITIVE_INFINITY, attempted = new Set<string>() } = command;
  if (record === undefined) return { reply: { kind: attempted.size > 0 ? "removed" : "absent" } };
  if (isMadeBy(record, attempted)) return { reply: { kind: record.deleted ? "removed" : "stale" } };
  const hasStopped = (holder: Holder) => (attempt.lacksStoreTime ? mayBeTakenOver : isExpired)(holder, attempt);
  const ended = record.holders.filter((holder) => hasStopped(holder) && holder.renewedAtMs < olderThanMs);
  if (ended.length > 0) return freeStale(record, ended, attempt);
  if (command.includeReleased && isRemovable(record, command.restMs, attempt)) {
    if (attempt.keepsVersions && record.deleted) return { reply: { kind: "absent" } };
    const change: Change = attempt.keepsVersions ? buried(record, attempt) : { kind: "remove" };
    return { reply: { kind: "removed" }, change };
  }
  if (command.includeReleased && record.undated && !attempt.lacksStoreTime) return dateRest(record, attempt);
  const { earliestMs, latestMs } = attempt.now;
  const settledAtMs = Math.max(record.token, restsSinceMs(record, attempt) + command.restMs) + 1;
  const settled = { ...attempt, now: { earliestMs: settledAtMs, latestMs: settledAtMs } };
  // Its writer may have known store time less well than it is known by now.
  const isNear = settledAtMs <= latestMs + attempt.toleranceMs;
  if (command.includeReleased && !record.deleted && isNear && isRemovable(record, command.restMs, settled)) {
    return { reply: { kind: "unsettled", forMs: settledAtMs - earliestMs } };
  }
  return { reply: { kind: record.deleted ? "absent" : "kept" } };
}

/** Dates an object of which it is not known how long it has been at rest: from now on it is. */
function dateRest(record: LockRecord, attempt: Attempt): Decision<CleanupReply> {
  const { deleted } = record;
  const next = nextVersion(record, attempt, deleted ? { deleted } : {});
  return { reply: { kind: deleted ? "absent" : "kept" }, change: { kind: "write", record: next } };
}

function freeStale(record: LockRecord, ended: readonly Holder[], attempt: Attempt): Decision<CleanupReply> {
  const next = nextVersion(record, attempt, {
    holders: record.holders.filter((holder) => !ended.includes(holder)),
    ...withTurns(record, ended, "expired", attempt),
    ...keptTolerance(record, ended, attempt),
  });
  return { reply: { kind: "stale" }, change: { kind: "write", record: next } };
}

/** Keeps the tolerance. Without store time, these were watched for a whole lease; what their clocks said may be hours ahead. */
function keptTolerance(
  record: LockRecord,
  ended: readonly Holder[],
  attempt: Attempt,
): Pick<LockRecord, "notBeforeMs"> {
  if (attempt.lacksStoreTime) return {};
  const lastEndMs = Math.max(...ended.map((holder) => holder.expiresAtMs));
  const notBeforeMs = Math.max(record.notBeforeMs ?? 0, lastEndMs + attempt.toleranceMs);
  return { notBeforeMs: Math.min(notBeforeMs, Number.MAX_SAFE_INTEGER) };
}
