import { S3MutexError } from "./errors.js";
import type { HeldLock } from "./lock.js";
import type { HeldLockSet } from "./lock-set.js";

/** Runs a function while something is held, and gives that back whatever happens. @throws `lost`, with the function's result */
export async function runHolding<Held extends HeldLock | HeldLockSet, T>(
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
