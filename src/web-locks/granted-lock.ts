import type { LockProblem } from "../core/report.js";
import { S3MutexError } from "../errors.js";
import type { HeldLock, Lock } from "../primitives/lock.js";
import { runGuarded } from "../primitives/run-holding.js";
import { unlessAborted } from "../runtime/base/abort.js";
import type { Standing } from "../runtime/hold/standing.js";
import { STAYS, showAs } from "../shown.js";
import type { CheckedRequest } from "./arguments.js";
import type { LockRequest } from "./lock-request.js";
import type { WebLock, WebLockMode } from "./types.js";

/** What a callback is given. */
class GrantedLock implements WebLock {
  static {
    showAs<GrantedLock>(GrantedLock, "Lock", ({ name, mode }) => ({ name, mode }));
  }

  readonly #request: LockRequest;
  readonly cannotBeCloned = STAYS.webLock;

  constructor(request: LockRequest) {
    this.#request = request;
  }

  get name(): string {
    return this.#request.name;
  }

  get mode(): WebLockMode {
    return this.#request.mode;
  }

  get [Symbol.toStringTag](): string {
    return "Lock";
  }
}

/**
 * Waits until all that was asked for before is decided, as callbacks come in the order of their requests. What was granted may be
 * unwanted by then: its caller is told so at once, and it is given back behind that caller's back. What is gone by then ends the wait.
 * @throws the signal's reason
 */
export async function untilItsTurn(
  lock: Lock | null,
  earlier: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const ready = earlier.then(() => (lock as HeldLock | null)?.whenCertain());
    const ends = [signal, lock?.signal].filter((end) => end !== undefined);
    await ends.reduce((turn, end) => unlessAborted(turn, end), ready);
    signal?.throwIfAborted();
  } catch (error) {
    void giveBack(lock);
    throw error;
  }
}

/** Runs the callback under a lock, so that closing waits for it; a grant that came while that began is given back without a call. */
export function runUnder(lock: Lock, callback: CheckedRequest["callback"], request: LockRequest): Promise<unknown> {
  let hasBegun = false;
  const running = runGuarded(lock as HeldLock, () => {
    hasBegun = true;
    return runCallback(callback, new GrantedLock(request));
  });
  return running.catch((error) => (hasBegun ? Promise.reject(error) : lostUnseen(error)));
}

/** Rejects as the standard does where a lock was lost, or stolen, before its callback was called. */
export function lostUnseen(error: unknown): never {
  throw S3MutexError.is(error, "lost") ? stolenOrLost(error) : error;
}

export async function runCallback(callback: CheckedRequest["callback"], lock: WebLock | null): Promise<unknown> {
  return await callback(lock);
}

/** Gives it back, where there is one. Never throws: where the store does not answer, the lock becomes free when its lease ends. */
export async function giveBack(lock: Lock | null): Promise<void> {
  await lock?.[Symbol.asyncDispose]();
}

/** Tells how the lock stands; its signal says only that the callback is asked to end. */
export function standingOf(lock: Lock): Standing {
  return (lock as HeldLock).lease.standing;
}

export function stolenOrLost(loss: unknown): DOMException {
  return aborted("The lock was stolen or lost.", loss);
}

/** Turns the error of a mutex that was closed meanwhile into one of its lock manager. */
export function inWordsOfManager(error: unknown): unknown {
  return S3MutexError.is(error, "closed") ? aborted("The lock manager was closed.", error) : error;
}

/** Says that it cannot be told whether a lock is held. */
export function notKnown(name: string, { code, message }: LockProblem): S3MutexError {
  const sentence = `It is not known who holds the lock ${JSON.stringify(name)}: ${message}`;
  return new S3MutexError(code as "store-unavailable", sentence, { lockName: name });
}

export function aborted(message: string, cause: unknown): DOMException {
  return new DOMException(message, { name: "AbortError", cause } as never);
}
