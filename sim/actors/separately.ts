import { AsyncResource } from "node:async_hooks";

/** Runs work in an asynchronous context of its own, as requests that a server handles at the same time have. */
export function separately<T>(name: string, work: () => Promise<T>): Promise<T> {
  return new AsyncResource(name).runInAsyncScope(work);
}
