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
 * that is repeated never reaches a later one of the same owner; nor one that this process has begun since the call, or takes out.
 */

/** Whether the call that is being carried out is not about an acquisition. */
export type IsOther = (acquisitionId: string) => boolean;

export async function releaseByOwner(
  context: Context,
  object: LockObject,
  { leaseMs, isOther }: { readonly leaseMs: number; readonly isOther: IsOther },
): Promise<boolean> {
  const target = new Target(context.ownerId, isOther);
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
  { leaseMs, isOther }: { readonly leaseMs: number; readonly isOther: IsOther },
): Promise<boolean> {
  const target = new Target(context.ownerId, isOther);
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

interface Owner {
  readonly ownerId: string;
  readonly isInNoHands: (acquisitionId: string) => boolean;
  /** As for a renewal. */
  readonly isOverHere: RenewCommand["isOverHere"];
}

/** Says whether this owner, through whichever instance or handle, holds the lock. */
export function isHeldByOwner(
  record: LockRecord | undefined,
  { ownerId, isInNoHands, isOverHere }: Owner,
  attempt: Clocked,
): boolean {
  const isOurs = (holder: Holder) => holder.owner === ownerId && !isReleased(holder) && !isInNoHands(holder.id);
  const isOver = (holder: Holder) => isOverHere?.(holder, attempt) ?? isExpired(holder, attempt);
  return (record?.holders ?? []).some((holder) => isOurs(holder) && !isOver(holder));
}

class Target {
  readonly #ownerId: string;
  readonly #isOther: IsOther;
  #holder: Holder | undefined;

  constructor(ownerId: string, isOther: IsOther) {
    this.#ownerId = ownerId;
    this.#isOther = isOther;
  }

  in(record: LockRecord | undefined): Holder | undefined {
    this.#holder ??= record?.holders.find(
      ({ id, owner, via }) => owner === this.#ownerId && via === "name" && !this.#isOther(id),
    );
    return this.#holder;
  }
}

/** Gives a call by name the time of any other command: nothing here has a lease that the caller's time could be told by. */
function optionsFor(context: Context, leaseMs: number) {
  return { ...commandPolicy(context, leaseMs, { insists: true }), writeLog: new WriteLog(), from: "store" as const };
}
