import { type Holder, type LockRecord, RECENT_TURNS, SCHEMA, type Turn, type TurnEnd, type Waiter } from "../record.js";
import type { StoreTime } from "../store-time.js";

/**
 * A transition is a pure function from what the object says, a command and the circumstances of one attempt to a
 * decision: what to reply, and what the object has to become for the reply to be true. Applying a command again to a
 * record that it was applied to changes nothing and replies the same: that is what makes lost answers harmless.
 */
export interface Decision<Reply> {
  readonly reply: Reply;
  /** `undefined`: the reply is true as it is. */
  readonly change?: Change;
}

export type Change = { readonly kind: "write"; readonly record: LockRecord } | { readonly kind: "remove" };

/** What one attempt brings along: the store's time, an id for the write, and how leases are judged. */
export interface Attempt {
  readonly now: StoreTime;
  readonly writeId: string;
  /** How long after its expiry a lease is left alone: what two clocks may differ by. */
  readonly toleranceMs: number;
  /**
   * With `takeover: "observed"`: the renewals that were watched, unrenewed, for a whole lease. Given, only these have
   * ended, whatever any clock says.
   */
  readonly observedEnded?: ReadonlySet<string>;
}

/** What to build a next version from: the record, or a new one where there is none. */
export function recordOrNew(record: LockRecord | undefined, attempt: Attempt): LockRecord {
  if (record !== undefined) return record;
  return {
    schema: SCHEMA,
    writeId: attempt.writeId,
    createdAtMs: attempt.now.latestMs,
    touchedAtMs: attempt.now.latestMs,
    token: 0,
    limit: 1,
    holders: [],
    queue: [],
    recent: [],
  };
}

/** The next version: stamped as this write's, without waiters whose entries have run out, and saying since when a place is free. */
export function nextVersion(base: LockRecord, attempt: Attempt, changes: Partial<LockRecord>): LockRecord {
  const { freeSinceMs, deleted: _, ...merged } = { ...base, ...changes };
  const next: LockRecord = {
    ...merged,
    writeId: attempt.writeId,
    touchedAtMs: attempt.now.latestMs,
    queue: merged.queue.filter((waiter) => isWaiting(waiter, attempt)),
    ...(changes.deleted ? { deleted: true as const } : {}),
  };
  if (next.holders.length >= next.limit) return next;
  return { ...next, freeSinceMs: freeSinceMs ?? attempt.now.latestMs };
}

/** Whether somebody else may have this holder's place. */
export function hasEnded(holder: Holder, attempt: Attempt): boolean {
  if (attempt.observedEnded !== undefined) return attempt.observedEnded.has(holder.renewal);
  return attempt.now.earliestMs > holder.expiresAtMs + attempt.toleranceMs;
}

/** Whether the entry still counts; no tolerance: dropping one too early costs a place in the queue at worst, and not even that. */
export function isWaiting(waiter: Waiter, attempt: Attempt): boolean {
  return attempt.now.earliestMs <= waiter.expiresAtMs;
}

/** The record's memory of turns, with these added. */
export function withTurns(record: LockRecord, ended: readonly Holder[], how: TurnEnd, attempt: Attempt): readonly Turn[] {
  const turns = ended.map((holder) => turnOf(holder, how, attempt));
  return [...turns, ...record.recent].slice(0, RECENT_TURNS);
}

function turnOf(holder: Holder, ended: TurnEnd, attempt: Attempt): Turn {
  const { id, owner, token, acquiredAtMs, host, pid, label } = holder;
  const toMs = ended === "expired" ? holder.expiresAtMs : attempt.now.latestMs;
  return {
    id,
    owner,
    token,
    fromMs: acquiredAtMs,
    toMs,
    ended,
    ...(host === undefined ? {} : { host }),
    ...(pid === undefined ? {} : { pid }),
    ...(label === undefined ? {} : { label }),
  };
}
