import { confirmation } from "../../core/client/confirmation.js";
import type { Holder } from "../../core/record.js";
import type { ClockReading } from "../../core/store-time.js";
import { release } from "../../core/transition/release.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import type { StoreClock } from "../base/store-clock.js";
import { type StoreCheckPatience, storeIsSafe } from "../check/store-is-safe.js";
import type { Grant, UnconfirmedGrant } from "../hold/grant.js";
import { LeaseClock, type LeaseTiming } from "../hold/lease-clock.js";
import type { LockObject } from "../swap/lock-object.js";
import { holderPolicy } from "../swap/policies.js";
import { renewing } from "../swap/repeatable.js";
import type { RetryOptions } from "../swap/retry-budget.js";
import type { WriteLog } from "../swap/write-log.js";

/**
 * Confirms a grant: a lease is handed out on a store that is known to honour conditions, and once `core/client/confirmation.ts` has
 * nothing against it. Undefined when it was gone by then, or was given back.
 */
export async function confirmGrant(
  context: Context,
  object: LockObject,
  granted: UnconfirmedGrant,
  options: StoreCheckPatience & {
    readonly writeLog: WriteLog;
    readonly timing?: LeaseTiming | undefined;
    /** The lease that was asked for, where the record's may be shorter until the store is known to be safe. */
    readonly leaseMs?: number;
    /** The time of the whole call, where it is not to have that of each renewal anew. */
    readonly callTime?: Pick<RetryOptions, "untilMs" | "startedAtMs">;
  },
): Promise<Grant | undefined> {
  const { writeLog, signal, timing, callTime } = options;
  await storeIsSafe(context, object.name, options);
  if (signal.aborted) return undefined;
  const { clock } = context;
  const isOwn = (writeId: string) => writeLog.isOwn(writeId);
  const { id, token } = granted.holder;
  const leaseMs = Math.max(granted.holder.leaseMs, options.leaseMs ?? 0);
  let { holder } = granted;
  const grantedAt = writeLog.readingOf(holder.leaseWriteId);
  for (let renewals = 0; ; renewals += 1) {
    const reading = writeLog.readingOf(holder.leaseWriteId);
    const leftMs = reading && new LeaseClock(context, leaseMs, reading, timing).remainingMs;
    const next = confirmation({
      ...{ holder, leaseMs, renewalDeadlineMs: timing?.renewalDeadlineMs, leftMs },
      isContradicted: isContradicted(clock, reading),
      isTokenDoubted: granted.isFirstOfRecord === true && isContradicted(clock, grantedAt),
      ...{ lacksStoreTime: clock.lacksStoreTime, hasOneWitness: clock.hasOneWitness },
      ...{ renewals, isUp: isUp(context, callTime) },
    });
    if (next === "give-back") return giveBack(context, object, holder, writeLog);
    if (next === "hand-out" && reading !== undefined) return { holder, reading, writeLog };
    if (next === "too-short") throw (leftMs ?? 0) > 0 ? timeUnknown(object) : leaseTooShort(context, object, leaseMs);
    const command = {
      id,
      token,
      leaseMs,
      onlyUnexpired: false,
      isHeldSinceNow: isContradicted(clock, grantedAt),
      isOwn,
    };
    const policy = { ...holderPolicy(context, leaseMs), ...callTime };
    const { reply } = await object.swap(renewing(command), { ...policy, writeLog, signal });
    if (reply.kind === "gone") return undefined;
    ({ holder } = reply);
  }
}

/** Says whether there is no time left for another renewal: what there is of the lease has to do. */
function isUp({ effects }: Context, callTime?: Pick<RetryOptions, "untilMs">): boolean {
  return effects.monotonicMs() >= (callTime?.untilMs ?? Number.POSITIVE_INFINITY);
}

function isContradicted(clock: StoreClock, reading: ClockReading | undefined): boolean {
  return reading !== undefined && clock.isContradictedSince(reading.monotonicMs);
}

async function giveBack(
  context: Context,
  object: LockObject,
  { id, leaseMs }: Holder,
  writeLog: WriteLog,
): Promise<undefined> {
  const command = { id, isUnused: true, isOwn: (writeId: string) => writeLog.isOwn(writeId) };
  await object.swap((record, attempt) => release(record, command, attempt), {
    ...holderPolicy(context, leaseMs),
    writeLog,
  });
}

function leaseTooShort(context: Context, { name: lockName }: LockObject, leaseMs: number): S3MutexError {
  const roundTripMs = Math.ceil(context.clock.roundTripMs);
  const message = `The lease of ${leaseMs} ms for ${JSON.stringify(lockName)} runs out before the store answers (about ${roundTripMs} ms): use a longer lease.`;
  return new S3MutexError("store-unavailable", message, { lockName });
}

/** Says that the time is not known: enough is left, as far as any answer is believed, but no two of them have agreed since. */
function timeUnknown({ name: lockName }: LockObject): S3MutexError {
  const name = JSON.stringify(lockName);
  const message = `It is not known until when the lock ${name} would be held: no two answers of the store agree on the time. Try again; where that goes on, set the clocks of the servers behind the endpoint right.`;
  return new S3MutexError("store-unavailable", message, { lockName });
}
