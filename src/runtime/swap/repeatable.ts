import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import type { Decision } from "../../core/transition/decision.js";
import { type ForceCommand, forceRelease, type ReleaseReply } from "../../core/transition/release.js";
import {
  type CleanupCommand,
  type CleanupReply,
  cleanup,
  type DeleteCommand,
  type DeleteReply,
  deleteLock,
} from "../../core/transition/remove.js";
import { type RenewCommand, type RenewReply, renew, renewAll } from "../../core/transition/renew.js";

/**
 * Commands that have no acquisition of their own to be recognised by in the record: they remember what they sent and whom
 * they meant, so that a repetition after a lost answer is told from what others did meanwhile.
 */

type Transition<Reply> = (record: LockRecord | undefined, attempt: Attempt) => Decision<Reply>;

export function renewing(command: Omit<RenewCommand, "attempted">): Transition<RenewReply> {
  return remembering((record, attempt, { writeIds }) => renew(record, { ...command, attempted: writeIds }, attempt));
}

/** Renews several at once; those that are asked for may become fewer from one try to the next. */
export function renewingAll(
  commands: () => readonly Omit<RenewCommand, "attempted">[],
): Transition<ReadonlyMap<string, RenewReply>> {
  return remembering((record, attempt, { writeIds: attempted }) =>
    renewAll(
      record,
      commands().map((command) => ({ ...command, attempted })),
      attempt,
    ),
  );
}

/** Ends holds by force. `seen`: whose; undefined: those that are there when it is applied first. */
export function forcing(seen: ForceCommand["ids"]): Transition<ReleaseReply> {
  return remembering((record, attempt, { holderIds, isFirst }) =>
    forceRelease(record, { ids: seen ?? (isFirst ? undefined : holderIds) }, attempt),
  );
}

/** Deletes a lock. `isOther`: which acquisitions the call is not about; while one of those has the lock, it is not this call's to delete. */
export function deleting(
  command: Omit<DeleteCommand, "attempted">,
  isOther: (acquisitionId: string) => boolean = () => false,
): Transition<DeleteReply> {
  return remembering((record, attempt, { isFirst, ...attempted }) => {
    if (isFirst && record?.holders.some(({ id }) => isOther(id))) return { reply: { kind: "not-ours" } };
    return deleteLock(record, isFirst ? command : { ...command, attempted }, attempt);
  });
}

export function sweeping(command: Omit<CleanupCommand, "attempted">): Transition<CleanupReply> {
  return remembering((record, attempt, { writeIds }) => cleanup(record, { ...command, attempted: writeIds }, attempt));
}

interface Memory {
  readonly writeIds: ReadonlySet<string>;
  readonly holderIds: ReadonlySet<string>;
  readonly isFirst: boolean;
}

function remembering<Reply>(
  apply: (record: LockRecord | undefined, attempt: Attempt, memory: Memory) => Decision<Reply>,
): Transition<Reply> {
  const writeIds = new Set<string>();
  let holderIds = new Set<string>();
  return (record, attempt) => {
    const isFirst = writeIds.size === 0;
    const decision = apply(record, attempt, { writeIds, holderIds, isFirst });
    if (isFirst) holderIds = new Set(record?.holders.map((holder) => holder.id));
    if (decision.change !== undefined) writeIds.add(attempt.writeId);
    return decision;
  };
}
