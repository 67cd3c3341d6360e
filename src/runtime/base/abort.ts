import { setMaxListeners } from "node:events";
import { S3MutexError } from "../../errors.js";

/** Who waits for which signal; one listener per signal, since Node warns of more than ten on one. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** The reason of an abort that no caller asks about. */
const OVER = "over";

/** Aborts what is only ours. With no reason given, each time an error would be made, with its stack: slow for thousands at once. */
export function endQuietly(controller: AbortController): void {
  controller.abort(OVER);
}

/** Calls back once when the signal is aborted, at once if it is already; the function returned prevents that. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  const callbacks = waiting.get(signal) ?? listenTo(signal);
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

/** Lets a signal that we hand out go to any number of requests without a warning of Node's about its many listeners. */
export function forManyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/** Gives what comes of the promise; undefined once the signal is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => resolve(undefined));
    promise.then(resolve, reject).finally(forget);
  });
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  const notify = () => {
    waiting.delete(signal);
    for (const callback of callbacks) callback();
  };
  signal.addEventListener("abort", notify, { once: true });
  waiting.set(signal, callbacks);
  return callbacks;
}

/** @throws `aborted`, for a caller that waits for a lock, where its signal is */
export function throwIfAborted(lockName: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  const message = `Waiting for the lock ${JSON.stringify(lockName)} was aborted by the caller's signal.`;
  throw new S3MutexError("aborted", message, { cause: signal.reason, lockName });
}
