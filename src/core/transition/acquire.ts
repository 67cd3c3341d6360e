import { serializeRecord } from "../codec.js";
import { needsDates } from "../dating.js";
import { type Attempt, isWaiting, mayBeTakenOver } from "../expiry.js";
import { standingOf } from "../queue.js";
import {
  areCompatible,
  type Claim,
  findHolder,
  type Hold,
  type Holder,
  type Identity,
  type LockRecord,
  MAX_QUEUE,
  MAX_TOKEN,
  type Waiter,
} from "../record.js";
import { hasOtherShares, nextToken, type Share, withShare } from "../shares.js";
import { type Decision, nextVersion, recordOrNew, withTurns } from "./decision.js";
import { leaseOf } from "./hold-at-least.js";

/** Take the lock, or a place in its queue. */
export interface AcquireCommand extends Claim {
  /** The acquisition's own id: "am I already among the holders?" answers what an unanswered write did. */
  readonly id: string;
  readonly owner: string;
  readonly via: Holder["via"];
  readonly priority: number;
  readonly leaseMs: number;
  readonly identity: Identity;
  /** When it began to wait, in store time. */
  readonly sinceMs: number;
  /** The queue entry to take or keep where the lock cannot be had; undefined: do not queue. */
  readonly entry: QueueEntry | undefined;
  /** For how long it is held at least, from the grant; 0 where it does not say. */
  readonly holdAtLeastMs?: number;
  /**
   * Of a semaphore: how many permits it has from now on where it was not used before; a caller may leave it out. What its record says
   * counts more. Undefined: it is a lock, which has one.
   */
  readonly limit?: number | "stored" | undefined;
  /** Of a semaphore with several records: what the one that is asked has of the number. */
  readonly share?: Share | undefined;
}

export interface QueueEntry {
  /** How long the entry lives without being refreshed. */
  readonly lifeMs: number;
  readonly roundTripMs: number;
  readonly holds: readonly Hold[];
}

export type AcquireReply =
  | { readonly kind: "granted"; readonly holder: Holder }
  /** A free record of 1.x was given a unique ETag and a counter: apply the command again. */
  | { readonly kind: "adopted" }
  | Waiting
  /** The record has a fencing token above which none can be counted: the lock cannot be granted any more. */
  | { readonly kind: "no-token-left" }
  /** It is a lock, and the record is a semaphore's. */
  | { readonly kind: "limit-differs"; readonly limit: number }
  /** There are fewer permits than the caller asks for at once. */
  | { readonly kind: "too-few"; readonly limit: number }
  /** The semaphore has several records, and this is the first: the caller does not know, or knows other shares. */
  | { readonly kind: "other-shares" }
  /** Neither the record nor the caller says how many permits there are. */
  | { readonly kind: "no-limit" }
  /** There are permits left, and so many holders that the record has no room for one more. */
  | { readonly kind: "full"; readonly limit: number; readonly holders: number };

export interface Waiting {
  readonly kind: "waiting";
  /** Live waiters ahead. */
  readonly position: number;
  /** Turns ahead: several waiters may have theirs together. */
  readonly turnsAhead: number;
  readonly enqueued: boolean;
}

export function acquire(
  found: LockRecord | undefined,
  command: AcquireCommand,
  attempt: Attempt,
): Decision<AcquireReply> {
  const held = findHolder(found, command.id);
  if (held !== undefined) return { reply: { kind: "granted", holder: held } };
  if (isAskedOtherwise(found, command)) return { reply: { kind: "other-shares" } };
  const limit = limitOf(found, command);
  if (limit === undefined) return { reply: { kind: "no-limit" } };
  const record = recordWith(found, command, limit, attempt);
  if (record.limit !== limit) return { reply: { kind: "limit-differs", limit: record.limit } };
  if ((command.permits ?? 1) > limit) return { reply: { kind: "too-few", limit } };
  if (record.writeId === undefined && record.holders.length === 0) return adopt(record, attempt);
  const { eligible, position, turnsAhead, passedOver } = standingOf(record, command, attempt);
  const granted = eligible ? grant(record, command, attempt, passedOver) : undefined;
  const isFull = eligible && granted === undefined && command.limit !== undefined;
  if (isFull) return { reply: { kind: "full", limit, holders: record.holders.length } };
  return granted ?? wait(record, command, attempt, { kind: "waiting", position, turnsAhead, enqueued: false });
}

/** Says whether it is one of several records, by other shares than the caller knows of. */
function isAskedOtherwise(found: LockRecord | undefined, { limit, share }: AcquireCommand): boolean {
  if (share !== undefined) return hasOtherShares(found, share);
  return limit !== undefined && found?.shares !== undefined;
}

/** Gives the record to grant from. One of several records gets its share with the first write that knows of it. */
function recordWith(
  found: LockRecord | undefined,
  { share }: AcquireCommand,
  limit: number,
  attempt: Attempt,
): LockRecord {
  if (share !== undefined) return withShare(recordOrNew(found, attempt, limit), share);
  return recordOrNew(found?.deleted ? { ...found, limit } : found, attempt, limit);
}

/** Says how many permits there are: the record's number, if it is a semaphore's; undefined where neither it nor the caller says one. */
function limitOf(found: LockRecord | undefined, { limit, share }: AcquireCommand): number | undefined {
  if (limit === undefined) return 1;
  if (share !== undefined) return share.limit;
  if (found !== undefined && !found.deleted) return found.limit;
  return limit === "stored" ? undefined : limit;
}

/** Adopts what 1.x released before it is granted: its body is constant, so its ETag comes back: compare-and-swap would be open to ABA. */
function adopt(record: LockRecord, attempt: Attempt): Decision<AcquireReply> {
  const token = Math.max(record.token, attempt.now.latestMs);
  if (token > MAX_TOKEN) return { reply: { kind: "no-token-left" } };
  const next = nextVersion(record, attempt, { token, createdAtMs: attempt.now.latestMs });
  return { reply: { kind: "adopted" }, change: { kind: "write", record: next } };
}

/** Grants the lock; undefined where so many hold already that the record has no room for one more. */
function grant(
  record: LockRecord,
  command: AcquireCommand,
  attempt: Attempt,
  passedOver: readonly Waiter[],
  ended = endedInTheWay(record, command, attempt),
): Decision<AcquireReply> | undefined {
  const others = record.holders.filter((other) => !ended.includes(other));
  const token = nextToken(record, attempt.now.latestMs, command.share?.part);
  if (token > MAX_TOKEN) return { reply: { kind: "no-token-left" } };
  const holder = newHolder(command, token, attempt);
  const { notBeforeMs: _, ...base } = record;
  const next = nextVersion(base, attempt, {
    token,
    holders: [...others, holder],
    // A waiter that is passed over and lives comes back with its original arrival; a dead one must not delay every turn to come.
    queue: record.queue.filter((waiter) => waiter.id !== command.id && !passedOver.includes(waiter)),
    ...withTurns(record, ended, "expired", attempt),
  });
  if (others.length > 0 && bytesOf(next) > MAX_HELD_BYTES) {
    const allEnded = record.holders.filter((other) => mayBeTakenOver(other, attempt));
    return ended.length < allEnded.length ? grant(record, command, attempt, passedOver, allEnded) : undefined;
  }
  return { reply: { kind: "granted", holder }, change: { kind: "write", record: next } };
}

/**
 * Picks the holders that a grant drops: those that have ended and whose place it needs, oldest first. Others that
 * ended a whole lease ago go with them, or a lock that readers die on would never stop growing.
 */
function endedInTheWay(record: LockRecord, claim: Claim, attempt: Attempt): readonly Holder[] {
  const ended = record.holders
    .filter((holder) => mayBeTakenOver(holder, attempt))
    .sort((one, other) => one.expiresAtMs - other.expiresAtMs);
  const longAgoMs = attempt.now.earliestMs - attempt.toleranceMs;
  const dropped = new Set(ended.filter((holder) => holder.expiresAtMs + holder.leaseMs < longAgoMs));
  for (const holder of ended) {
    if (areCompatible([...record.holders.filter((other) => !dropped.has(other)), claim], record.limit)) break;
    dropped.add(holder);
  }
  return record.holders.filter((holder) => dropped.has(holder));
}

function newHolder(command: AcquireCommand, token: number, attempt: Attempt): Holder {
  const { id, owner, via, priority, leaseMs, identity, holdAtLeastMs = 0 } = command;
  const since = { acquiredAtMs: attempt.now.latestMs, ...(holdAtLeastMs === 0 ? {} : { holdAtLeastMs }) };
  const lease = leaseOf(since, leaseMs, attempt);
  return { id, owner, via, ...claimOf(command), token, priority, ...since, ...lease, ...identity };
}

/** Copies a claim: one permit goes without saying. */
function claimOf({ mode, permits = 1 }: Claim): Claim {
  return permits === 1 ? { mode } : { mode, permits };
}

function wait(record: LockRecord, command: AcquireCommand, attempt: Attempt, waiting: Waiting): Decision<AcquireReply> {
  const { entry } = command;
  const unchanged = needsDates(record, attempt)
    ? { change: { kind: "write" as const, record: nextVersion(record, attempt, {}) } }
    : {};
  const notEnqueued = { reply: waiting, ...unchanged };
  if (entry === undefined) return notEnqueued;
  const reply = { ...waiting, enqueued: true };
  const present = record.queue.find((waiter) => waiter.id === command.id);
  if (present !== undefined && isFresh(present, entry, attempt)) return { reply, ...unchanged };
  const { id, owner, priority, sinceMs, identity } = command;
  const { lifeMs, roundTripMs, holds } = entry;
  const expiresAtMs = attempt.now.latestMs + lifeMs;
  const claim = claimOf(command);
  const waiter: Waiter = { id, owner, ...claim, priority, sinceMs, expiresAtMs, roundTripMs, holds, ...identity };
  const others = record.queue.filter((other) => other.id !== id && isWaiting(other, attempt));
  if (others.length >= MAX_QUEUE) return notEnqueued;
  const next = nextVersion(record, attempt, { queue: [...others, waiter] });
  return bytesOf(next) > MAX_QUEUED_BYTES ? notEnqueued : { reply, change: { kind: "write", record: next } };
}

function bytesOf(record: LockRecord): number {
  return new TextEncoder().encode(serializeRecord(record)).length;
}

/** Half of what is read of a body at most, so that the requests of all clients stay quick: a queue never keeps a holder from being written. */
const MAX_QUEUED_BYTES = 32 * 1024;
/** Three quarters of it, so that turns are remembered and renewals fit; some 120 readers at once. */
const MAX_HELD_BYTES = 48 * 1024;

/** Says whether to leave an entry until the last third of its life: every write makes those of the holder and of all others fail. */
function isFresh(present: Waiter, entry: QueueEntry, attempt: Attempt): boolean {
  const { earliestMs, latestMs } = attempt.now;
  // A client that does not know store time to the second would write at each poll what others put right.
  const nowMs = Math.min(latestMs, earliestMs + KNOWN_TO_MS);
  return areSameHolds(present.holds, entry.holds) && present.expiresAtMs - nowMs > entry.lifeMs / 3;
}

/** How far the bounds of store time are apart at most, but where answers have contradicted each other by more. */
const KNOWN_TO_MS = 4000;

function areSameHolds(one: readonly Hold[], other: readonly Hold[]): boolean {
  return one.length === other.length && other.every(({ token }) => one.some((hold) => hold.token === token));
}
