import { EventEmitter } from "node:events";
import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkLease,
  checkLockName,
  checkPriority,
  checkSignal,
  checkString,
  invalidArgument,
  withDefault,
} from "./arguments.js";
import { patienceMs } from "./core/backoff.js";
import { nameOfKey } from "./core/names.js";
import type { Holder } from "./core/record.js";
import { DEFAULT_REST_MS } from "./core/transition/remove.js";
import { createContext, type MutexInternals } from "./create-context.js";
import { type DeadlockEdge, S3MutexError } from "./errors.js";
import { HeldLock, type Lock } from "./lock.js";
import { HeldLockSet, type LockSet } from "./lock-set.js";
import { NamedLocks } from "./named-locks.js";
import { type S3MutexOptions, type Settings, settingsOf } from "./options.js";
import { acquireLease } from "./runtime/acquire.js";
import { type CleanupReport, cleanupAll } from "./runtime/cleanup.js";
import type { Context, Emit } from "./runtime/context.js";
import type { S3MutexEvents } from "./runtime/events.js";
import type { Lease } from "./runtime/lease.js";
import { LocalLines } from "./runtime/local-line.js";
import type { LockObject } from "./runtime/lock-object.js";
import { LockObjects } from "./runtime/lock-objects.js";
import { Scope, Scopes } from "./runtime/scope.js";
import { sleep } from "./runtime/timing.js";

/** Options of {@link S3Mutex.acquire} and {@link S3Mutex.tryAcquire}. */
export interface AcquireOptions {
  /** How long to wait, in milliseconds; without it, for ever. However short, one full attempt is made. */
  readonly timeoutMs?: number | undefined;
  /** Aborted: stop waiting. It does not touch a lock that is held already. */
  readonly signal?: AbortSignal | undefined;
  /** Higher is served first. @default 0 */
  readonly priority?: number | undefined;
  /** The lease, in milliseconds, at least 100. @default the mutex's `lockTimeoutMs` */
  readonly leaseMs?: number | undefined;
  /** A word about this hold in the record, for people to read. @default the mutex's `label` */
  readonly label?: string | undefined;
  /**
   * What to do when the scope that asks holds the lock already: nest (same hold, same token, given back when the last handle
   * is released), or fail at once with `deadlock`. @default false
   */
  readonly reentrant?: boolean | undefined;
}

/** Options of {@link S3Mutex.withLock}. */
export interface WithLockOptions extends AcquireOptions {
  /** Instead of the mutex's `maxRetries`, for how long to wait without a `timeoutMs`. */
  readonly retries?: number | undefined;
}

/** Options of {@link S3Mutex.cleanupStaleLocks}. */
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
}

/**
 * Locks on an S3 bucket. Cheap to make; share one per bucket in a process.
 *
 * Every method throws `invalid-argument` before any request is made, and `no-such-bucket`, `access-denied`,
 * `store-unavailable`, `corrupt-record` or `newer-schema` when the store is the problem: contention is a result, never an
 * error, and an error never looks like contention.
 */
export class S3Mutex extends EventEmitter<S3MutexEvents> implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #shutDown: () => void;
  readonly #objects: LockObjects;
  readonly #named: NamedLocks;
  readonly #lines: LocalLines;
  readonly #scopes = new Scopes();
  readonly #leases = new Set<Lease>();
  #closing: Promise<void> | undefined;

  constructor(options: S3MutexOptions);
  /** @internal */
  constructor(options: S3MutexOptions, internals: MutexInternals);
  constructor(options: S3MutexOptions, internals?: MutexInternals) {
    super();
    this.#settings = settingsOf(options);
    const emit: Emit = (name, event) => this.#tell(name, event);
    const { context, shutDown } = createContext(options, this.#settings, internals, emit);
    this.#context = context;
    this.#lines = new LocalLines(context);
    this.#shutDown = shutDown;
    this.#objects = new LockObjects(context);
    this.#named = new NamedLocks(context, this.#settings.leaseMs);
  }

  /** Who this instance is in the records. */
  get ownerId(): string {
    return this.#context.ownerId;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Handles

  /**
   * Waits for a lock and returns a handle that renews it until it is released.
   * @throws `timed-out`, `aborted`
   */
  async acquire(lockName: string, options: AcquireOptions = {}): Promise<Lock> {
    const lock = await this.#acquireHandle(lockName, options, Number.POSITIVE_INFINITY);
    if (lock !== undefined) return lock;
    const message = `The lock ${JSON.stringify(lockName)} was not free within ${options.timeoutMs} ms.`;
    throw new S3MutexError("timed-out", message, { lockName });
  }

  /** One attempt: a handle, or null when somebody else has the lock. */
  async tryAcquire(lockName: string, options: Omit<AcquireOptions, "timeoutMs"> = {}): Promise<Lock | null> {
    return (await this.#acquireHandle(lockName, { ...options, timeoutMs: 0 }, 0)) ?? null;
  }

  /**
   * Runs `fn` while holding the lock, renews it meanwhile, and releases it whatever happens.
   * @returns what `fn` returned, or null when the lock was not had in time
   * @throws what `fn` throws, unchanged; `lost`, with `result`, when the lock was lost while `fn` ran; `aborted`
   */
  async withLock<T>(
    lockName: string,
    fn: (lock: Lock) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    const scope = new Scope(this.#scopes.current, true);
    const lock = await this.#acquireHandle(lockName, options, this.#patienceMs(options.retries), scope);
    return lock === undefined ? null : this.#scopes.run(scope, () => runHolding(lock, fn));
  }

  /**
   * Acquires several locks, all or none, in an order that is the same everywhere, so that two callers who want the same ones
   * never wait for each other. The time-out is for all of them together.
   * @throws `timed-out`, `aborted`, `deadlock`; what had been acquired is given back before
   */
  async acquireAll(lockNames: readonly string[], options: AcquireOptions = {}): Promise<LockSet> {
    const set = await this.#acquireSet(lockNames, options, Number.POSITIVE_INFINITY, this.#scopes.enter());
    if (set !== undefined) return set;
    throw new S3MutexError(
      "timed-out",
      `Not all of ${JSON.stringify(lockNames)} were free within ${options.timeoutMs} ms.`,
    );
  }

  /** {@link withLock} for several locks at once. @returns null when not all of them were had in time */
  async withLocks<T>(
    lockNames: readonly string[],
    fn: (locks: LockSet) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    const scope = new Scope(this.#scopes.current, true);
    const set = await this.#acquireSet(lockNames, options, this.#patienceMs(options.retries), scope);
    return set === undefined ? null : this.#scopes.run(scope, () => runHolding(set, fn));
  }

  /**
   * Runs a function as one line of work: what is acquired inside of it belongs together when deadlocks are looked for, and
   * nothing else does. `withLock` does the same.
   */
  scope<T>(fn: () => T): T {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    return this.#scopes.run(new Scope(this.#scopes.current, true), fn);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The API of s3-mutex 1.x: locks known by their names

  /**
   * Takes a lock for `lockTimeoutMs`. It is not renewed unless {@link refreshLock} is called.
   * @param timeoutMs how long to wait; without it, the sum of the `maxRetries` delays (6.2 s by default)
   * @param priority any safe integer; higher is served first
   * @returns false when somebody else still has it when the time is up; another call on this instance counts as somebody else
   */
  async acquireLock(lockName: string, timeoutMs?: number, priority = 0): Promise<boolean> {
    const options = { timeoutMs, priority };
    const patience = this.#patienceMs(undefined);
    const scope = this.#scopes.enter();
    try {
      const lease = await this.#acquireLease(lockName, options, patience, "name", scope);
      if (lease !== undefined) this.#named.add(this.#object(lockName), lease);
      return lease !== undefined;
    } catch (error) {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      this.#context.logger.warn?.(`s3-mutex: acquireLock(${JSON.stringify(lockName)}) gave way. ${error.message}`);
      return false;
    }
  }

  /**
   * Releases what {@link acquireLock} took, here or in another instance with the same `ownerId`; never a handle's hold. With
   * `force`, whoever holds it, who may go on believing in it until its next renewal: only the fencing token protects from that.
   * @returns whether a hold was ended
   */
  async releaseLock(lockName: string, force = false): Promise<boolean> {
    const object = this.#object(lockName);
    return checkBoolean("force", force) ? this.#named.forceRelease(object) : this.#named.release(object);
  }

  /** Renews what {@link acquireLock} took, for another `lockTimeoutMs`. @returns false once it has expired or was lost */
  async refreshLock(lockName: string): Promise<boolean> {
    return this.#named.refresh(this.#object(lockName));
  }

  /** Whether anybody holds the lock. */
  async isLocked(lockName: string): Promise<boolean> {
    return this.#named.isLocked(this.#object(lockName));
  }

  /** Whether this instance, or another with the same `ownerId`, holds the lock. */
  async isOwnedByUs(lockName: string): Promise<boolean> {
    return this.#named.isOwnedByUs(this.#object(lockName));
  }

  /**
   * Removes a lock. An object that was written within the last 20 minutes, and any object on a store without conditional
   * deletes, becomes a tombstone that reads as absent; {@link cleanupStaleLocks} removes it later.
   * @param force also when somebody else holds it, or when the object is no lock record at all
   * @returns false when it is not held by {@link acquireLock} of ours, and not forced
   */
  async deleteLock(lockName: string, force = false): Promise<boolean> {
    const object = this.#object(lockName);
    return this.#named.delete(object, { force: checkBoolean("force", force), restMs: DEFAULT_REST_MS });
  }

  /** Frees locks whose leases have ended, each by compare-and-swap, so that one that is taken meanwhile survives. */
  async cleanupStaleLocks(options: CleanupOptions = {}): Promise<CleanupReport> {
    this.#checkOpen();
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
      lockOf: (key) => {
        const name = nameOfKey(keyPrefix, key);
        return name === undefined ? undefined : this.#objects.peek(name, key);
      },
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The end

  /** Refuses new work, releases what handles hold, waits for what is under way, and closes the client if it is ours. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#leases].map((lease) => lease.release()));
    const { background, effects } = this.#context;
    await Promise.race([background.idle(), sleep(effects, CLOSE_PATIENCE_MS, { keepAlive: false })]);
    this.#shutDown();
  }

  // -------------------------------------------------------------------------------------------------------------------

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new S3MutexError("closed", "This mutex was closed: use a new one.");
  }

  #object(lockName: string): LockObject {
    this.#checkOpen();
    const { keyPrefix, keyEncoding } = this.#settings;
    return this.#objects.get(lockName, checkLockName(keyPrefix, lockName, keyEncoding));
  }

  #patienceMs(retries: number | undefined): number {
    const { maxRetries, retryDelayMs, maxRetryDelayMs } = this.#settings;
    return patienceMs({
      maxRetries: withDefault("retries", retries, maxRetries, checkCount),
      retryDelayMs,
      maxRetryDelayMs,
    });
  }

  async #acquireHandle(
    lockName: string,
    options: AcquireOptions,
    patience: number,
    scope: Scope = this.#scopes.enter(),
  ): Promise<HeldLock | undefined> {
    const lease = await this.#acquireLease(lockName, options, patience, "handle", scope);
    if (lease === undefined) return undefined;
    return new HeldLock(lockName, lease, (error) => {
      const message = `s3-mutex: releasing ${JSON.stringify(lockName)} failed; it becomes free when its lease ends`;
      this.#context.logger.warn?.(message, error);
    });
  }

  async #acquireSet(
    lockNames: readonly string[],
    options: AcquireOptions,
    patience: number,
    scope: Scope,
  ): Promise<HeldLockSet | undefined> {
    if (!Array.isArray(lockNames) || lockNames.length === 0) {
      throw invalidArgument("lockNames", lockNames, "pass the names of the locks, at least one");
    }
    const names = [...new Map(lockNames.map((name) => [this.#object(name).key, name]))].sort(byKey);
    const patienceMs = withDefault("timeoutMs", options.timeoutMs, patience, checkDuration);
    const startedAtMs = this.#context.effects.monotonicMs();
    const locks: HeldLock[] = [];
    try {
      for (const [, name] of names) {
        const leftMs = Math.max(0, startedAtMs + patienceMs - this.#context.effects.monotonicMs());
        const lock = await this.#acquireHandle(name, { ...options, timeoutMs: leftMs }, leftMs, scope);
        if (lock === undefined) break;
        locks.push(lock);
      }
      if (locks.length === names.length) return new HeldLockSet(locks);
    } catch (error) {
      await new HeldLockSet(locks)[Symbol.asyncDispose]();
      throw error;
    }
    await new HeldLockSet(locks)[Symbol.asyncDispose]();
    return undefined;
  }

  async #acquireLease(
    lockName: string,
    options: AcquireOptions,
    patience: number,
    via: Holder["via"],
    scope: Scope,
  ): Promise<Lease | undefined> {
    const object = this.#object(lockName);
    const { key } = object;
    const request = {
      via,
      mode: "exclusive",
      priority: withDefault("priority", options.priority, 0, checkPriority),
      leaseMs: withDefault("leaseMs", options.leaseMs, this.#settings.leaseMs, checkLease),
      label: withDefault("label", options.label, undefined, checkString),
      patienceMs: withDefault("timeoutMs", options.timeoutMs, patience, checkDuration),
      signal: withDefault("signal", options.signal, undefined, checkSignal),
      holds: () => scope.holdsBesides(key),
      objectOf: (name: string) => this.#object(name),
    } as const;
    const reentrant = withDefault("reentrant", options.reentrant, false, checkBoolean);
    const held = scope.find(key, !reentrant);
    if (held !== undefined) return nest(held, lockName, reentrant);
    const lease = await scope.waiting(() => acquireLease(this.#context, this.#lines.lineOf(object), request));
    if (lease === undefined) return undefined;
    scope.add(lockName, key, lease);
    if (via === "handle") this.#keep(lease);
    return lease;
  }

  #keep(lease: Lease): void {
    this.#leases.add(lease);
    lease.onEnd(() => this.#leases.delete(lease));
    lease.keep();
  }

  #tell<Name extends keyof S3MutexEvents>(name: Name, event: S3MutexEvents[Name][0]): void {
    try {
      (this as EventEmitter).emit(name, event);
    } catch (error) {
      this.#context.logger.error?.(`s3-mutex: a listener of "${name}" threw`, error);
    }
  }
}

/** A scope asks again for what it holds itself: another handle on the same hold, or an error at once instead of a wait for ever. */
function nest(held: Lease, lockName: string, reentrant: boolean): Lease {
  if (reentrant) {
    held.share();
    return held;
  }
  const { owner, host, pid, label, token: fencingToken, priority } = held.holder;
  const cycle = [{ lockName, owner, host, pid, label, fencingToken, priority }];
  const message = `Deadlock: the scope that asks for ${JSON.stringify(lockName)} holds it itself; pass { reentrant: true } to nest.`;
  throw new S3MutexError("deadlock", message, { lockName, cycle: cycle as DeadlockEdge[] });
}

/** How long closing waits for the clean-up after what was given up before; entries that stay expire by themselves. */
const CLOSE_PATIENCE_MS = 2000;

/** One order for everybody: that of the keys, by code unit, which no locale changes. */
function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}

async function runHolding<Held extends HeldLock | HeldLockSet, T>(
  held: Held,
  fn: (held: Held) => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await fn(held);
  } finally {
    // Never throws, so that an error of `fn` comes out unchanged.
    await held[Symbol.asyncDispose]();
  }
  if (!held.signal.aborted) return result;
  const loss = held.signal.reason as S3MutexError;
  const { lockName, reason } = loss;
  throw new S3MutexError("lost", `${loss.message} The function ran on meanwhile; its result is attached.`, {
    cause: loss,
    result,
    ...(lockName === undefined ? {} : { lockName }),
    ...(reason === undefined ? {} : { reason }),
  });
}
