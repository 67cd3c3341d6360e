import { EventEmitter } from "node:events";
import type { LockReport } from "./core/report.js";
import { createParts, type MutexInternals, type Parts } from "./create-parts.js";
import type { StoreMutexOptions } from "./options/mutex-options.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import type {
  AcquireOptions,
  CleanupOptions,
  ForceOptions,
  HealthOptions,
  ListOptions,
  TryAcquireOptions,
  WatchOptions,
  WithLockOptions,
} from "./primitives/call-options.js";
import type { CloseOptions } from "./primitives/closing.js";
import type { Election, ElectionOptions } from "./primitives/election/election.js";
import type { Lock } from "./primitives/lock.js";
import type { LockSet } from "./primitives/lock-set.js";
import type { OnceRun, RunOnceOptions, RunOnceResult } from "./primitives/once/run-once.js";
import type { Semaphore, SemaphoreOptions } from "./primitives/semaphore/semaphore.js";
import { BY_STORE, type Reach } from "./reach.js";
import type { CloseReport, S3MutexEvents } from "./runtime/base/events.js";
import type { CleanupReport } from "./runtime/inspect/cleanup.js";
import type { Health } from "./runtime/inspect/health.js";
import type { LocksView } from "./runtime/inspect/lock-watcher.js";
import { hideFromClones, STAYS, showAs } from "./shown.js";

/**
 * Locks on a store of the caller's own: what {@link S3Mutex} is besides its S3 client, and `S3Mutex` of `s3-mutex/port`. Share one.
 *
 * Every method throws `invalid-argument` before any request is made, and `no-such-bucket`, `access-denied`, `store-unavailable`,
 * `corrupt-record` or `newer-schema` when the store is the problem: contention is a result, and an error never looks like it.
 * @example
 * ```ts
 * const mutex = new StoreMutex({ store: memoryStore() });
 * const done = await mutex.withLock("nightly", (lock) => report({ signal: lock.signal }));
 * await mutex.close();
 * ```
 */
export class StoreMutex extends EventEmitter<S3MutexEvents> implements AsyncDisposable {
  static {
    showAs<StoreMutex>(StoreMutex, "S3Mutex", (mutex) => ({ ...mutex.#parts.place, ownerId: mutex.ownerId }));
  }

  readonly #parts: Parts;
  /** @internal */
  readonly cannotBeCloned = STAYS.mutex;

  constructor(options: StoreMutexOptions);
  /** @internal */
  constructor(options: S3MutexOptions, internals: MutexInternals | undefined, reach: Reach);
  constructor(options: S3MutexOptions, internals?: MutexInternals, reach: Reach = BY_STORE) {
    super({ captureRejections: true });
    hideFromClones(this);
    this.#parts = createParts(this, options, internals, reach);
  }

  /** Who this instance is in the records. */
  get ownerId(): string {
    return this.#parts.context.ownerId;
  }

  /**
   * Waits for a lock and returns a handle that renews it until it is released.
   * @throws `timed-out`, `aborted`
   * @example
   * ```ts
   * const lock = await mutex.acquire("orders", { timeoutMs: 10_000 });
   * try {
   *   await ship(order, { signal: lock.signal, fencingToken: lock.fencingToken });
   * } finally {
   *   await lock.release();
   * }
   * ```
   */
  acquire(lockName: string, options: AcquireOptions = {}): Promise<Lock> {
    return this.#parts.handles.acquire(lockName, options);
  }

  /** Tries once: a handle, or null when another caller has the lock. */
  tryAcquire(lockName: string, options: TryAcquireOptions = {}): Promise<Lock | null> {
    return this.#parts.handles.tryAcquire(lockName, options);
  }

  /**
   * Runs `fn` while holding the lock, renews it meanwhile, and releases it whatever happens.
   * @returns what `fn` returned, or null when the lock was not had in time
   * @throws what `fn` throws, unchanged; `lost`, with `result`, when the lock was lost while `fn` ran, without it when it was lost before
   * `fn` was called; `aborted`
   * @example
   * ```ts
   * const sent = await mutex.withLock("newsletter", (lock) => send({ signal: lock.signal }), { timeoutMs: 0 });
   * if (sent === null) console.log("another process is at it");
   * ```
   */
  withLock<T>(lockName: string, fn: (lock: Lock) => T | Promise<T>, options: WithLockOptions = {}): Promise<T | null> {
    return this.#parts.handles.withLock(lockName, fn, options);
  }

  /**
   * Acquires several locks, all or none, in an order that is the same everywhere, so that two callers who want the same ones never wait
   * for each other. The time-out is for all of them together. Where one is lost while others are waited for, the call begins anew.
   * @throws `timed-out`, `aborted`, `deadlock`; what had been acquired is given back before
   */
  acquireAll(lockNames: readonly string[], options: AcquireOptions = {}): Promise<LockSet> {
    return this.#parts.handles.acquireAll(lockNames, options);
  }

  /** Runs `fn` while holding several locks, as {@link withLock} does with one. @returns null when not all of them were had in time */
  withLocks<T>(
    lockNames: readonly string[],
    fn: (locks: LockSet) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T | null> {
    return this.#parts.handles.withLocks(lockNames, fn, options);
  }

  /** Runs a function as one line of work: only what is acquired inside of it belongs together in a deadlock. `withLock` does the same. */
  scope<T>(fn: () => T): T {
    return this.#parts.handles.scope(fn);
  }

  /**
   * Runs a function outside of all scopes of this mutex: for servers, intervals and other work that is started under a lock and not as
   * part of the function that holds it. It neither counts as waiting on that function's behalf, nor may it nest in its lock.
   * @returns what `fn` returns
   */
  detached<T>(fn: () => T): T {
    return this.#parts.handles.detached(fn);
  }

  /**
   * Writes the text for the variable `S3_MUTEX_HELD` in the environment of a process that is part of the work under these locks, and for
   * `heldByParent` there: what is held here, and what this mutex was told of by its own `heldByParent`. Without it, a child that asks for
   * a lock of its parent's waits forever, and cannot tell why.
   * @throws `invalid-argument` for locks of another mutex
   */
  heldForChild(held: Lock | LockSet): string {
    return this.#parts.handles.heldForChild(held);
  }

  /**
   * Goes on with a lock that {@link Lock.serialize} ended in another process or worker thread. Its fencing token is greater than before.
   * @throws `lost` when another process has restored it already, or the lock is gone
   */
  restore(text: string): Promise<Lock> {
    return this.#parts.handles.restore(text);
  }

  /**
   * Gives a semaphore: at most so many at once, instead of one. Semaphores are objects of their own under `semaphorePrefix`, and
   * remember their number of permits: it counts for all callers, whatever `permits` says later, until `resize` changes it.
   * @example
   * ```ts
   * const api = mutex.semaphore("payment-api", { permits: 5 });
   * await api.withPermits((permit) => charge(card, { signal: permit.signal }));
   * ```
   */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    return this.#parts.semaphore(name, options);
  }

  /**
   * Gives an election: one leader among many candidates. The leader holds the lock of this name.
   * @example
   * ```ts
   * await mutex.election("scheduler").runWhenLeader((signal) => schedule({ signal }), { signal: shutdown });
   * ```
   */
  election(name: string, options: ElectionOptions = {}): Election {
    return this.#parts.election(name, options);
  }

  /** Reads what a lock says now: who holds it, who waits, the last turns. @returns null when there is no such lock */
  inspect(lockName: string): Promise<LockReport | null> {
    return this.#parts.observer.inspect(lockName);
  }

  /**
   * Reads all locks, or those whose names start with a prefix, in the order of their keys: a LIST for each thousand and a GET for each,
   * 32 at a time. What cannot be read is reported as such and ends nothing.
   */
  list(options: ListOptions = {}): AsyncIterable<LockReport> {
    return this.#parts.observer.list(options);
  }

  /**
   * Looks at all locks again and again, at least 100 ms apart: a LIST for each thousand, and a GET for each that has changed. It ends
   * with its signal, with the mutex, and when the loop over it is left. A store that is away or refuses later is told in a view's `error`.
   * @example
   * ```ts
   * for await (const { locks, changed } of mutex.watch({ prefix: "team/", signal })) draw(locks, changed);
   * ```
   */
  watch(options: WatchOptions = {}): AsyncIterable<LocksView> {
    return this.#parts.observer.watch(options);
  }

  /**
   * Says whether the store answers, and what this mutex holds and waits for: for readiness probes. One GET of an object that is not
   * there. Never rejects, also when the mutex is closed, but for an argument that cannot be right.
   */
  health(options: HealthOptions = {}): Promise<Health> {
    return this.#parts.observer.health(options);
  }

  /**
   * Runs `fn` for this key at most once at a time across all processes, and remembers that it was done, with its result: later calls get
   * that, for one request. A run that throws or dies is not remembered: the next call runs again. The lock is `once/` and the key.
   * @throws what `fn` throws, unchanged; `lost`, with `result`, when another process has taken over while `fn` ran; `invalid-argument`,
   * with `result`, when JSON cannot hold the result; `timed-out`, `aborted`
   * @example
   * ```ts
   * const { result } = await mutex.runOnce("invoice-4711", () => createInvoice(4711));
   * ```
   */
  runOnce<T>(
    key: string,
    fn: (run: OnceRun) => T | Promise<T>,
    options: RunOnceOptions = {},
  ): Promise<RunOnceResult<T>> {
    return this.#parts.once.run(key, fn, options);
  }

  /** Forgets that a key was done, so that the next {@link runOnce} runs again; waits for a run that is under way. @returns whether it was done */
  forget(key: string, options: RunOnceOptions = {}): Promise<boolean> {
    return this.#parts.once.forget(key, options);
  }

  /**
   * Takes a lock for `lockTimeoutMs`. It is not renewed unless {@link refreshLock} is called.
   * @param timeoutMs how long to wait; without it, the sum of the `maxRetries` delays (6.2 s by default)
   * @param priority any safe integer; higher is served first
   * @returns false when another caller still has it when the time is up; another call on this instance is another caller
   */
  acquireLock(lockName: string, timeoutMs?: number, priority = 0): Promise<boolean> {
    return this.#parts.byName.acquire(lockName, timeoutMs, priority);
  }

  /**
   * Releases what {@link acquireLock} took, here or in another instance with the same `ownerId`; never a handle's hold, nor what another
   * request has taken by the same name since this one's lease was over, or while this one was not given it. With `force`, any holder,
   * which may go on believing in it until its next renewal: only the fencing token protects from that. With `holderIds` of
   * {@link inspect} as well, only those holders: later ones were not meant.
   * @returns whether a hold was ended; false with `holderIds` when none of them holds it any more
   */
  releaseLock(lockName: string, options: boolean | ForceOptions = false): Promise<boolean> {
    return this.#parts.byName.release(lockName, options);
  }

  /** Renews what {@link acquireLock} took, for another `lockTimeoutMs`. @returns false once it has expired or was lost */
  refreshLock(lockName: string): Promise<boolean> {
    return this.#parts.byName.refresh(lockName);
  }

  /** Says whether the lock is held. */
  isLocked(lockName: string): Promise<boolean> {
    return this.#parts.byName.isLocked(lockName);
  }

  /** Says whether this instance, or another with the same `ownerId`, holds the lock. */
  isOwnedByUs(lockName: string): Promise<boolean> {
    return this.#parts.byName.isOwnedByUs(lockName);
  }

  /**
   * Removes a lock. An object that was written within the last 20 minutes, and any object on a store without conditional deletes, becomes
   * a tombstone that reads as absent; {@link cleanupStaleLocks} removes it later.
   * @param options `force`: also when another owner holds it, or when the object is not a lock record at all; with `holderIds` of
   * {@link inspect} as well, only while it has no other holder
   * @returns true when there is no such lock any more: by force also where there was none, even where a delete marker in its place keeps
   * the store from creating it anew, which {@link acquire} says how to remove. False when nothing was done: it is not held by
   * {@link acquireLock} of ours, and not forced; or it has a holder that is not among the `holderIds`
   */
  deleteLock(lockName: string, options: boolean | ForceOptions = false): Promise<boolean> {
    return this.#parts.byName.delete(lockName, options);
  }

  /** Frees locks whose leases have ended, each by compare-and-swap, so that one that is taken meanwhile survives. */
  cleanupStaleLocks(options: CleanupOptions = {}): Promise<CleanupReport> {
    return this.#parts.byName.cleanUp(options);
  }

  /**
   * Refuses new work and leaves the queues (`closed`), asks all work under locks to end (the `signal` is aborted with `lost`, reason
   * `closed`, while the lock stays held and renewed), and waits for that, up to `graceMs`. Each lock is given back when its work has
   * ended. What goes on is not given away: its lease runs out, and its call rejects with `lost`. Then nothing is sent any more, and the
   * client is closed if it is ours; a store that does not answer is waited for two seconds. Called from within such work, it does not
   * wait for that. A later call gets the same report, and may shorten the grace.
   * @throws `invalid-argument`
   */
  async close(options: CloseOptions = {}): Promise<CloseReport> {
    return this.#parts.closing.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
