import type { Attempt } from "../attempt.js";
import { type Holder, isCopys, type LockRecord, type Own, type TurnEnd } from "../record.js";
import { type Decision, nextVersion, recordOrNew, withTurns } from "./decision.js";

export type ReleaseReply =
  | { readonly kind: "released"; readonly holders: readonly Holder[] }
  | { readonly kind: "not-held" };

/** Give an acquisition's place back. The object stays, as a tombstone that keeps the fencing counter. */
export function release(record: LockRecord | undefined, command: Own, attempt: Attempt): Decision<ReleaseReply> {
  if (record === undefined) return { reply: { kind: "not-held" } };
  const leaving = record.holders.filter((holder) => holder.id === command.id && !isCopys(holder, command));
  if (leaving.length > 0) return endTurns(record, leaving, "released", attempt);
  const done = record.recent.some((turn) => turn.id === command.id && turn.ended === "released");
  return { reply: done ? { kind: "released", holders: [] } : { kind: "not-held" } };
}

export interface ForceCommand {
  /**
   * Whose holds to end: those that somebody saw, or that were there when it was applied first, so that a repetition spares who
   * came later; undefined: everybody's.
   */
  readonly ids: ReadonlySet<string> | undefined;
}

/** End holds, whoever has them. The victims believe that they hold until their next renewal: only fencing covers that. */
export function forceRelease(
  record: LockRecord | undefined,
  { ids }: ForceCommand,
  attempt: Attempt,
): Decision<ReleaseReply> {
  if (record === undefined) return { reply: { kind: "not-held" } };
  const leaving = record.holders.filter((holder) => ids?.has(holder.id) ?? true);
  if (leaving.length > 0) return endTurns(record, leaving, "forced", attempt);
  const done = record.recent.some((turn) => turn.ended === "forced" && ids?.has(turn.id));
  return { reply: done ? { kind: "released", holders: [] } : { kind: "not-held" } };
}

function endTurns(
  record: LockRecord,
  leaving: readonly Holder[],
  how: TurnEnd,
  attempt: Attempt,
): Decision<ReleaseReply> {
  const next = nextVersion(record, attempt, {
    holders: record.holders.filter((holder) => !leaving.includes(holder)),
    recent: withTurns(record, leaving, how, attempt),
  });
  return { reply: { kind: "released", holders: leaving }, change: { kind: "write", record: next } };
}

export interface CancelCommand extends Own {
  /** Change the object even if the id is not in it: a write of ours may still land on the version that is there. */
  readonly mustChange: boolean;
}

/**
 * Make sure that an acquisition that was given up leaves nothing behind and that none of its writes can land any more.
 * Where there is no object, a tombstone takes the place that a late create would.
 */
export function cancel(
  found: LockRecord | undefined,
  command: CancelCommand,
  attempt: Attempt,
): Decision<{ readonly kind: "cancelled" }> {
  const reply = { kind: "cancelled" } as const;
  const record = recordOrNew(found, attempt);
  const leaving = record.holders.filter((holder) => holder.id === command.id && !isCopys(holder, command));
  const queued = record.queue.some((waiter) => waiter.id === command.id);
  if (leaving.length === 0 && !queued && !command.mustChange) return { reply };
  const next = nextVersion(record, attempt, {
    holders: record.holders.filter((holder) => !leaving.includes(holder)),
    queue: record.queue.filter((waiter) => waiter.id !== command.id),
    recent: withTurns(record, leaving, "released", attempt),
    ...(record.deleted || found === undefined ? { deleted: true as const } : {}),
  });
  return { reply, change: { kind: "write", record: next } };
}
