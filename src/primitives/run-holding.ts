import { reworded, S3MutexError } from "../errors.js";
import { wasClosed } from "../runtime/base/closed.js";
import type { Lease } from "../runtime/hold/lease.js";
import { guarding } from "../runtime/scopes/guarding.js";
import { HeldLock } from "./lock.js";
import type { HeldLockSet } from "./lock-set.js";

/** Runs a function while something is held, and gives that back whatever happens. @throws `lost`, with the function's result */
export async function runHolding<Held extends HeldLock | HeldLockSet, T>(
  held: Held,
  fn: (held: Held) => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await runGuarded(held, fn);
  } finally {
    // Never throws, so that an error of `fn` comes out unchanged.
    await held[Symbol.asyncDispose]();
  }
  const loss = lossOf(held);
  if (loss === undefined) return result;
  throw lostMeanwhile(loss, result);
}

/**
 * Runs a function under what is held: a close waits for its end. It does not begin under what is known not to be held at that
 * moment; where that is in doubt, the store is asked first.
 * @throws `closed` when the mutex was closed before it began; `lost`, without a result, when what it is to run under was lost by then
 */
export async function runGuarded<Held extends HeldLock | HeldLockSet, T>(
  held: Held,
  fn: (held: Held) => T | Promise<T>,
): Promise<T> {
  while (held.isInDoubt) await held.whenCertain();
  begin(held);
  return guarding(leasesOf(held), () => fn(held));
}

/**
 * Runs what this library does itself under a lock that no other work shares. A close waits for its end as for that of a release. Where it
 * begins a function of the caller, it says so ({@link guarding}).
 * @throws as {@link runGuarded} does
 */
export async function runBriefly<T>(lock: HeldLock, use: (lock: HeldLock) => Promise<T>): Promise<T> {
  lock.lease.standing.noteBrief();
  while (lock.isInDoubt) await lock.whenCertain();
  begin(lock);
  return use(lock);
}

/** Begins work under what is held. @throws where none may begin; then it counts as unused */
function begin(held: HeldLock | HeldLockSet): void {
  try {
    assertMayBegin(held);
  } catch (error) {
    for (const lock of locksOf(held)) lock.noteUnused();
    throw S3MutexError.is(error, "lost") ? neverCalled(error) : error;
  }
  for (const lock of locksOf(held)) lock.noteGuarding();
}

/** Throws unless work may begin under what is held: `closed` when its mutex was closed, or the first loss. */
export function assertMayBegin(held: HeldLock | HeldLockSet): void {
  for (const { name, lease } of locksOf(held)) if (lease.standing.wasClosed) throw wasClosed(name);
  held.assertHeld();
}

function neverCalled(loss: S3MutexError): S3MutexError {
  return reworded(loss, `${loss.message} The function was not called.`, { cause: loss });
}

/** Finds the first loss of what is held, in the eyes of the caller of a function that has ended. */
export function lossOf(held: HeldLock | HeldLockSet): S3MutexError | undefined {
  const losses = leasesOf(held).map(({ standing }) => standing.lossOfWork);
  return losses.find((loss) => loss !== undefined);
}

/** Tells the caller that a function ran on under a lock that was lost. */
export function lostMeanwhile(loss: S3MutexError, result: unknown): S3MutexError {
  const message = `${loss.message} The function ran on meanwhile; its result is attached.`;
  return reworded(loss, message, { cause: loss, result });
}

function leasesOf(held: HeldLock | HeldLockSet): readonly Lease[] {
  return locksOf(held).map(({ lease }) => lease);
}

function locksOf(held: HeldLock | HeldLockSet): readonly HeldLock[] {
  return held instanceof HeldLock ? [held] : held.locks;
}
