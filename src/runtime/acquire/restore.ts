import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import { holderLoss } from "../../core/transition/renew.js";
import { type RestoreCommand, restore } from "../../core/transition/restore.js";
import { onAbort } from "../base/abort.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import { cancelLeftovers } from "../hold/cancel.js";
import { Lease } from "../hold/lease.js";
import { lossError } from "../hold/loss.js";
import { holderPolicy } from "../swap/policies.js";
import { WriteLog } from "../swap/write-log.js";
import { confirmGrant } from "./confirm.js";
import type { LocalQueue } from "./local-queue.js";
import { noTokenLeft } from "./refusals.js";

/** A hold that another process has let go of without giving it back. */
export type HandedOver = RestoreCommand["from"] & { readonly leaseMs: number };

/**
 * Goes on with it, under an id and a token of its own.
 * A close that comes before anything was sent leaves it to the next one; later, it is restored all the same, and the caller that gets it
 * is asked to stop: no other process knows what became of it.
 * @throws `lost` when another process was first, or the hold is gone; `closed`
 */
export async function restoreLease(context: Context, localQueue: LocalQueue, from: HandedOver): Promise<Lease> {
  const { effects, ownerId: owner, identity } = context;
  const { leaseMs } = from;
  const { object } = localQueue;
  const writeLog = new WriteLog();
  const id = effects.newId();
  const command = { from, id, owner, leaseMs, identity };
  const trying = { ...holderPolicy(context, leaseMs), startedAtMs: effects.monotonicMs() };
  const refusal = new AbortController();
  const forget = onAbort(context.closing, () => !writeLog.hasBegun && refusal.abort());
  try {
    const apply = (record: LockRecord | undefined, attempt: Attempt) => {
      const decision = restore(record, command, attempt);
      if (decision.change !== undefined) context.check.begin(trying.timeoutMs);
      return decision;
    };
    const { reply } = await object.swap(apply, {
      ...{ ...trying, writeLog, isConfirmedLater: true },
      from: "store",
      signal: refusal.signal,
    });
    if (reply.kind === "no-token-left") throw noTokenLeft(object);
    if (reply.kind === "gone") throw lossError(object.name, holderLoss(reply.reason));
    const grant = await confirmGrant(
      context,
      object,
      { holder: reply.holder },
      { ...trying, callTime: trying, writeLog, signal: context.closed },
    );
    if (grant === undefined) throw lossError(object.name, "taken-over");
    const lease = new Lease(context, localQueue, grant, { leaseMs });
    if (context.closing.aborted) lease.standing.askToStop("closed");
    localQueue.hold(lease);
    return lease;
  } catch (error) {
    if (refusal.signal.aborted && !writeLog.hasBegun) throw wasClosed(object.name);
    // A close that could not wait for it destroys nothing: what has landed runs out.
    if (context.closed.aborted) throw wasClosed(object.name);
    cancelLeftovers(context, object, { id, writeLog, leaseMs, entry: "possible", isUnused: false });
    throw error;
  } finally {
    forget();
  }
}
