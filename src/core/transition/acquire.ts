import { type Attempt, hasEnded } from "../attempt.js";
import { serializeRecord } from "../codec.js";
import { standingOf } from "../queue.js";
import {
  findHolder,
  type Hold,
  type Holder,
  type Identity,
  type LockRecord,
  type Mode,
  type Waiter,
} from "../record.js";
import { type Decision, nextVersion, recordOrNew, withTurns } from "./decision.js";

/** Take the lock, or a place in its queue. */
export interface AcquireCommand {
  /** The acquisition's own id: "am I already among the holders?" answers what an unanswered write did. */
  readonly id: string;
  readonly owner: string;
  readonly via: Holder["via"];
  readonly mode: Mode;
  readonly priority: number;
  readonly leaseMs: number;
  readonly identity: Identity;
  /** When it began to wait, in store time. */
  readonly sinceMs: number;
  /** The queue entry to take or keep where the lock cannot be had; undefined: do not queue. */
  readonly entry: QueueEntry | undefined;
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
  | { readonly kind: "waiting"; readonly position: number; readonly enqueued: boolean };

/** More waiters than this poll without an entry, slowly: the record has to stay small. */
export const MAX_QUEUE = 64;

export function acquire(
  found: LockRecord | undefined,
  command: AcquireCommand,
  attempt: Attempt,
): Decision<AcquireReply> {
  const held = findHolder(found, command.id);
  if (held !== undefined) return { reply: { kind: "granted", holder: held } };
  const record = recordOrNew(found, attempt);
  if (record.writeId === undefined && record.holders.length === 0) return adopt(record, attempt);
  const { eligible, position, passedOver } = standingOf(record, command, attempt);
  return eligible ? grant(record, command, attempt, passedOver) : wait(record, command, attempt, position);
}

/** 1.x writes a constant body when it releases, so its ETag comes back: compare-and-swap on it would be open to ABA. */
function adopt(record: LockRecord, attempt: Attempt): Decision<AcquireReply> {
  const token = Math.max(record.token, attempt.now.latestMs);
  const next = nextVersion(record, attempt, { token, createdAtMs: attempt.now.latestMs });
  return { reply: { kind: "adopted" }, change: { kind: "write", record: next } };
}

function grant(
  record: LockRecord,
  command: AcquireCommand,
  attempt: Attempt,
  passedOver: readonly Waiter[],
): Decision<AcquireReply> {
  const ended = record.holders.filter((holder) => hasEnded(holder, attempt));
  const token = Math.max(record.token + 1, attempt.now.latestMs);
  const holder = newHolder(command, token, attempt);
  const { notBeforeMs: _, ...base } = record;
  const next = nextVersion(base, attempt, {
    token,
    holders: [...record.holders.filter((other) => !ended.includes(other)), holder],
    // Who is passed over and lives comes back with its original arrival; who is dead must not delay every turn to come.
    queue: record.queue.filter((waiter) => waiter.id !== command.id && !passedOver.includes(waiter)),
    recent: withTurns(record, ended, "expired", attempt),
  });
  return { reply: { kind: "granted", holder }, change: { kind: "write", record: next } };
}

function newHolder(command: AcquireCommand, token: number, attempt: Attempt): Holder {
  const { id, owner, via, mode, priority, leaseMs, identity } = command;
  const nowMs = attempt.now.latestMs;
  const times = { acquiredAtMs: nowMs, renewedAtMs: nowMs, expiresAtMs: nowMs + leaseMs };
  return { id, owner, via, mode, token, priority, leaseMs, ...times, renewal: attempt.writeId, ...identity };
}

function wait(record: LockRecord, command: AcquireCommand, attempt: Attempt, position: number): Decision<AcquireReply> {
  const { entry } = command;
  const notEnqueued = { reply: { kind: "waiting", position, enqueued: false } } as const;
  if (entry === undefined) return notEnqueued;
  const reply = { kind: "waiting", position, enqueued: true } as const;
  const present = record.queue.find((waiter) => waiter.id === command.id);
  if (present !== undefined && isFresh(present, entry, attempt)) return { reply };
  const { id, owner, mode, priority, sinceMs, identity } = command;
  const { lifeMs, roundTripMs, holds } = entry;
  const expiresAtMs = attempt.now.latestMs + lifeMs;
  const waiter: Waiter = { id, owner, mode, priority, sinceMs, expiresAtMs, roundTripMs, holds, ...identity };
  const others = record.queue.filter((other) => other.id !== id);
  const next = nextVersion(record, attempt, { queue: [...others, waiter] });
  return isTooLong(next) ? notEnqueued : { reply, change: { kind: "write", record: next } };
}

/** A record has to stay small, so that it can be read and so that everybody's requests stay quick. */
function isTooLong(record: LockRecord): boolean {
  return record.queue.length > MAX_QUEUE || new TextEncoder().encode(serializeRecord(record)).length > MAX_QUEUED_BYTES;
}

/** Half of what is read of a body at most: a queue never keeps a holder from being written. */
const MAX_QUEUED_BYTES = 32 * 1024;

/** An entry is refreshed in the last third of its life: every write makes the holder's and everybody else's fail. */
function isFresh(present: Waiter, entry: QueueEntry, attempt: Attempt): boolean {
  return areSameHolds(present.holds, entry.holds) && present.expiresAtMs - attempt.now.latestMs > entry.lifeMs / 3;
}

function areSameHolds(one: readonly Hold[], other: readonly Hold[]): boolean {
  return one.length === other.length && other.every(({ token }) => one.some((hold) => hold.token === token));
}
