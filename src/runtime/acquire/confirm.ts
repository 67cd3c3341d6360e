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
 * A lease is handed out on a store that is known to honour conditions, with at least half of it left, and only if the store's clock is
 * where the lease's expiry assumed it; otherwise it is renewed first, as one is whose expiry comes from the bare wall clock, once an answer has told store time. Undefined when it was gone by then,
 * or is given back: the next one has a token above that of this record and of any time that an answer has told.
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
    if (granted.isFirstOfRecord && isContradicted(clock, grantedAt)) return giveBack(context, object, holder, writeLog);
    const usedMs = Math.min(leaseMs, timing?.renewalDeadlineMs ?? leaseMs);
    const isLast = renewals >= MAX_RENEWALS || isUp(context, callTime);
    const enoughMs = isLast ? 0 : usedMs / 2;
    if (reading !== undefined && isTimed(clock, holder, reading) && holder.leaseMs >= leaseMs) {
      const leftMs = new LeaseClock(context, leaseMs, reading, timing).remainingMs;
      if (leftMs > enoughMs) return { holder, reading, writeLog };
    }
    if (renewals >= MAX_RENEWALS) throw leaseTooShort(context, object, leaseMs);
    const command = { id, token, leaseMs, onlyUnexpired: false, isOwn };
    const policy = { ...holderPolicy(context, leaseMs), ...callTime };
    const { reply } = await object.swap(renewing(command), { ...policy, writeLog, signal });
    if (reply.kind === "gone") return undefined;
    ({ holder } = reply);
  }
}

/** Whether there is no time left for another renewal: what there is of the lease has to do. */
function isUp({ effects }: Context, callTime?: Pick<RetryOptions, "untilMs">): boolean {
  return effects.monotonicMs() >= (callTime?.untilMs ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether its end is where the clock says that it is: two answers at least have told the time, and none since says otherwise; or the
 * record says that it was not told, and there still are not two.
 */
function isTimed(clock: StoreClock, { undated }: Holder, reading: ClockReading): boolean {
  const { lacksStoreTime, hasOneWitness } = clock;
  if (isContradicted(clock, reading)) return false;
  return undated ? lacksStoreTime || hasOneWitness : !hasOneWitness;
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

/** A lease that is over again after this many renewals is too short for the store. */
const MAX_RENEWALS = 3;

function leaseTooShort(context: Context, { name: lockName }: LockObject, leaseMs: number): S3MutexError {
  const roundTripMs = Math.ceil(context.clock.roundTripMs);
  const message = `The lease of ${leaseMs} ms for ${JSON.stringify(lockName)} runs out before the store answers (about ${roundTripMs} ms): use a longer lease.`;
  return new S3MutexError("store-unavailable", message, { lockName });
}
