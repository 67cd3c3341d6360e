import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkHoldAtLeast,
  checkLabel,
  checkLease,
  checkMode,
  checkPriority,
  checkSignal,
  withDefault,
} from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { type LockRef, refKey } from "../core/record.js";
import { patienceMs } from "../core/schedule/backoff.js";
import type { Settings } from "../options/mutex-options.js";
import { acquireLease } from "../runtime/acquire/acquire.js";
import { type AcquireRequest, knownLimit } from "../runtime/acquire/acquire-request.js";
import type { LocalQueues } from "../runtime/acquire/local-queue.js";
import { callTimesOf } from "../runtime/acquire/patience.js";
import { whenRenewable } from "../runtime/acquire/renewable.js";
import { type HandedOver, restoreLease } from "../runtime/acquire/restore.js";
import { unlessAborted } from "../runtime/base/abort.js";
import { wasClosed } from "../runtime/base/closed.js";
import type { Context } from "../runtime/base/context.js";
import type { Held } from "../runtime/base/holdings.js";
import { settledWithin } from "../runtime/base/timing.js";
import type { Hold } from "../runtime/hold/hold.js";
import type { Lease } from "../runtime/hold/lease.js";
import type { Scope } from "../runtime/scopes/scope.js";
import type { LockObject } from "../runtime/swap/lock-object.js";
import type { AcquireCall } from "./acquire-call.js";
import { FencedObjects } from "./fenced/fenced-object.js";
import { Handles } from "./handles.js";
import { HeldLock } from "./lock.js";
import { type HeldLockSet, takeAll } from "./lock-set.js";
import { type Nesting, nestingOf, refusedUnlessAttempt } from "./nesting.js";
import { ParentHolds } from "./parent-holds.js";
import { assertMayBegin } from "./run-holding.js";

/** All of several locks, or the one that was not had. */
export type TakenSet = { readonly set: HeldLockSet } | { readonly missing: LockObject };

/** What a call has come to, before anything is sent. */
interface Plan {
  readonly object: LockObject;
  readonly request: AcquireRequest;
  readonly nesting: Nesting;
}

/** Turns the calls that acquire into leases and handles: checks, scopes, the local queue, and what has to be renewed. */
export class Acquirer {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #objectOf: (ref: LockRef) => LockObject;
  readonly #localQueues: LocalQueues;
  readonly #fencedObjects: FencedObjects;
  readonly #handles = new WeakMap<Held, Set<HeldLock>>();
  #areHandlesReleased = false;
  readonly #known = new Handles();
  readonly #parentHolds: ParentHolds;

  constructor(context: Context, settings: Settings, localQueues: LocalQueues, objectOf: (ref: LockRef) => LockObject) {
    this.#context = context;
    this.#settings = settings;
    this.#objectOf = objectOf;
    this.#localQueues = localQueues;
    this.#fencedObjects = new FencedObjects(context, settings);
    this.#parentHolds = new ParentHolds(settings);
  }

  /** Gives back what no function runs under: handles that may not have been released yet, and what was taken by name. */
  releaseHandles(): void {
    this.#areHandlesReleased = true;
    for (const lease of this.#context.holdings.leases) {
      const handles = this.#handles.get(lease) ?? [];
      for (const handle of handles) if (!handle.isGuarding) void handle[Symbol.asyncDispose]();
      const { holder, standing } = lease;
      if (holder.via === "name") lease.release().catch(this.#onReleaseError(standing.lockName));
    }
  }

  /** Writes what a process that is part of the work under these handles is told of. */
  heldForChild(held: unknown): string {
    return this.#parentHolds.textWith(this.#known.get("held", held));
  }

  /** Notes that the number of permits was changed here: waiters of this process need not find that out by polling. */
  limitChanged({ key }: LockObject): void {
    this.#localQueues.peek(key)?.holdChanged();
  }

  /** Says how long a call without a `timeoutMs` waits. */
  patienceMs(retries: number | undefined): number {
    const { maxRetries, retryDelayMs, maxRetryDelayMs } = this.#settings;
    return patienceMs({
      maxRetries: withDefault("retries", retries, maxRetries, checkCount),
      retryDelayMs,
      maxRetryDelayMs,
    });
  }

  /**
   * Acquires a handle that renews itself; undefined when the lock was not had in time.
   * @throws `closed`; `lost` when it is known not to be held any more by the time that it would be handed out: the process stood still in
   * that moment, or what it nests in was released
   */
  async handle(ref: LockRef, call: AcquireCall): Promise<HeldLock | undefined> {
    const lock = await this.#handle(ref, call);
    if (lock === undefined) return undefined;
    if (lock.isInDoubt) await this.#whenCertain(lock, call);
    try {
      assertMayBegin(lock);
    } catch (error) {
      lock.noteUnused();
      void lock[Symbol.asyncDispose]();
      throw error;
    }
    return lock;
  }

  /** Waits while the clocks disagree about a grant, as long as one attempt may take: to its caller it is not granted yet. */
  async #whenCertain(
    lock: HeldLock,
    { options: { signal, leaseMs = this.#settings.leaseMs } }: AcquireCall,
  ): Promise<void> {
    const { effects } = this.#context;
    const { attemptUntilMs } = callTimesOf(effects.monotonicMs(), { patienceMs: 0, leaseMs });
    const certain = lock.whenCertain();
    const leftMs = attemptUntilMs - effects.monotonicMs();
    await settledWithin(effects, signal === undefined ? certain : unlessAborted(certain, signal), leftMs);
  }

  async #handle(ref: LockRef, call: AcquireCall): Promise<HeldLock | undefined> {
    const { object, request, nesting } = this.#plan(ref, call);
    if (nesting.kind === "refuse") return refusedUnlessAttempt(nesting.error, call);
    if (nesting.kind === "wait") {
      const lease = await this.#take(ref, object, request, call);
      return lease === undefined ? undefined : this.#handleOf(ref, object.key, lease, call.scope);
    }
    const isCallback = call.scope.kind === "callback";
    const nested = await nesting.outer.nest.enter({ ...request, isCallback });
    if (nested === undefined) return undefined;
    call.scope.add(ref, object.key, nested);
    return this.#handleOf(ref, object.key, nested, call.scope);
  }

  /** Acquires several locks in one order, all or none: then the first that was not had in time is told. */
  async all(lockNames: readonly string[], call: AcquireCall): Promise<TakenSet> {
    if (!Array.isArray(lockNames) || lockNames.length === 0) {
      throw invalidArgument("lockNames", lockNames, "pass the names of the locks, at least one");
    }
    const names = [...new Map(lockNames.map((name) => [this.#objectOf({ name }).key, name]))].sort(byKey);
    const { options } = call;
    const patienceMs = withDefault("timeoutMs", options.timeoutMs, call.patienceMs, checkDuration);
    const leaseMs = withDefault("leaseMs", options.leaseMs, this.#settings.leaseMs, checkLease);
    const taken = await takeAll({
      ...{ context: this.#context, patienceMs, leaseMs },
      names: names.map(([, name]) => name),
      take: (name, { timeoutMs, attemptUntilMs }) =>
        this.handle({ name }, { ...call, options: { ...options, timeoutMs }, attemptUntilMs }),
    });
    if (typeof taken === "string") return { missing: this.#objectOf({ name: taken }) };
    return { set: this.#known.addSet(taken) };
  }

  /** Acquires the bare lease, for callers that renew it themselves. */
  async lease(ref: LockRef, call: AcquireCall): Promise<Lease | undefined> {
    const { object, request, nesting } = this.#plan(ref, call);
    if (nesting.kind === "refuse") throw nesting.error;
    const lease = await this.#take(ref, object, request, call);
    if (lease === undefined || lease.isHeld || lease.standing.wasClosed) return lease;
    await lease.doubt.settled();
    try {
      lease.assertHeld();
    } catch (error) {
      this.#giveBackQuietly(lease);
      throw error;
    }
    return lease;
  }

  #plan(ref: LockRef, { options, scope, patienceMs, isAttempt: _, mayNest = true, ...asked }: AcquireCall): Plan {
    const object = this.#objectOf(ref);
    const { key } = object;
    const { share } = asked;
    // Of a semaphore with several records, no one holder keeps others waiting.
    const mayBlock = (hold: LockRef) => share === undefined || refKey(hold) !== refKey(ref);
    const heldUp = this.#parentHolds.heldUpBy(key).filter(mayBlock);
    const request: AcquireRequest = {
      via: "handle",
      permits: 1,
      ...asked,
      mode: withDefault("mode", options.mode, "exclusive", checkMode),
      priority: withDefault("priority", options.priority, 0, checkPriority),
      leaseMs: withDefault("leaseMs", options.leaseMs, this.#settings.leaseMs, checkLease),
      holdAtLeastMs: withDefault("holdAtLeastMs", options.holdAtLeastMs, 0, checkHoldAtLeast),
      label: withDefault("label", options.label, undefined, checkLabel),
      patienceMs: withDefault("timeoutMs", options.timeoutMs, patienceMs, checkDuration),
      signal: withDefault("signal", options.signal, undefined, checkSignal),
      holds: (waitedMs) => [...heldUp, ...scope.holdsWaitingFor(key, waitedMs)],
      tokensOfParents: this.#parentHolds.tokensOf(key),
      objectOf: this.#objectOf,
    };
    const reentrant = withDefault("reentrant", options.reentrant, false, checkBoolean);
    const named = options.within === undefined ? [] : this.#known.get("within", options.within);
    for (const handle of named) scope.join(handle.scope);
    const within = named.find((handle) => handle.key === key)?.hold;
    const terms = { reentrant, within, limit: share === undefined ? knownLimit(object, request) : undefined, mayNest };
    const nesting = nestingOf(scope.findInCallbacks(key), ref, request, terms);
    return { object, request, nesting };
  }

  /**
   * Takes the lock unless the mutex is closed. That may happen at any moment up to that in which the caller goes on, so it is checked
   * again and again: what is granted then is given back unseen.
   */
  async #take(
    ref: LockRef,
    object: LockObject,
    request: AcquireRequest,
    call: AcquireCall,
  ): Promise<Lease | undefined> {
    const lease = await this.#grant(ref, object, request, call);
    return lease?.standing.wasClosed ? this.giveBackUnseen(lease) : lease;
  }

  async #grant(
    ref: LockRef,
    object: LockObject,
    request: AcquireRequest,
    { scope }: AcquireCall,
  ): Promise<Lease | undefined> {
    const lease = await this.#context.holdings.arriving(async () => {
      const checked = whenRenewable(this.#context, object, request);
      const asked = checked instanceof Promise ? await checked : checked;
      return acquireLease(this.#context, this.#localQueues.queueOf(object), asked);
    });
    if (lease === undefined) return undefined;
    if (lease.standing.wasClosed) return this.giveBackUnseen(lease);
    scope.add(ref, object.key, lease);
    if (request.via === "handle") lease.keep();
    return lease;
  }

  /** Gives back a grant in whose turn the mutex was closed: the caller is told so at once, and closing waits for the rest. */
  giveBackUnseen(lease: Lease): never {
    this.#giveBackQuietly(lease);
    throw wasClosed(lease.standing.lockName);
  }

  #giveBackQuietly(lease: Lease): void {
    const { lockName } = lease.standing;
    lease.standing.noteUnused();
    lease.release().catch(this.#onReleaseError(lockName));
  }

  /** Goes on with a hold that was handed over. @throws `lost` when it is gone */
  async restore(ref: LockRef, from: HandedOver, scope: Scope): Promise<HeldLock> {
    const object = this.#objectOf(ref);
    const localQueue = this.#localQueues.queueOf(object);
    const lease = await this.#context.holdings.arriving(() => restoreLease(this.#context, localQueue, from));
    scope.add(ref, object.key, lease);
    lease.keep();
    await lease.doubt.settled();
    // One that is being closed is handed out, asked to stop: no other process knows what became of it.
    lease.assertHeld();
    const handle = this.#handleOf(ref, object.key, lease, scope);
    if (this.#areHandlesReleased) void handle[Symbol.asyncDispose]();
    return handle;
  }

  #handleOf(ref: LockRef, key: string, hold: Hold, scope: Scope): HeldLock {
    const place = { bucketName: this.#settings.bucketName, key };
    const handles = this.#handles.get(hold.root) ?? new Set();
    this.#handles.set(hold.root, handles);
    const handle: HeldLock = new HeldLock(ref, hold, {
      place,
      fencedObjects: this.#fencedObjects,
      onRelease: () => handles.delete(handle),
      onReleaseError: this.#onReleaseError(ref.name),
    });
    handles.add(handle);
    this.#known.add(handle, { ref, key, hold, scope });
    return handle;
  }

  #onReleaseError(lockName: string): (error: unknown) => void {
    const message = `releasing ${JSON.stringify(lockName)} failed; it becomes free when its lease ends`;
    const { closed, logger } = this.#context;
    return (error) => {
      // The close has said what it leaves.
      if (!closed.aborted) logger.warn(message, { err: error });
    };
  }
}

/** Compares keys by code unit, which no locale changes: all clients have one order. */
function byKey([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
