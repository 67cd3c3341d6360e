import type { OptionNames } from "../arguments/option-names.js";
import type { Mode } from "../core/record.js";
import type { ListProgress } from "../runtime/inspect/inspect.js";
import type { Lock } from "./lock.js";
import type { LockSet } from "./lock-set.js";

/** What the methods of a mutex take. */

/** Options of `acquire`, `tryAcquire` and `acquireAll`. */
export interface AcquireOptions {
  /**
   * `shared`: together with others who share it, but with no exclusive holder. No caller overtakes: one that asks to share it waits
   * behind an exclusive waiter that came earlier. @default "exclusive"
   */
  readonly mode?: Mode | undefined;
  /**
   * How long to wait, in milliseconds; without it, until it is granted. The call ends by then whatever the store does:
   * `store-unavailable` where the store has not said who has the lock. Less than 2000 is one full attempt,
   * which takes up to a second of silence, or two seconds where the store answers; 0 as well, for 10 s at most.
   */
  readonly timeoutMs?: number | undefined;
  /** Aborted: stop waiting. It does not touch a lock that is held already. */
  readonly signal?: AbortSignal | undefined;
  /** Higher is served first. @default 0 */
  readonly priority?: number | undefined;
  /** The lease, in milliseconds, at least 100. @default the mutex's `lockTimeoutMs` */
  readonly leaseMs?: number | undefined;
  /**
   * For how long the lock stays held at least, in milliseconds from the grant, however soon its work ends: a whole number, at most a
   * year. Given back before, it is kept until then by its record alone: this process need not stay alive, and its own next call waits
   * like all others. A process that dies keeps it until then too, or until its lease ends if that is later. Force ends it at once.
   * For a job that takes a second, started on several machines whose clocks differ. `invalid-argument` in a call that nests.
   * @default 0
   */
  readonly holdAtLeastMs?: number | undefined;
  /** A word about this hold in the record, for people to read. @default the mutex's `label` */
  readonly label?: string | undefined;
  /**
   * For a call inside of a function that holds the lock already (`withLock` and its like, while they run): nest in that instead of
   * failing with `deadlock`. It is the same hold and the same token; calls that nest side by side exclude each other. Anywhere else,
   * also where a bare `acquire` of the same context has the lock, the call waits like any other. @default false
   */
  readonly reentrant?: boolean | undefined;
  /**
   * A handle of this mutex that is still held. On the same lock: nest in it, with a `release` of one's own that does not end the
   * outer; the end of the outer ends the inner (`lost`, with the reason `outer-released`). On another lock: the search for deadlocks
   * takes this call for a part of the work that holds it. `lost` when it is not held any more, `deadlock` for all of a lock within
   * a share in it, `invalid-argument` for a handle of another mutex.
   */
  readonly within?: Lock | LockSet | undefined;
}

/** Options of `tryAcquire`. */
export type TryAcquireOptions = Omit<AcquireOptions, "timeoutMs">;

export const TRY_ACQUIRE_OPTIONS: OptionNames<TryAcquireOptions> = {
  mode: true,
  signal: true,
  priority: true,
  leaseMs: true,
  holdAtLeastMs: true,
  label: true,
  reentrant: true,
  within: true,
};

export const ACQUIRE_OPTIONS: OptionNames<AcquireOptions> = { timeoutMs: true, ...TRY_ACQUIRE_OPTIONS };

/** Options of `withLock` and `withLocks`. */
export interface WithLockOptions extends AcquireOptions {
  /**
   * How long to wait, in milliseconds; without it, the sum of the delays that `retries` comes to: 6.2 s with the defaults. The call
   * ends by then whatever the store does, as that of `acquire`. `Infinity`: until it is granted.
   */
  readonly timeoutMs?: number | undefined;
  /** Instead of the mutex's `maxRetries`, for how long to wait without a `timeoutMs`. */
  readonly retries?: number | undefined;
}

export const WITH_LOCK_OPTIONS: OptionNames<WithLockOptions> = { ...ACQUIRE_OPTIONS, retries: true };

/** Options of `releaseLock` and `deleteLock`. */
export interface ForceOptions {
  /** Also what another owner holds. @default false */
  readonly force?: boolean | undefined;
  /**
   * With `force`: only these holds, by the `acquisitionId` of the holders that `inspect` has shown. A holder that has come to have the
   * lock since was not meant and keeps it. @default all that hold it when the store is asked
   */
  readonly holderIds?: readonly string[] | undefined;
}

export const FORCE_OPTIONS: OptionNames<ForceOptions> = { force: true, holderIds: true };

/** Options of `list`. */
export interface ListOptions {
  /** Only locks whose names start with this. @default all */
  readonly prefix?: string | undefined;
  /** Aborted: the iteration ends with `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each page of keys and each lock. */
  readonly onProgress?: ((progress: ListProgress) => void) | undefined;
}

export const LIST_OPTIONS: OptionNames<ListOptions> = { prefix: true, signal: true, onProgress: true };

/** Options of `health`. */
export interface HealthOptions {
  /** How long the store may take to answer, in milliseconds. @default 2000 */
  readonly timeoutMs?: number | undefined;
}

export const HEALTH_OPTIONS: OptionNames<HealthOptions> = { timeoutMs: true };

/** Options of `watch`. */
export interface WatchOptions {
  /** Only locks whose names start with this. @default all */
  readonly prefix?: string | undefined;
  /** From the beginning of one poll to that of the next, in milliseconds. @default 2000 */
  readonly intervalMs?: number | undefined;
  /** Aborted: the iteration ends. */
  readonly signal?: AbortSignal | undefined;
}

export const WATCH_OPTIONS: OptionNames<WatchOptions> = { prefix: true, intervalMs: true, signal: true };

/** Options of `cleanupStaleLocks`. */
export interface CleanupOptions {
  /** Only keys that start with this; it starts with the mutex's `keyPrefix` itself. @default the `keyPrefix` */
  readonly prefix?: string | undefined;
  /** Only leases last renewed before this, in epoch milliseconds. */
  readonly olderThan?: number | undefined;
  /** Only report. @default false */
  readonly dryRun?: boolean | undefined;
  /** Remove free locks as well, where the store honours conditional deletes. @default false */
  readonly includeReleased?: boolean | undefined;
  /**
   * How long a free lock must have been at rest before it is removed, in milliseconds. Shorter than a request of another
   * process can live (a signature's 15 minutes on AWS), a late request of a dead process can bring back an old token.
   * @default 1200000
   */
  readonly restMs?: number | undefined;
  /** Called after each page of keys and each lock. */
  readonly onProgress?: ((progress: ListProgress) => void) | undefined;
}

export const CLEANUP_OPTIONS: OptionNames<CleanupOptions> = {
  prefix: true,
  olderThan: true,
  dryRun: true,
  includeReleased: true,
  restMs: true,
  onProgress: true,
};
