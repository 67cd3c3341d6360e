import { EventEmitter } from "node:events";
import {
  checkBoolean,
  checkDuration,
  checkFiniteDuration,
  checkFunction,
  checkLockName,
  checkOptions,
  checkPart,
  checkString,
  invalidArgument,
  withDefault,
} from "./arguments/checks.js";
import { NamedLocks } from "./compat-1x/named-locks.js";
import { nameOfKey } from "./core/names.js";
import type { LockRef } from "./core/record.js";
import type { LockReport } from "./core/report.js";
import { DEFAULT_REST_MS } from "./core/transition/remove.js";
import { createContext, type MutexInternals } from "./create-context.js";
import { S3MutexError } from "./errors.js";
import type { Settings, StoreMutexOptions } from "./options/mutex-options.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import { settingsOf } from "./options/settings.js";
import type { AcquireCall } from "./primitives/acquire-call.js";
import { Acquirer } from "./primitives/acquirer.js";
import {
  ACQUIRE_OPTIONS,
  type AcquireOptions,
  CLEANUP_OPTIONS,
  type CleanupOptions,
  type ForceOptions,
  HEALTH_OPTIONS,
  type HealthOptions,
  type ListOptions,
  TRY_ACQUIRE_OPTIONS,
  type TryAcquireOptions,
  type WatchOptions,
  WITH_LOCK_OPTIONS,
  type WithLockOptions,
} from "./primitives/call-options.js";
import { type CloseOptions, Closing } from "./primitives/closing.js";
import { Election, type ElectionOptions } from "./primitives/election/election.js";
import { checkForce } from "./primitives/force.js";
import { readHandOver } from "./primitives/hand-over.js";
import type { HeldLock, Lock } from "./primitives/lock.js";
import type { HeldLockSet, LockSet } from "./primitives/lock-set.js";
import { Observer } from "./primitives/observer.js";
import { runGuarded, runHolding } from "./primitives/run-holding.js";
import { Once, type OnceRun, type RunOnceOptions, type RunOnceResult } from "./primitives/run-once.js";
import { Semaphore, type SemaphoreOptions } from "./primitives/semaphore/semaphore.js";
import { SeveralRecords } from "./primitives/semaphore/several-records.js";
import { notFree, timedOut } from "./primitives/timed-out.js";
import { BY_STORE, type Reach } from "./reach.js";
import { LocalLines } from "./runtime/acquire/local-line.js";
import { recordsOf } from "./runtime/acquire/semaphore-records.js";
import { wasClosed } from "./runtime/base/closed.js";
import type { Context, Emit } from "./runtime/base/context.js";
import type { CloseReport, S3MutexEvents } from "./runtime/base/events.js";
import { hearRejections, tellListeners } from "./runtime/base/listeners.js";
import { withoutGuards } from "./runtime/hold/guarding.js";
import type { Lease } from "./runtime/hold/lease.js";
import { type Scope, Scopes } from "./runtime/hold/scope.js";
import { type CleanupReport, cleanupAll } from "./runtime/inspect/cleanup.js";
import { checkHealth, type Health } from "./runtime/inspect/health.js";
import type { LocksView } from "./runtime/inspect/lock-watcher.js";
import type { LockObject } from "./runtime/swap/lock-object.js";
import { LockObjects } from "./runtime/swap/lock-objects.js";
import { hideFromClones, INSPECT, type Inspect, STAYS } from "./shown.js";

/**
 * Locks on a store of the caller's own: what {@link S3Mutex} is besides its S3 client, and `S3Mutex` of `s3-mutex/port`. Cheap to make;
 * share one per bucket in a process.
 *
 * Every method throws `invalid-argument` before any request is made, and `no-such-bucket`, `access-denied`,
 * `store-unavailable`, `corrupt-record` or `newer-schema` when the store is the problem: contention is a result, never an
 * error, and an error never looks like contention.
 *
 * @example
 * ```ts
 * const mutex = new StoreMutex({ store: memoryStore() });
 * const done = await mutex.withLock("nightly", (lock) => report({ signal: lock.signal }));
 * await mutex.close();
 * ```
 */
export class StoreMutex extends EventEmitter<S3MutexEvents> implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #closing: Closing;
  readonly #objects: LockObjects;
  readonly #named: NamedLocks;
  readonly #acquirer: Acquirer;
  readonly #observer: Observer;
  readonly #once: Once;
  readonly #scopes = new Scopes();
  /** @internal */
  readonly cannotBeCloned = STAYS.mutex;

  constructor(options: StoreMutexOptions);
  /** @internal */
  constructor(options: S3MutexOptions, internals: MutexInternals | undefined, reach: Reach);
  constructor(options: S3MutexOptions, internals?: MutexInternals, reach: Reach = BY_STORE) {
    super({ captureRejections: true });
    hideFromClones(this);
    const settings = settingsOf(options, reach.bucketOf);
    this.#settings = settings;
    const emit: Emit = (name, event) => tellListeners(this, { logger: this.#context.logger, name, event });
    const { context, stopWaiting, shutDown } = createContext(options, settings, { internals, reach, emit });
    this.#context = context;
    hearRejections(this, context.logger);
    this.#objects = new LockObjects(context);
    const lines = new LocalLines(context);
    this.#acquirer = new Acquirer(context, this.#settings, lines, (ref) => this.#objectOf(ref));
    const releaseHandles = () => this.#acquirer.releaseHandles();
    this.#closing = new Closing(context, { stopWaiting, releaseHandles, shutDown });
    this.#observer = new Observer(context, this.#settings, this.#scopes);
    this.#once = new Once(context, this.#settings, this.#scopes, (...call) => this.#holding(...call));
    this.#named = new NamedLocks(context, lines, this.#scopes, this.#settings.leaseMs);
  }

  /** Who this instance is in the records. */
  get ownerId(): string {
    return this.#context.ownerId;
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const { bucketName, keyPrefix } = this.#settings;
    return `S3Mutex ${inspect({ bucketName, keyPrefix, ownerId: this.ownerId }, options)}`;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Handles

  /**
   * Waits for a lock and returns a handle that renews it until it is released.
   * @throws `timed-out`, `aborted`
   *
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
  async acquire(lockName: string, options: AcquireOptions = {}): Promise<Lock> {
    checkOptions("options", options, ACQUIRE_OPTIONS);
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const object = this.#object(lockName);
    const lock = await this.#scopes.line((scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }));
    if (lock !== undefined) return lock;
    throw notFree(object, options);
  }

  /** One attempt: a handle, or null when another caller has the lock. */
  async tryAcquire(lockName: string, options: TryAcquireOptions = {}): Promise<Lock | null> {
    const attempt = { ...checkOptions("options", options, TRY_ACQUIRE_OPTIONS), timeoutMs: 0 };
    const call = { options: attempt, patienceMs: 0, isAttempt: true };
    const taking = this.#scopes.line((scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }));
    return (await taking) ?? null;
  }

  /**
   * Runs `fn` while holding the lock, renews it meanwhile, and releases it whatever happens.
   * @returns what `fn` returned, or null when the lock was not had in time
   * @throws what `fn` throws, unchanged; `lost`, with `result`, when the lock was lost while `fn` ran; `aborted`
   *
   * @example
   * ```ts
   * const sent = await mutex.withLock("newsletter", (lock) => send({ signal: lock.signal }), { timeoutMs: 0 });
   * if (sent === null) console.log("another process is at it");
   * ```
   */
  async withLock<T>(
    lockName: string,
    fn: (lock: Lock) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T | null> {
    return this.#runWith<HeldLock, T>(fn, options, (call) => this.#acquirer.handle({ name: lockName }, call));
  }

  /**
   * Acquires several locks, all or none, in an order that is the same everywhere, so that two callers who want the same ones
   * never wait for each other. The time-out is for all of them together.
   * @throws `timed-out`, `aborted`, `deadlock`; what had been acquired is given back before
   */
  async acquireAll(lockNames: readonly string[], options: AcquireOptions = {}): Promise<LockSet> {
    checkOptions("options", options, ACQUIRE_OPTIONS);
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const taken = await this.#scopes.line((scope) => this.#acquirer.all(lockNames, { ...call, scope }));
    if ("set" in taken) return taken.set;
    const { name } = taken.missing;
    const sentence = `Not all of ${JSON.stringify(lockNames)} were free within ${options.timeoutMs} ms: ${JSON.stringify(name)} was not.`;
    throw timedOut(taken.missing, sentence);
  }

  /** {@link withLock} for several locks at once. @returns null when not all of them were had in time */
  async withLocks<T>(
    lockNames: readonly string[],
    fn: (locks: LockSet) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T | null> {
    return this.#runWith<HeldLockSet, T>(fn, options, async (call) => {
      const taken = await this.#acquirer.all(lockNames, call);
      return "set" in taken ? taken.set : undefined;
    });
  }

  /**
   * Runs a function as one line of work: what is acquired inside of it belongs together when deadlocks are looked for, and
   * nothing else does. `withLock` does the same.
   */
  scope<T>(fn: () => T): T {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    return this.#scopes.run(fn);
  }

  /**
   * Runs a function outside of all scopes of this mutex: for servers, intervals and other work that is started under a lock and is
   * no part of the function that holds it. It neither counts as waiting on that function's behalf, nor may it nest in its lock.
   * @returns what `fn` returns
   */
  detached<T>(fn: () => T): T {
    const run = checkFunction<() => T>("fn", fn);
    return this.#scopes.detached(() => withoutGuards(this.#context.holdings.leases, run));
  }

  /**
   * For the environment variable `S3_MUTEX_HELD` of a process that is part of the work under these locks, and for `heldByParent`
   * there: what is held here, and what this mutex was told of by its own `heldByParent`. Without it, a child that asks for a lock
   * of its parent's waits forever, and cannot tell why.
   * @throws `invalid-argument` for locks of another mutex
   */
  heldForChild(held: Lock | LockSet): string {
    return this.#acquirer.heldForChild(held);
  }

  /**
   * Goes on with a lock that {@link Lock.serialize} ended elsewhere: in another process, or in a worker thread. Its fencing
   * token is a new one, greater than before.
   * @throws `lost` when another process has restored it already, or the lock is gone
   */
  async restore(text: string): Promise<Lock> {
    const { ref, place, from } = readHandOver(text);
    const { key } = this.#objectOf(ref);
    const { bucketName } = this.#settings;
    if (place.bucketName !== bucketName || place.key !== key) {
      const remedy = `it is about ${place.key} in the bucket ${place.bucketName}, and this mutex would look at ${key} in ${bucketName}`;
      throw invalidArgument("text", text, remedy);
    }
    return this.#scopes.line((scope) => this.#acquirer.restore(ref, from, scope));
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Other primitives

  /**
   * At most so many at once, instead of one. Semaphores are objects of their own under `semaphorePrefix`, and remember their
   * number of permits: it counts for all callers, whatever `permits` says later, until `resize` changes it.
   *
   * @example
   * ```ts
   * const api = mutex.semaphore("payment-api", { permits: 5 });
   * await api.withPermits((permit) => charge(card, { signal: permit.signal }));
   * ```
   */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    const objectOf = (ref: LockRef) => this.#objectOf(ref);
    const records = recordsOf(this.#context, objectOf({ kind: "semaphore", name }), objectOf);
    const several = new SeveralRecords(this.#context, this.#acquirer, records, this.#settings.leaseMs);
    return new Semaphore(this.#context, this.#acquirer, this.#scopes, several, options);
  }

  /**
   * One leader among many candidates. The leader holds the lock of this name.
   *
   * @example
   * ```ts
   * await mutex.election("scheduler").runWhenLeader((signal) => schedule({ signal }), { signal: shutdown });
   * ```
   */
  election(name: string, options: ElectionOptions = {}): Election {
    return new Election(this.#context, this.#acquirer, this.#scopes, this.#object(name), options);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Looking on: nothing of this changes a lock, and nothing of it may be believed for longer than it takes to read

  /** What a lock says now: who holds it, who waits, the last turns. @returns null when there is no such lock */
  async inspect(lockName: string): Promise<LockReport | null> {
    return this.#observer.inspect(this.#object(lockName));
  }

  /**
   * Reads all locks, or those whose names start with a prefix, in the order of their keys: a LIST for each thousand and a GET
   * for each, 32 at a time. What cannot be read is reported as such and ends nothing.
   */
  list(options: ListOptions = {}): AsyncIterable<LockReport> {
    this.#checkOpen();
    return this.#observer.list(options);
  }

  /**
   * Looks at all locks again and again, at least 100 ms apart: a LIST for each thousand, and a GET for each that has changed.
   * It ends with its signal, when the mutex is closed, and when the loop over it is left. A store that is away, and
   * one that refuses later, is told in `error` of a view.
   *
   * @example
   * ```ts
   * for await (const { locks, changed } of mutex.watch({ prefix: "team/", signal })) draw(locks, changed);
   * ```
   */
  watch(options: WatchOptions = {}): AsyncIterable<LocksView> {
    this.#checkOpen();
    return this.#observer.watch(options);
  }

  /**
   * Whether the store answers, and what this mutex holds and waits for: for readiness probes. One GET of an object that is not
   * there. Never rejects, also when the mutex is closed; only an argument that cannot be right throws.
   */
  async health(options: HealthOptions = {}): Promise<Health> {
    const timeoutMs = withDefault(
      "timeoutMs",
      checkOptions("options", options, HEALTH_OPTIONS).timeoutMs,
      2000,
      checkFiniteDuration,
    );
    return checkHealth(this.#context, `${this.#settings.keyPrefix}.s3-mutex/health`, timeoutMs);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Done once

  /**
   * Runs `fn` for this key at most once at a time across all processes, and remembers that it was done, with its result: later
   * calls get that without running it, for one request. A run that throws or dies is not remembered, and the next call runs again.
   * The lock is called `once/` and the key.
   * @throws what `fn` throws, unchanged; `lost`, with `result`, when another process has taken over while `fn` ran;
   * `invalid-argument`, with `result`, when JSON cannot hold the result; `timed-out`, `aborted`
   *
   * @example
   * ```ts
   * const { result } = await mutex.runOnce("invoice-4711", () => createInvoice(4711));
   * ```
   */
  async runOnce<T>(
    key: string,
    fn: (run: OnceRun) => T | Promise<T>,
    options: RunOnceOptions = {},
  ): Promise<RunOnceResult<T>> {
    this.#checkOpen();
    return this.#once.run(key, fn, options);
  }

  /** Forgets that a key was done, so that the next {@link runOnce} runs again; waits for a run that is under way. @returns whether it was done */
  async forget(key: string, options: RunOnceOptions = {}): Promise<boolean> {
    this.#checkOpen();
    return this.#once.forget(key, options);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The API of s3-mutex 1.x: locks known by their names

  /**
   * Takes a lock for `lockTimeoutMs`. It is not renewed unless {@link refreshLock} is called.
   * @param timeoutMs how long to wait; without it, the sum of the `maxRetries` delays (6.2 s by default)
   * @param priority any safe integer; higher is served first
   * @returns false when another caller still has it when the time is up; another call on this instance is another caller
   */
  async acquireLock(lockName: string, timeoutMs?: number, priority = 0): Promise<boolean> {
    const patienceMs = this.#acquirer.patienceMs(undefined);
    const object = this.#object(lockName);
    const call = { options: { timeoutMs, priority }, patienceMs, via: "name" } as const;
    const take = async (scope: Scope) => {
      let lease: Lease | undefined;
      try {
        lease = await this.#acquirer.lease({ name: lockName }, { ...call, scope });
      } finally {
        if (lease === undefined) this.#named.noteRefusal(object, scope);
      }
      if (lease?.standing.wasClosed) return this.#acquirer.giveBackUnseen(lease);
      if (lease !== undefined) this.#named.add(object, lease, scope);
      return lease !== undefined;
    };
    try {
      return await this.#scopes.line(take);
    } catch (error) {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      this.#context.logger.warn(`acquireLock(${JSON.stringify(lockName)}) gave way`, { err: error });
      return false;
    }
  }

  /**
   * Releases what {@link acquireLock} took, here or in another instance with the same `ownerId`; never a handle's hold, nor what
   * another request has taken by the same name since this one's lease was over, or while this one was not given it. With
   * `force`, any holder, which may go on believing in it until its next renewal: only the fencing token protects from that.
   * With `holderIds` of {@link inspect} as well, only those holders: later ones were not meant.
   * @returns whether a hold was ended; false with `holderIds` when none of them holds it any more
   */
  async releaseLock(lockName: string, options: boolean | ForceOptions = false): Promise<boolean> {
    const force = checkForce(options);
    return force.isForced
      ? this.#named.forceRelease(this.#object(lockName), force.seen)
      : this.#named.release(this.#heldObject(lockName));
  }

  /** Renews what {@link acquireLock} took, for another `lockTimeoutMs`. @returns false once it has expired or was lost */
  async refreshLock(lockName: string): Promise<boolean> {
    return this.#named.refresh(this.#heldObject(lockName));
  }

  /** Whether the lock is held. */
  async isLocked(lockName: string): Promise<boolean> {
    return this.#named.isLocked(this.#object(lockName));
  }

  /** Whether this instance, or another with the same `ownerId`, holds the lock. */
  async isOwnedByUs(lockName: string): Promise<boolean> {
    return this.#named.isOwnedByUs(this.#heldObject(lockName));
  }

  /**
   * Removes a lock. An object that was written within the last 20 minutes, and any object on a store without conditional
   * deletes, becomes a tombstone that reads as absent; {@link cleanupStaleLocks} removes it later.
   * @param options `force`: also when another owner holds it, or when the object is not a lock record at all; with `holderIds` of
   * {@link inspect} as well, only while it has no other holder
   * @returns true when there is no such lock any more: by force also where there was none, even where a delete marker in its place keeps
   * the store from creating it anew, which {@link acquire} says how to remove. False when nothing was done: it is not held by
   * {@link acquireLock} of ours, and not forced; or it has a holder that is not among the `holderIds`
   */
  async deleteLock(lockName: string, options: boolean | ForceOptions = false): Promise<boolean> {
    const force = checkForce(options);
    const object = force.isForced ? this.#object(lockName) : this.#heldObject(lockName);
    return this.#named.delete(object, { force, restMs: DEFAULT_REST_MS });
  }

  /** Frees locks whose leases have ended, each by compare-and-swap, so that one that is taken meanwhile survives. */
  async cleanupStaleLocks(options: CleanupOptions = {}): Promise<CleanupReport> {
    this.#checkOpen();
    this.#scopes.noteCall();
    checkOptions("options", options, CLEANUP_OPTIONS);
    const { keyPrefix } = this.#settings;
    const prefix = withDefault("prefix", options.prefix, keyPrefix, checkString);
    if (!prefix.startsWith(keyPrefix)) {
      throw invalidArgument("prefix", prefix, `start it with the keyPrefix, ${JSON.stringify(keyPrefix)}`);
    }
    return cleanupAll(this.#context, {
      prefix,
      dryRun: withDefault("dryRun", options.dryRun, false, checkBoolean),
      command: {
        olderThanMs: withDefault("olderThan", options.olderThan, undefined, checkDuration),
        includeReleased: withDefault("includeReleased", options.includeReleased, false, checkBoolean),
        restMs: withDefault("restMs", options.restMs, DEFAULT_REST_MS, checkDuration),
      },
      onProgress: withDefault<CleanupOptions["onProgress"]>("onProgress", options.onProgress, undefined, checkFunction),
      lockOf: (key) => {
        const name = nameOfKey(keyPrefix, key);
        return name === undefined ? undefined : this.#objects.peek({ name }, key);
      },
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The end

  /**
   * Refuses new work and leaves the queues (`closed`), asks all work under locks to end (the `signal` is aborted with `lost`, reason
   * `closed`, while the lock stays held and renewed), and waits for that, up to `graceMs`. Each lock is given back when its work has
   * ended. What goes on is not given away: its lease runs out, and its call rejects with `lost`. Then nothing is sent any more, and
   * the client is closed if it is ours; a store that does not answer is waited for two seconds. Called from within such work, it
   * does not wait for that. A later call gets the same report, and may shorten the grace.
   * @throws `invalid-argument`
   */
  async close(options: CloseOptions = {}): Promise<CloseReport> {
    return this.#closing.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #runWith<Held extends HeldLock | HeldLockSet, T>(
    fn: (held: Held) => T | Promise<T>,
    options: WithLockOptions,
    take: (call: AcquireCall) => Promise<Held | undefined>,
  ): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    checkOptions("options", options, WITH_LOCK_OPTIONS);
    const call = { options, patienceMs: this.#acquirer.patienceMs(options.retries) };
    const done = await this.#scopes.callback(
      (scope) => take({ ...call, scope }),
      (held) => runHolding(held, fn),
    );
    return done === undefined ? null : done.result;
  }

  /** Waits for a lock, and gives it back whatever `use` does. */
  async #holding<T>(lockName: string, options: AcquireOptions, use: (lock: HeldLock) => Promise<T>): Promise<T> {
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const object = this.#object(lockName);
    const done = await this.#scopes.callback(
      (scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }),
      async (lock) => {
        await using held = lock;
        return await runGuarded(held, use);
      },
    );
    if (done === undefined) throw notFree(object, options);
    return done.result;
  }

  #checkOpen(): void {
    if (this.#closing.hasBegun) throw wasClosed();
  }

  #object(lockName: string): LockObject {
    this.#checkOpen();
    return this.#lockObject(lockName);
  }

  /** What is held can be asked for, refreshed and given back until a close is over. */
  #heldObject(lockName: string): LockObject {
    if (this.#context.closed.aborted) throw wasClosed();
    return this.#lockObject(lockName);
  }

  #lockObject(lockName: string): LockObject {
    const { keyPrefix, keyEncoding } = this.#settings;
    return this.#objects.get({ name: lockName }, checkLockName(keyPrefix, lockName, keyEncoding));
  }

  #objectOf(ref: LockRef): LockObject {
    if (ref.kind === undefined) return this.#object(ref.name);
    this.#checkOpen();
    const { semaphorePrefix } = this.#settings;
    const key = checkLockName(semaphorePrefix, ref.name, "one-to-one");
    return this.#objects.get(ref, ref.part ? checkPart(key, ref.name, ref.part) : key);
  }
}
