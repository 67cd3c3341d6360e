import type { TestMutex, TestMutexOptions } from "./set-up.js";

/**
 * Runs the production code of {@link S3Mutex} on a store in memory, with a clock that the test moves: no socket, no client, no real
 * timer, and a lease of a minute is over in less than a millisecond. Independent of fake timers, and deterministic.
 *
 * @example
 * ```ts
 * const { mutex, clock, process, another } = await createTestMutex();
 * const lock = await mutex.acquire("job");
 * process.freeze({ forMs: 90_000 });
 * await clock.runUntil(another().mutex.acquire("job"));
 * await clock.runUntil(() => lock.signal.aborted);
 * lock.signal.reason; // S3MutexError, code "lost", reason "taken-over"
 * ```
 *
 * @throws S3MutexError `invalid-argument`
 */
export async function createTestMutex(options: TestMutexOptions = {}): Promise<TestMutex> {
  // Not before it is needed: the server for tests loads neither the SDK nor the library.
  const { setUp } = await import("./set-up.js");
  return setUp(options);
}
