import { type Holder, isCopys } from "../../core/record.js";
import type { AcquireReply } from "../../core/transition/acquire.js";
import { S3MutexError } from "../../errors.js";
import { lossError } from "../hold/loss.js";
import type { LockObject } from "../swap/lock-object.js";
import type { WriteLog } from "../swap/write-log.js";
import type { AcquireRequest } from "./acquire-request.js";

/** Throws at replies that are neither a grant nor a place in the queue: waiting would change nothing about them. */
export function throwIfRefused(object: LockObject, request: AcquireRequest, reply: AcquireReply): void {
  if (reply.kind === "limit-differs") throw limitDiffers(object, reply.limit);
  if (reply.kind === "no-limit") throw noLimit(object);
  if (reply.kind === "too-few") throw tooFew(object, request, reply.limit);
  if (reply.kind === "other-shares") throw new AskElsewhere("other-shares");
  if (reply.kind === "full" && request.share !== undefined) throw new AskElsewhere("full");
  if (reply.kind === "full") throw noRoom(object, reply);
  if (reply.kind === "no-token-left") throw noTokenLeft(object);
}

/** Throws when what was granted is that of a copy of this process, which writes under the same id. */
export function throwIfCopys({ name }: LockObject, holder: Holder, writeLog: WriteLog): void {
  const own = { id: holder.id, isOwn: (writeId: string) => writeLog.isOwn(writeId) };
  if (isCopys(holder, own)) throw lossError(name, "cloned");
}

/**
 * It is one of a semaphore's records, and not the one to wait at: it has no room for one more holder, or its shares are others than
 * the caller knows of. Never leaves this library.
 */
export class AskElsewhere extends Error {
  readonly why: "other-shares" | "full";

  constructor(why: AskElsewhere["why"]) {
    super(why);
    this.why = why;
  }
}

/** Says that there is nothing above the fencing token of the lock that a grant could have. */
export function noTokenLeft({ name: lockName, key }: LockObject): S3MutexError {
  const message = `The lock ${JSON.stringify(lockName)} cannot be granted: its fencing token is as high as one can be, which no number of grants leads to. Find out who has written it; then use another name, or remove the object at key ${JSON.stringify(key)} by hand while no client uses the lock: its tokens begin anew at the store's time, lower than before.`;
  return new S3MutexError("corrupt-record", message, { lockName });
}

function limitDiffers({ name: lockName }: LockObject, limit: number): S3MutexError {
  const message = `${JSON.stringify(lockName)} has ${limit} permits: its object is a semaphore's, and this call takes it for a lock's. Use another name, or another prefix.`;
  return new S3MutexError("permits-differ", message, { lockName });
}

/** Refuses what can never be had, for all that is known; a caller that says a higher number is told where that comes from. */
export function tooFew(
  { name: lockName }: Pick<LockObject, "name">,
  { permits, limit }: Pick<AcquireRequest, "permits" | "limit">,
  stored: number,
): S3MutexError {
  if (typeof limit !== "number" || permits > limit) {
    const message = `permits is ${permits}: the semaphore has ${stored}; ask for that many at most.`;
    return new S3MutexError("invalid-argument", message, { lockName });
  }
  const message = `${JSON.stringify(lockName)} has ${stored} ${stored === 1 ? "permit" : "permits"}; this caller says ${limit}, and asks for ${permits} of them at once. The stored number counts: change it with resize(${limit}), or ask for fewer.`;
  return new S3MutexError("permits-differ", message, { lockName });
}

/** Refuses more than one record has, since each call takes its permits out of one record. */
export function largerThanShares(
  { name: lockName }: Pick<LockObject, "name">,
  { permits }: Pick<AcquireRequest, "permits">,
  { number, records, largest }: { readonly number: number; readonly records: number; readonly largest: number },
): S3MutexError {
  const message = `permits is ${permits}: the ${number} permits of ${JSON.stringify(lockName)} lie in ${records} records, and one call takes all of its out of one of them: ask for ${largest} at most, or count in larger units.`;
  return new S3MutexError("invalid-argument", message, { lockName });
}

/** Says that every record with a free permit has as many holders as it has room for; no caller is to wait for permits that are free. */
export function noRoomAnywhere(
  { name: lockName }: Pick<LockObject, "name">,
  { number, records, holders }: { readonly number: number; readonly records: number; readonly holders: number },
): S3MutexError {
  const message = `permits is ${number}: ${holders} holders of ${JSON.stringify(lockName)} have theirs, and its ${records} records have no room for one more. Take several permits at a time, or spread the work over several semaphores.`;
  return new S3MutexError("invalid-argument", message, { lockName });
}

/** Says that there were permits for a caller when its time was up: so many asked at once that its turn did not come. */
export function tooManyAtOnce({ name: lockName }: Pick<LockObject, "name">, waitedMs: number): S3MutexError {
  const message = `Permits of ${JSON.stringify(lockName)} were free, but too many callers asked at once for ${Math.round(waitedMs)} ms: allow more time.`;
  return new S3MutexError("timed-out", message, { lockName });
}

/** Says that no record of a semaphore has said anything in time, and what was answered in place of that, where anything was. */
export function unanswered(lockName: string, waitedMs: number, cause: S3MutexError | undefined): S3MutexError {
  const what = `The store did not say within ${Math.round(waitedMs)} ms whether a permit of ${JSON.stringify(lockName)} is free.`;
  if (cause === undefined) return new S3MutexError("store-unavailable", what, { lockName });
  return new S3MutexError("store-unavailable", `${what} ${cause.message}`, { lockName, cause });
}

function noLimit({ name: lockName }: LockObject): S3MutexError {
  const message = `permits is "stored": it is not known yet how many permits ${JSON.stringify(lockName)} has; pass a number, or set it with resize().`;
  return new S3MutexError("invalid-argument", message, { lockName });
}

/** Refuses one more holder: waiting would say that there are no permits left, which is not so. */
function noRoom(
  { name: lockName }: LockObject,
  { limit, holders }: { readonly limit: number; readonly holders: number },
): S3MutexError {
  const message = `permits is ${limit}: ${holders} holders of ${JSON.stringify(lockName)} have theirs, and its record has no room for one more. Take several permits at a time, or spread the work over several semaphores.`;
  return new S3MutexError("invalid-argument", message, { lockName });
}
