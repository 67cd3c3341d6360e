import { AsyncResource } from "node:async_hooks";
import { checkOptions } from "../arguments/checks.js";
import type { S3MutexOptions } from "../options/s3-options.js";
import { MUTEX_OPTIONS } from "../options/settings.js";
import { type CloseOptions, checkedCloseOptions } from "../primitives/closing.js";
import type { Lock } from "../primitives/lock.js";
import { onAbort } from "../runtime/base/abort.js";
import { type Effects, realEffects } from "../runtime/base/effects.js";
import { sleep } from "../runtime/base/timing.js";
import { S3Mutex } from "../s3-mutex.js";
import { STAYS } from "../shown.js";
import { type CheckedRequest, checkedRequest } from "./arguments.js";
import {
  aborted,
  giveBack,
  inWordsOfManager,
  lostUnseen,
  notKnown,
  runCallback,
  runUnder,
  standingOf,
  stolenOrLost,
  untilItsTurn,
} from "./granted-lock.js";
import { lockNameOf, webNameOf } from "./lock-names.js";
import { LockRequest, merged, NamedRequests } from "./lock-request.js";
import { steal } from "./stealing.js";
import type { LockManager, WebLockInfo, WebLockSnapshot } from "./types.js";

/** A lock that is not renewed is to be free soon: in a browser it is at once when its page is gone. */
const LEASE_MS = 15_000;

/** A request about which the store has said nothing for so long counts as one that waits. */
const UNDECIDED_MS = 2000;

/**
 * Creates a lock manager with the shape of the Web Locks standard, on a bucket. Each manager is one client of the standard; code that
 * was written for `navigator.locks` coordinates across machines with it.
 * @param mutexOptions as of {@link S3Mutex}; `lockTimeoutMs` is 15000 by default here
 */
export function createLockManager(mutexOptions: S3MutexOptions): LockManager {
  // Where these are not options at all, the mutex says what to pass.
  if (typeof mutexOptions !== "object" || mutexOptions === null) return lockManagerOf(new S3Mutex(mutexOptions));
  const { lockTimeoutMs = LEASE_MS, ...options } = checkOptions("options", mutexOptions, MUTEX_OPTIONS, "required");
  return lockManagerOf(new S3Mutex({ ...options, lockTimeoutMs } as S3MutexOptions));
}

/** Puts a lock manager over a mutex that nothing else uses; tests have one in virtual time. */
export function lockManagerOf(mutex: S3Mutex, effects: Effects = realEffects): LockManager {
  return new S3LockManager(mutex, effects);
}

class S3LockManager implements LockManager {
  readonly #mutex: S3Mutex;
  readonly #effects: Effects;
  readonly #byName = new Map<string, NamedRequests>();
  /** Requests are made outside of their callers' scopes: the standard lets them wait for each other forever. */
  readonly #outside = new AsyncResource("s3-mutex.web-locks");
  #isClosed = false;
  readonly cannotBeCloned = STAYS.lockManager;

  constructor(mutex: S3Mutex, effects: Effects) {
    this.#mutex = mutex;
    this.#effects = effects;
    const wait = ({ lockName }: { readonly lockName: string }) => this.#noteWaiting(lockName);
    mutex.on("enqueued", wait);
    mutex.on("position", wait);
  }

  get [Symbol.toStringTag](): string {
    return "LockManager";
  }

  async request<T>(...values: readonly unknown[]): Promise<Awaited<T>> {
    const checked = checkedRequest(values);
    this.#checkOpen();
    const request = new LockRequest(checked);
    const named = this.#byName.get(checked.name) ?? new NamedRequests();
    this.#byName.set(checked.name, named);
    // All that this client asked for before comes first: its callbacks are called, or are known to have to wait.
    const earlier = this.#settledSoFar();
    const sameName = Promise.all(named.pending.map((other) => other.settled));
    named.pending.push(request);
    try {
      const lock = await this.#granted(checked, request, named, sameName).catch(lostUnseen);
      await untilItsTurn(lock, earlier, checked.signal);
      if (lock === null) named.remove(request);
      return (await this.#callBack(checked, request, named, lock)) as Awaited<T>;
    } catch (error) {
      throw inWordsOfManager(error);
    } finally {
      this.#end(request, named);
    }
  }

  async query(): Promise<WebLockSnapshot> {
    this.#checkOpen();
    await this.#settledSoFar();
    return this.#snapshot().catch((error) => {
      throw inWordsOfManager(error);
    });
  }

  async close(options: Pick<CloseOptions, "graceMs"> = {}): Promise<void> {
    const checked = checkedCloseOptions(options);
    this.#isClosed = true;
    await this.#mutex.close(checked);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #snapshot(): Promise<WebLockSnapshot> {
    const clientId = this.#mutex.ownerId;
    const held: WebLockInfo[] = [];
    const pending: WebLockInfo[] = [];
    const unseen = new Map(this.#byName);
    for await (const { lockName, limit, holders, waiters, problem } of this.#mutex.list()) {
      const name = webNameOf(lockName);
      if (name === undefined || limit > 1) continue;
      // To leave it out would be to say that it is free.
      if (problem !== undefined) throw notKnown(name, problem);
      const own = this.#byName.get(name) ?? new NamedRequests();
      unseen.delete(name);
      const living = holders.filter(({ owner, leaseLeftMs }) => owner === clientId || leaseLeftMs > 0);
      held.push(...merged(living, own.held, { name, clientId }));
      pending.push(...merged(waiters, own.pending, { name, clientId }));
    }
    for (const [name, own] of unseen) {
      held.push(...merged([], own.held, { name, clientId }));
      pending.push(...merged([], own.pending, { name, clientId }));
    }
    return { held, pending };
  }

  /** Waits for the lock; null where it is not to be had and was not to be waited for. */
  async #granted(
    checked: CheckedRequest,
    request: LockRequest,
    named: NamedRequests,
    sameName: Promise<unknown>,
  ): Promise<Lock | null> {
    const { signal } = checked;
    const asking = sameName.then(() => this.#ask(checked, request, named));
    if (signal === undefined) return asking;
    let forget = () => {};
    const stopped = new Promise<never>((_, reject) => {
      forget = onAbort(signal, () => reject(signal.reason));
    });
    try {
      return await Promise.race([asking, stopped]);
    } catch (error) {
      // What is granted all the same is given back.
      asking.then(giveBack, () => {});
      throw signal.aborted ? signal.reason : error;
    } finally {
      forget();
    }
  }

  async #ask(checked: CheckedRequest, request: LockRequest, named: NamedRequests): Promise<Lock | null> {
    const { mode, signal, ifAvailable } = checked;
    signal?.throwIfAborted();
    const lockName = lockNameOf(checked.name);
    const mutex = this.#mutex;
    const inScope = <T>(fn: () => T): T => this.#outside.runInAsyncScope(() => mutex.scope(fn));
    if (checked.steal) {
      named.putFirst(request);
      const stolen = await inScope(() => steal(mutex, lockName, this.#effects));
      named.grant(request);
      return stolen;
    }
    const isBlocked = named.isBlocked(request);
    if (ifAvailable) {
      const lock = isBlocked ? null : await inScope(() => mutex.tryAcquire(lockName, { mode }));
      if (lock !== null) named.grant(request);
      return lock;
    }
    const acquiring = inScope(() => mutex.acquire(lockName, { mode, signal }));
    if (isBlocked) request.settle();
    else this.#settleLater(request);
    const lock = await acquiring;
    named.grant(request);
    return lock;
  }

  /** Calls back, and holds the lock until what the callback returned is settled, or the lock was lost: not only asked for. */
  async #callBack(
    { callback }: CheckedRequest,
    request: LockRequest,
    named: NamedRequests,
    lock: Lock | null,
  ): Promise<unknown> {
    const running = lock === null ? runCallback(callback, null) : runUnder(lock, callback, request);
    request.settle();
    if (lock === null) return running;
    const { lossSignal } = standingOf(lock);
    let forget = () => {};
    const lost = new Promise<never>((_, reject) => {
      forget = onAbort(lossSignal, () => reject(stolenOrLost(lossSignal.reason)));
    });
    let result: unknown;
    try {
      result = await Promise.race([running, lost]);
    } finally {
      forget();
      if (lossSignal.aborted) named.remove(request);
      // What was asked for before the callback had ended comes before its end.
      else await this.#settledSoFar();
      await giveBack(lock);
    }
    // Asked only now: of a loss by other clients, and by clocks while the process stood still, it is the release that tells.
    const { lossOfWork } = standingOf(lock);
    if (lossOfWork === undefined) return result;
    if (lossOfWork.reason !== "closed") throw stolenOrLost(lossOfWork);
    throw aborted("The lock manager was closed before the callback had ended.", lossOfWork);
  }

  #end(request: LockRequest, named: NamedRequests): void {
    named.remove(request);
    request.end();
    if (named.isIdle && this.#byName.get(request.name) === named) this.#byName.delete(request.name);
    for (const next of named.grantable()) {
      if (!next.isSettled || !next.waits) continue;
      next.unsettle();
      this.#settleLater(next);
    }
  }

  /** Notes that a request that waits for a name has been told so: each that comes after it waits as well. */
  #noteWaiting(lockName: string): void {
    const { pending = [] } = this.#byName.get(webNameOf(lockName) ?? lockName) ?? {};
    for (const request of pending) if (request.waits) request.settle();
  }

  #settleLater(request: LockRequest): void {
    const decided = new AbortController();
    void request.settled.then(() => decided.abort());
    void sleep(this.#effects, UNDECIDED_MS, { keepAlive: false, signal: decided.signal }).then(() => {
      // A granted one is decided when it is called back, so that it comes before all that was asked for later.
      if (!decided.signal.aborted && request.isAsked) request.settle();
    });
  }

  /** Resolves when all requests that there are now are decided. */
  async #settledSoFar(): Promise<void> {
    const requests = [...this.#byName.values()].flatMap(({ held, pending }) => [...held, ...pending]);
    await Promise.all(requests.map((request) => request.settled));
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new DOMException("The lock manager was closed.", "InvalidStateError");
  }
}
