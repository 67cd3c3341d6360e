import type { DeadlockEdge, LossReason, S3MutexError } from "../../errors.js";

/** What a mutex tells while its callers wait and hold; `mutex.on(name, listener)`. */
export interface S3MutexEvents {
  /** A caller has taken a place in the queue; `position` live waiters are ahead of it. */
  enqueued: [{ readonly lockName: string; readonly acquisitionId: string; readonly position: number }];
  /** The number of live waiters ahead has changed. */
  position: [{ readonly lockName: string; readonly acquisitionId: string; readonly position: number }];
  acquired: [AcquiredEvent];
  renewed: [HoldEvent & { /** Epoch milliseconds of the store's clock. */ readonly expiresAt: number }];
  lost: [HoldEvent & { readonly reason: Exclude<LossReason, "released" | "in-doubt">; readonly error: S3MutexError }];
  released: [HoldEvent & { /** How long it was held, in milliseconds. */ readonly heldMs: number }];
  /** A wait of this mutex gives way to break a deadlock. */
  deadlock: [DeadlockEvent];
  /** It was found out whether the store honours conditions (`verify: "auto"`), or could not be. */
  checked: [StoreCheckedEvent];
  /** The mutex is closed; nothing is sent any more. */
  closed: [CloseReport];
}

/** What a check of the store came to, before the first grant of a client and about once a day after that. */
export interface StoreCheckedEvent {
  /**
   * `passed`; `refused`: it ignores conditions, and nothing is written any more until it was asked again; `not-checked`: it could not
   * be asked, as where the key of the check may not be written.
   */
  readonly verdict: "passed" | "refused" | "not-checked";
  /** Who says so: the `record` of a lock or the `marker` of the prefix, which another client has written, or the store, by `requests`. */
  readonly by: "record" | "marker" | "requests";
  /** When it was checked: epoch milliseconds of the store's clock; missing where the store tells no time, and where there was no pass. */
  readonly checkedAt?: number;
  /** Why not: what the next caller of `acquire` gets. */
  readonly error?: S3MutexError;
}

/** Which hold an event is about. */
export interface HoldEvent {
  readonly lockName: string;
  readonly acquisitionId: string;
  readonly fencingToken: number;
}

/** A caller has got a lock. */
export interface AcquiredEvent extends HoldEvent {
  /** How long it waited, in milliseconds. */
  readonly waitedMs: number;
}

/** What a close has to say. */
export interface CloseReport {
  /** Empty when everything was given back, or had ended with its lease. */
  readonly leftBehind: readonly LeftBehind[];
}

/**
 * A lock that a close could not give back, because work may go on under it, or a permit of the semaphore of that name. It becomes free
 * when its lease ends.
 */
export interface LeftBehind extends HoldEvent {
  /** Until when others respect it: epoch milliseconds of the store's clock. */
  readonly expiresAt: number;
  /**
   * `callback`: a function runs under it; `handle`: it was not released; `release`: it was, or no function runs under it any more, or yet,
   * and the store has not answered that.
   */
  readonly kind: "callback" | "handle" | "release";
}

/** The cycle that a victim was found in. */
export interface DeadlockEvent {
  readonly lockName: string;
  readonly acquisitionId: string;
  readonly cycle: readonly DeadlockEdge[];
  /** `orders (held by web-1:4711) -> invoices (held by job-7:99) -> orders` */
  readonly description: string;
}
