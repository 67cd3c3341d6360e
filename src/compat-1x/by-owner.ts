import { type Attempt, type Clocked, isExpired } from "../core/expiry.js";
import { remainingMs } from "../core/lease.js";
import { type Holder, isReleased, type LockRecord } from "../core/record.js";
import { release } from "../core/transition/release.js";
import type { RenewCommand } from "../core/transition/renew.js";
import type { Context } from "../runtime/base/context.js";
import { readClocks } from "../runtime/base/timing.js";
import type { LockObject } from "../runtime/swap/lock-object.js";
import { commandPolicy } from "../runtime/swap/policies.js";
import { renewing } from "../runtime/swap/repeatable.js";
import { WriteLog } from "../runtime/swap/write-log.js";

/**
 * What another instance with the same `ownerId` took by name. The acquisition is settled by the first read, so that a call
 * that is repeated never reaches a later one of the same owner; nor one that this process has begun since the call.
 */

/** Whether an acquisition came after the call that is being carried out. */
export type IsLater = (acquisitionId: string) => boolean;

export async function releaseByOwner(
  context: Context,
  object: LockObject,
  { leaseMs, isLater }: { readonly leaseMs: number; readonly isLater: IsLater },
): Promise<boolean> {
  const target = new Target(context.ownerId, isLater);
  const apply = (record: LockRecord | undefined, attempt: Attempt) => {
    const holder = target.in(record);
    return holder === undefined
      ? { reply: { kind: "not-held" as const } }
      : release(record, { id: holder.id }, attempt);
  };
  const { reply } = await object.swap(apply, optionsFor(context, leaseMs));
  return reply.kind === "released";
}

export async function refreshByOwner(
  context: Context,
  object: LockObject,
  { leaseMs, isLater }: { readonly leaseMs: number; readonly isLater: IsLater },
): Promise<boolean> {
  const target = new Target(context.ownerId, isLater);
  let renewal: ReturnType<typeof renewing> | undefined;
  const apply = (record: LockRecord | undefined, attempt: Attempt) => {
    const holder = target.in(record);
    if (holder === undefined) return { reply: { kind: "gone" as const, reason: "taken-over" as const } };
    renewal ??= renewing({ id: holder.id, token: holder.token, leaseMs, onlyUnexpired: true });
    return renewal(record, attempt);
  };
  const options = optionsFor(context, leaseMs);
  const { reply } = await object.swap(apply, options);
  return reply.kind === "renewed" && isLeftOf(reply.holder, options.writeLog, context);
}

/** Says whether anything is left of a lease when its renewal is answered, by this process's clocks: by name its caller cannot look. */
function isLeftOf({ leaseMs, leaseWriteId }: Holder, writeLog: WriteLog, { effects }: Context): boolean {
  const reading = writeLog.readingOf(leaseWriteId);
  return reading !== undefined && remainingMs(leaseMs, reading, readClocks(effects)) > 0;
}

/** Says whether this owner, through whichever instance or handle, holds the lock; `isOverHere`: as for a renewal. */
export function isHeldByOwner(
  record: LockRecord | undefined,
  { ownerId, isOverHere }: { readonly ownerId: string; readonly isOverHere: RenewCommand["isOverHere"] },
  attempt: Clocked,
): boolean {
  const isOurs = (holder: Holder) => holder.owner === ownerId && !isReleased(holder);
  const isOver = (holder: Holder) => isOverHere?.(holder, attempt) ?? isExpired(holder, attempt);
  return (record?.holders ?? []).some((holder) => isOurs(holder) && !isOver(holder));
}

class Target {
  readonly #ownerId: string;
  readonly #isLater: IsLater;
  #holder: Holder | undefined;

  constructor(ownerId: string, isLater: IsLater) {
    this.#ownerId = ownerId;
    this.#isLater = isLater;
  }

  in(record: LockRecord | undefined): Holder | undefined {
    this.#holder ??= record?.holders.find(
      ({ id, owner, via }) => owner === this.#ownerId && via === "name" && !this.#isLater(id),
    );
    return this.#holder;
  }
}

/** Gives a call by name the time of any other command: nothing here has a lease that the caller's time could be told by. */
function optionsFor(context: Context, leaseMs: number) {
  return { ...commandPolicy(context, leaseMs, { insists: true }), writeLog: new WriteLog(), from: "store" as const };
}
