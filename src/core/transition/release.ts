import type { Attempt } from "../expiry.js";
import { type Holder, isCopys, isReleased, type LockRecord, type Own, type TurnEnd } from "../record.js";
import { type Decision, nextVersion, recordOrNew, withTurns } from "./decision.js";
import { withoutReleased } from "./hold-at-least.js";

export type ReleaseReply =
  | { readonly kind: "released"; readonly holders: readonly Holder[] }
  | { readonly kind: "not-held" };

export interface ReleaseCommand extends Own {
  /** No work was done under it, so that it need not be held for as long as was asked for. */
  readonly isUnused?: boolean;
}

/**
 * Gives an acquisition's place back. The object stays, as a tombstone that keeps the fencing counter; and so does the
 * place, if it is to be held for longer than the work under it took. Given back after the end of its lease it is
 * remembered as expired; a repetition of that finds it gone, as where another acquisition has taken it over.
 */
export function release(
  record: LockRecord | undefined,
  command: ReleaseCommand,
  attempt: Attempt,
): Decision<ReleaseReply> {
  if (record === undefined) return { reply: { kind: "not-held" } };
  const leaving = leavingOf(record, command);
  if (leaving.some(isReleased)) return { reply: { kind: "released", holders: [] } };
  if (leaving.length > 0) {
    return endTurns(record, leaving, afterRelease(record, leaving, command, attempt), "released", attempt);
  }
  const done = record.recent.some((turn) => turn.id === command.id && turn.ended === "released");
  return { reply: done ? { kind: "released", holders: [] } : { kind: "not-held" } };
}

export interface ForceCommand {
  /**
   * Whose holds to end: those that the caller saw, or that were there when it was applied first, so that a repetition spares
   * later holders; undefined: all.
   */
  readonly ids: ReadonlySet<string> | undefined;
}

/** Ends the holds of any owner. The victims believe that they hold until their next renewal: only fencing covers that. */
export function forceRelease(
  record: LockRecord | undefined,
  { ids }: ForceCommand,
  attempt: Attempt,
): Decision<ReleaseReply> {
  if (record === undefined) return { reply: { kind: "not-held" } };
  const leaving = record.holders.filter((holder) => ids?.has(holder.id) ?? true);
  if (leaving.length > 0) return endTurns(record, leaving, withoutAll(record, leaving), "forced", attempt);
  const done = record.recent.some((turn) => turn.ended === "forced" && ids?.has(turn.id));
  return { reply: done ? { kind: "released", holders: [] } : { kind: "not-held" } };
}

/** Finds the acquisition's own hold, unless a copy of the process goes on with it. */
function leavingOf(record: LockRecord, command: Own): readonly Holder[] {
  return record.holders.filter((holder) => holder.id === command.id && !isCopys(holder, command));
}

/** Who holds it after some have left, and whose turns are over by that. */
interface After {
  readonly holders: readonly Holder[];
  readonly gone: readonly Holder[];
}

function afterRelease(
  record: LockRecord,
  leaving: readonly Holder[],
  { isUnused }: ReleaseCommand,
  attempt: Attempt,
): After {
  return isUnused ? withoutAll(record, leaving) : withoutReleased(record, leaving, attempt);
}

function withoutAll({ holders }: LockRecord, leaving: readonly Holder[]): After {
  return { holders: holders.filter((holder) => !leaving.includes(holder)), gone: leaving };
}

function endTurns(
  record: LockRecord,
  leaving: readonly Holder[],
  { holders, gone }: After,
  how: TurnEnd,
  attempt: Attempt,
): Decision<ReleaseReply> {
  const next = nextVersion(record, attempt, { holders, ...withTurns(record, gone, how, attempt) });
  return { reply: { kind: "released", holders: leaving }, change: { kind: "write", record: next } };
}

export interface CancelCommand extends ReleaseCommand {
  /** Change the object even if the id is not in it: a write of ours may still land on the version that is there. */
  readonly mustChange: boolean;
}

/**
 * Makes sure that an acquisition that was given up leaves nothing behind and that none of its writes can land any
 * more. Where there is no object, a tombstone takes the place that a late create would.
 */
export function cancel(
  found: LockRecord | undefined,
  command: CancelCommand,
  attempt: Attempt,
): Decision<{ readonly kind: "cancelled" }> {
  const reply = { kind: "cancelled" } as const;
  const record = recordOrNew(found, attempt);
  const leaving = leavingOf(record, command).filter((holder) => !isReleased(holder));
  const queued = record.queue.some((waiter) => waiter.id === command.id);
  if (leaving.length === 0 && !queued && !command.mustChange) return { reply };
  const { holders, gone } = afterRelease(record, leaving, command, attempt);
  const next = nextVersion(record, attempt, {
    holders,
    queue: record.queue.filter((waiter) => waiter.id !== command.id),
    ...withTurns(record, gone, "released", attempt),
    ...(record.deleted || found === undefined ? { deleted: true as const } : {}),
  });
  return { reply, change: { kind: "write", record: next } };
}
