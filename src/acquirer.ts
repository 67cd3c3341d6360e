import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkLabel,
  checkLease,
  checkOptions,
  checkPriority,
  checkSignal,
  invalidArgument,
  withDefault,
} from "./arguments.js";
import type { AcquireOptions } from "./call-options.js";
import { patienceMs } from "./core/backoff.js";
import type { Holder } from "./core/record.js";
import { type DeadlockEdge, S3MutexError } from "./errors.js";
import { FencedObjects } from "./fenced-object.js";
import { HeldLock } from "./lock.js";
import { HeldLockSet } from "./lock-set.js";
import type { Settings } from "./options.js";
import { acquireLease } from "./runtime/acquire.js";
import type { Context } from "./runtime/context.js";
import type { Lease } from "./runtime/lease.js";
import type { LocalLines } from "./runtime/local-line.js";
import type { LockObject } from "./runtime/lock-object.js";
import type { Scope } from "./runtime/scope.js";

/** Turns the calls that acquire into leases and handles: checks, scopes, the local line, and what has to be renewed. */
export class Acquirer {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #objectOf: (lockName: string) => LockObject;
  readonly #lines: LocalLines;
  readonly #fencedObjects: FencedObjects;
  readonly #leases = new Set<Lease>();
  readonly #pending = new Set<Promise<Lease | undefined>>();

  constructor(context: Context, settings: Settings, lines: LocalLines, objectOf: (lockName: string) => LockObject) {
    this.#context = context;
    this.#settings = settings;
    this.#objectOf = objectOf;
    this.#lines = lines;
    this.#fencedObjects = new FencedObjects(context, settings);
  }

  /** Gives back all that handles hold, once nobody waits any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await Promise.allSettled([...this.#leases].map((lease) => lease.releaseForAll()));
  }

  /** How long a call without a `timeoutMs` waits. */
  patienceMs(retries: number | undefined): number {
    const { maxRetries, retryDelayMs, maxRetryDelayMs } = this.#settings;
    return patienceMs({
      maxRetries: withDefault("retries", retries, maxRetries, checkCount),
      retryDelayMs,
      maxRetryDelayMs,
    });
  }

  /** A handle that renews itself; undefined when the lock was not had in time. */
  async handle(
    lockName: string,
    options: AcquireOptions,
    patience: number,
    scope: Scope,
  ): Promise<HeldLock | undefined> {
    const lease = await this.lease(lockName, options, patience, "handle", scope);
    if (lease === undefined) return undefined;
    const { key } = this.#objectOf(lockName);
    const onReleaseError = (error: unknown) => {
      const message = `s3-mutex: releasing ${JSON.stringify(lockName)} failed; it becomes free when its lease ends`;
      this.#context.logger.warn?.(message, error);
    };
    return new HeldLock(lockName, lease, { key, fencedObjects: this.#fencedObjects, onReleaseError });
  }

  /** Several locks in one order, all or none. */
  async all(
    lockNames: readonly string[],
    options: AcquireOptions,
    patience: number,
    scope: Scope,
  ): Promise<HeldLockSet | undefined> {
    if (!Array.isArray(lockNames) || lockNames.length === 0) {
      throw invalidArgument("lockNames", lockNames, "pass the names of the locks, at least one");
    }
    const names = [...new Map(lockNames.map((name) => [this.#objectOf(name).key, name]))].sort(byKey);
    checkOptions("options", options);
    const patienceMs = withDefault("timeoutMs", options.timeoutMs, patience, checkDuration);
    const startedAtMs = this.#context.effects.monotonicMs();
    const locks: HeldLock[] = [];
    try {
      for (const [, name] of names) {
        const leftMs = Math.max(0, startedAtMs + patienceMs - this.#context.effects.monotonicMs());
        const lock = await this.handle(name, { ...options, timeoutMs: leftMs }, leftMs, scope);
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

  /** The bare lease, for those who renew it themselves. */
  async lease(
    lockName: string,
    options: AcquireOptions,
    patience: number,
    via: Holder["via"],
    scope: Scope,
  ): Promise<Lease | undefined> {
    checkOptions("options", options);
    const object = this.#objectOf(lockName);
    const { key } = object;
    const request = {
      via,
      mode: "exclusive",
      priority: withDefault("priority", options.priority, 0, checkPriority),
      leaseMs: withDefault("leaseMs", options.leaseMs, this.#settings.leaseMs, checkLease),
      label: withDefault("label", options.label, undefined, checkLabel),
      patienceMs: withDefault("timeoutMs", options.timeoutMs, patience, checkDuration),
      signal: withDefault("signal", options.signal, undefined, checkSignal),
      holds: () => scope.holdsBesides(key),
      objectOf: (name: string) => this.#objectOf(name),
    } as const;
    const reentrant = withDefault("reentrant", options.reentrant, false, checkBoolean);
    const held = scope.find(key, !reentrant);
    if (held !== undefined) return nest(held, lockName, reentrant);
    const acquiring = scope.waiting(() => acquireLease(this.#context, this.#lines.lineOf(object), request));
    this.#pending.add(acquiring);
    const lease = await acquiring.finally(() => this.#pending.delete(acquiring));
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

/** One order for everybody: that of the keys, by code unit, which no locale changes. */
function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
