/**
 * Everything that this library throws is an {@link S3MutexError} with one of these codes. The set is closed within a
 * major version's minor releases only by addition: a new code is announced in the CHANGELOG.
 *
 * | Code | Meaning | What to do |
 * | --- | --- | --- |
 * | `timed-out` | another caller still had the lock when the time was up; `holders` says who | wait longer, or do without |
 * | `aborted` | the caller's `signal` was aborted while it waited | nothing: the caller asked for it |
 * | `lost` | the lock was held and is no longer; `reason` says why | stop; whatever was under way needs the fencing token |
 * | `deadlock` | this wait was part of a cycle and was chosen to give way, or it waited for itself | release what is held, then try again |
 * | `invalid-argument` | an argument cannot be right, or there is no option of this name; the message has the value and the remedy | fix the call |
 * | `corrupt-record` | the object under the lock's key is not a lock record, or its token is as high as one can be; or a fenced object has no envelope | look at it; `deleteLock(name, true)` clears a lock |
 * | `newer-schema` | a later major version wrote the record | upgrade this process |
 * | `no-such-bucket` | the bucket does not exist | create it, or set `createBucketIfNotExists` |
 * | `access-denied` | the store refused the request | grant the action that the message names |
 * | `store-unavailable` | the store did not answer in time, or something else answered in its place: a proxy, an ingress, a portal; the message quotes it | try again later |
 * | `store-unsafe` | the store breaks a rule that locks rest on | use another store; the message names the fault |
 * | `permits-differ` | a semaphore has fewer permits than this call asks for at once, although not fewer than this caller expects; the message shows both numbers | `resize`, or ask for fewer |
 * | `fenced-out` | a holder with a newer fencing token has opened the object | stop: this holder is a zombie |
 * | `closed` | the mutex was closed | use a new one |
 */
export type S3MutexErrorCode =
  | "timed-out"
  | "aborted"
  | "lost"
  | "deadlock"
  | "invalid-argument"
  | "corrupt-record"
  | "newer-schema"
  | "no-such-bucket"
  | "access-denied"
  | "store-unavailable"
  | "store-unsafe"
  | "permits-differ"
  | "fenced-out"
  | "closed";

/**
 * Why a lock was lost: its lease ran out before it could be renewed, another holder took it over after that, it was released
 * by force, its object was deleted, or the store could not be reached until the lease was over; or a copy of its process (a virtual machine or container
 * that was cloned) goes on with it (`cloned`). Of a handle that nests in another: what it nests in was released (`outer-released`).
 *
 * Two reasons ask to stop before anything is lost: the mutex is being closed (`closed`), the leader resigns (`resigned`). A
 * signal with one of them means that the lock is held, and renewed, until the work under it has ended; for `closed`, no longer
 * than the grace of `close()` and the lease after it.
 *
 * Two reasons say that a lock is not known to be held, without a loss: the caller released it or handed it over (`released`), or the clocks of this
 * machine disagree about its lease while the store is being asked (`in-doubt`). Only `assertHeld()`, and what rests on it, fails
 * with them; no signal and no event has them.
 */
export type LossReason =
  | "expired"
  | "taken-over"
  | "force-released"
  | "deleted"
  | "store-unavailable"
  | "closed"
  | "resigned"
  | "cloned"
  | "outer-released"
  | "released"
  | "in-doubt";

const RETRYABLE: ReadonlySet<S3MutexErrorCode> = new Set<S3MutexErrorCode>([
  "timed-out",
  "lost",
  "deadlock",
  "store-unavailable",
]);

/** One step of a deadlock: a lock, and who holds it while waiting for the lock of the step after. */
export interface DeadlockEdge {
  readonly lockName: string;
  readonly owner: string;
  readonly host?: string;
  readonly pid?: number;
  readonly label?: string;
  readonly fencingToken: number;
  readonly priority: number;
}

/** Who has a lock, as its record said when it was last read: for people, and no reason to believe anything. */
export interface LockHolder {
  /** As `inspect` and the events of a mutex have it. */
  readonly acquisitionId: string;
  readonly owner: string;
  readonly host?: string;
  readonly pid?: number;
  readonly label?: string;
  readonly fencingToken: number;
  /** Since when, in epoch milliseconds of the store's clock. */
  readonly acquiredAt: number;
  /** Until when, unless it is renewed: epoch milliseconds of the store's clock. */
  readonly expiresAt: number;
  /** When it was given back, where it stays held until `expiresAt` because of its `holdAtLeastMs`. */
  readonly releasedAt?: number;
}

/** What an {@link S3MutexError} can carry besides its code and message. */
export interface S3MutexErrorDetails {
  readonly cause?: unknown;
  /** The lock that the error is about. */
  readonly lockName?: string;
  /** With code `lost`: why. */
  readonly reason?: LossReason;
  /** With code `lost` from `withLock`: what the function returned although the lock was gone. */
  readonly result?: unknown;
  /** With code `deadlock`: the cycle, beginning with the lock that was waited for. */
  readonly cycle?: readonly DeadlockEdge[];
  /** With code `timed-out`: who has the lock. */
  readonly holders?: readonly LockHolder[];
  /** From a fenced object: the change may have been made, or may still be: it is not known; without it, it was not. */
  readonly maybeApplied?: boolean;
}

/** What every error with this code carries. */
export type DetailsOf<Code extends S3MutexErrorCode> = { readonly code: Code } & (Code extends keyof RequiredDetails
  ? RequiredDetails[Code]
  : unknown);

/** The details that errors of some codes never lack. */
export interface RequiredDetails {
  readonly lost: { readonly reason: LossReason };
  readonly deadlock: { readonly cycle: readonly DeadlockEdge[] };
}

/** The codes whose errors need no details. */
export type CodeWithoutDetails = Exclude<S3MutexErrorCode, keyof RequiredDetails>;

/** The only error class of this library; see {@link S3MutexErrorCode} for what each code means and asks for. */
export class S3MutexError extends Error {
  override readonly name = "S3MutexError";
  readonly code: S3MutexErrorCode;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean;
  // Declared only: an error has just the details that it was given.
  declare readonly lockName?: string;
  declare readonly reason?: LossReason;
  declare readonly result?: unknown;
  declare readonly cycle?: readonly DeadlockEdge[];
  declare readonly holders?: readonly LockHolder[];
  declare readonly maybeApplied?: boolean;

  constructor(code: Exclude<S3MutexErrorCode, keyof RequiredDetails>, message: string, details?: S3MutexErrorDetails);
  constructor(code: "lost", message: string, details: S3MutexErrorDetails & RequiredDetails["lost"]);
  constructor(code: "deadlock", message: string, details: S3MutexErrorDetails & RequiredDetails["deadlock"]);
  constructor(code: S3MutexErrorCode, message: string, details: S3MutexErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    if (details.lockName !== undefined) this.lockName = details.lockName;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.cycle !== undefined) this.cycle = details.cycle;
    if (details.holders !== undefined) this.holders = details.holders;
    if (details.maybeApplied !== undefined) this.maybeApplied = details.maybeApplied;
    if ("result" in details) this.result = details.result;
  }

  /** Describes the error for loggers of JSON: with the message, without the stack, and without what the caller's function returned. */
  toJSON(): Record<string, unknown> {
    const { result: _, cause, message, ...details } = this;
    return { ...details, message, ...(cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {}) };
  }

  /** Says whether this is such an error, of any copy of this package: two installed versions do not share a class. */
  static is(error: unknown): error is S3MutexError;
  static is<Code extends S3MutexErrorCode>(error: unknown, code: Code): error is S3MutexError & DetailsOf<Code>;
  static is(error: unknown, code?: S3MutexErrorCode): boolean {
    return (
      error instanceof Error &&
      error.name === "S3MutexError" &&
      "code" in error &&
      (code === undefined || error.code === code)
    );
  }
}

/** Puts the same failure in other words: with all details that it has, and more. */
export function reworded(error: S3MutexError, message: string, added: S3MutexErrorDetails): S3MutexError {
  const { lockName, reason, cycle, holders, maybeApplied } = error;
  const own = {
    lockName,
    reason,
    cycle,
    holders,
    maybeApplied,
    ...("result" in error ? { result: error.result } : {}),
  };
  // What this code needs, the error has.
  return new S3MutexError(error.code as CodeWithoutDetails, message, { ...own, ...added } as S3MutexErrorDetails);
}
