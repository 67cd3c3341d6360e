import type { Attempt } from "../expiry.js";
import type { LockRecord } from "../record.js";
import { type AcquireCommand, type AcquireReply, acquire } from "./acquire.js";
import type { Decision } from "./decision.js";
import { type ReleaseCommand, type ReleaseReply, release } from "./release.js";

/** Give a lock back and, in the same write, take it or a place in its queue for another caller of this process. */
export interface TransferCommand {
  readonly from: ReleaseCommand;
  readonly to: AcquireCommand;
}

export interface TransferReply {
  readonly kind: "transfer";
  readonly from: ReleaseReply;
  readonly to: AcquireReply;
}

/**
 * Makes a release and an acquisition one change. The successor gets the lock only if it is next in the queue, local
 * and remote waiters taken together; otherwise it is enqueued by the same write.
 */
export function transfer(
  record: LockRecord | undefined,
  command: TransferCommand,
  attempt: Attempt,
): Decision<TransferReply> {
  const left = release(record, command.from, attempt);
  const between = left.change?.kind === "write" ? left.change.record : record;
  const taken = acquire(between, command.to, attempt);
  return { reply: { kind: "transfer", from: left.reply, to: taken.reply }, change: taken.change ?? left.change };
}
