import { isAnythingLeft, mustChange, type Remains } from "../../core/client/leftovers.js";
import { cancel } from "../../core/transition/release.js";
import type { Context } from "../base/context.js";
import type { LockObject } from "../swap/lock-object.js";
import { leavingPolicy } from "../swap/policies.js";
import type { WriteLog } from "../swap/write-log.js";

/** What was given up, and who finds it in the record. */
export interface Leftovers extends Pick<Remains, "entry"> {
  readonly id: string;
  readonly writeLog: WriteLog;
  readonly leaseMs: number;
  /** Whether no work was done under it: then it need not be held for as long as was asked for. */
  readonly isUnused: boolean;
}

/**
 * Sees to it, in the background, that an acquisition which was given up leaves no entry and that none of its writes can
 * land any more. The caller that gave up does not wait for that.
 */
export function cancelLeftovers(context: Context, object: LockObject, left: Leftovers): void {
  const { id, writeLog, leaseMs, entry, isUnused } = left;
  const { leaving } = context.activity;
  const remains = () => ({ entry, hasUnresolved: writeLog.hasUnresolved });
  // A store that ignores conditions would let this write erase a holder: what was left there runs out.
  const runsOut = context.check.refusal !== undefined || context.closed.aborted;
  if (runsOut || !isAnythingLeft(remains())) {
    leaving.delete(id);
    return;
  }
  leaving.add(id);
  const options = {
    ...leavingPolicy(context, leaseMs),
    writeLog,
    signal: context.closed,
  };
  const isOwn = (writeId: string) => writeLog.isOwn(writeId);
  const swap = object.swap(
    (record, attempt) => cancel(record, { id, isOwn, isUnused, mustChange: mustChange(remains()) }, attempt),
    options,
  );
  const tell = (error: unknown) => {
    // The close has said what it leaves.
    if (context.closed.aborted) return;
    context.logger.warn(`could not clean up after ${JSON.stringify(object.name)}`, { err: error });
  };
  context.background.run(
    swap.then(() => {}, tell).finally(() => leaving.delete(id)),
    object.name,
  );
}
