import { rememberedCuts, withCuts } from "../cut-short.js";
import { dated } from "../dating.js";
import { type Attempt, isExpired, isWaiting } from "../expiry.js";
import { headOf, isOpen } from "../queue.js";
import {
  areCompatible,
  type Holder,
  identityOf,
  isReleased,
  type LockRecord,
  MAX_QUEUE,
  permitsOf,
  RECENT_TURNS,
  SCHEMA,
  type Turn,
  type TurnEnd,
} from "../record.js";

/**
 * A transition is a pure function from what the object says, a command and the circumstances of one attempt to a
 * decision: what to reply, and what the object has to become for the reply to be true. Applying a command again to a
 * record that it was applied to changes nothing and replies the same: that is what makes lost answers harmless.
 */
export interface Decision<Reply> {
  readonly reply: Reply;
  /** `undefined`: the reply is true as it is. */
  readonly change?: Change | undefined;
}

export type Change = { readonly kind: "write"; readonly record: LockRecord } | { readonly kind: "remove" };

/** Gives what to build a next version from: the record, or a new one where there is none. */
export function recordOrNew(record: LockRecord | undefined, attempt: Attempt, limit = 1): LockRecord {
  if (record !== undefined) return record;
  return {
    schema: SCHEMA,
    writeId: attempt.writeId,
    createdAtMs: attempt.now.latestMs,
    touchedAtMs: attempt.now.latestMs,
    token: 0,
    limit,
    holders: [],
    queue: [],
    recent: [],
  };
}

/** Makes the next version: stamped as this write's, without what has run out, and saying since when the first in the queue may come. */
export function nextVersion(base: LockRecord, attempt: Attempt, changes: Partial<LockRecord>): LockRecord {
  const { deleted: _, undated: __, ...merged } = { ...base, ...changes };
  const { freeSinceMs, cutShort, ...rest } = dated(merged, attempt);
  const cuts = rememberedCuts(cutShort, attempt);
  const next: LockRecord = {
    ...rest,
    writeId: attempt.writeId,
    touchedAtMs: attempt.now.latestMs,
    queue: rest.queue.filter((waiter) => isWaiting(waiter, attempt)),
    ...(cuts === undefined ? {} : { cutShort: cuts }),
    ...(changes.deleted ? { deleted: true as const } : {}),
    ...(attempt.lacksStoreTime ? { undated: true as const } : {}),
  };
  throwIfBroken(base, next);
  const head = headOf(next.queue);
  if (!isOpen(next, head)) return next;
  // A waiter that is the first now and was not before has all of its grace still to come.
  const isSame = head?.id === headOf(base.queue)?.id;
  return { ...next, freeSinceMs: (isSame ? freeSinceMs : undefined) ?? attempt.now.latestMs };
}

/**
 * Checks what each version owes to the one before, whatever command made it: with an error in a transition the call
 * fails, and the object stays as it was.
 */
function throwIfBroken(base: LockRecord, next: LockRecord): void {
  if (next.token < base.token) throw new Error(`The fencing token would fall from ${base.token} to ${next.token}.`);
  // Where the number of permits was reduced, more may be out than there are, until enough have come back.
  const isSettling = !areCompatible(base.holders, next.limit) && permitsOf(next.holders) <= permitsOf(base.holders);
  if (!areCompatible(next.holders, next.limit) && !isSettling)
    throw new Error(`${next.holders.length} holders would not fit beside each other, of ${next.limit}.`);
  const longest = Math.max(base.queue.length, MAX_QUEUE);
  if (next.queue.length > longest) throw new Error(`${next.queue.length} waiters would be more than a queue has.`);
}

/** Gives the lease that begins with this attempt. */
export function leaseFrom(
  leaseMs: number,
  { now, writeId, lacksStoreTime }: Attempt,
): Pick<Holder, "leaseMs" | "renewedAtMs" | "expiresAtMs" | "leaseWriteId" | "undated"> {
  const times = { renewedAtMs: now.latestMs, expiresAtMs: now.latestMs + leaseMs };
  return { leaseMs, ...times, leaseWriteId: writeId, ...(lacksStoreTime ? { undated: true as const } : {}) };
}

/** Gives what the record remembers when these holds have ended: the last few turns, and whose holder has yet to learn of it. */
export function withTurns(
  record: LockRecord,
  ended: readonly Holder[],
  how: TurnEnd,
  attempt: Attempt,
): Pick<LockRecord, "recent" | "cutShort"> {
  const turns = ended.map((holder) => turnOf(holder, how, attempt));
  const recent = [...turns, ...record.recent].slice(0, RECENT_TURNS);
  const isCut = ended.length > 0 && (how === "forced" || how === "deleted");
  return isCut ? { recent, cutShort: withCuts(record, ended, how, attempt) } : { recent };
}

/**
 * Remembers what was: a hold whose lease had ended was held until then and no longer, also where its holder gives it back later because
 * the store was silent; only the store's clock tells that. One that was given back before, and only had to last, was released.
 */
function turnOf(holder: Holder, how: TurnEnd, attempt: Attempt): Turn {
  const { id, owner, token, acquiredAtMs } = holder;
  const isOver = how === "expired" || (!attempt.lacksStoreTime && isExpired(holder, attempt));
  const toMs = isOver ? holder.expiresAtMs : attempt.now.latestMs;
  return { id, owner, token, fromMs: acquiredAtMs, toMs, ended: endOf(holder, how, isOver), ...identityOf(holder) };
}

function endOf(holder: Holder, how: TurnEnd, isOver: boolean): TurnEnd {
  // Its holder is told that it was ended from outside, whether its lease had ended or not.
  if (how !== "released" && how !== "expired") return how;
  return isOver && !isReleased(holder) ? "expired" : "released";
}
