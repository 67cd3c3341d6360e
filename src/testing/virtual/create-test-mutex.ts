import type { S3Mutex } from "../../mutex.js";
import type { S3MutexBaseOptions, S3MutexOptions } from "../../options/mutex-options.js";
import type { TestClock } from "./clock.js";
import type { TestProcess } from "./test-process.js";
import type { TestStore } from "./test-store.js";

/**
 * The fake timers of a test: `vi` of vitest, `jest` (of Bun as well), the clock that sinon's `useFakeTimers()` gives, or
 * `mock.timers` of `node:test`. They have to replace `setTimeout`, `clearTimeout` and `Date`.
 */
export type FakeTimers =
  | { advanceTimersByTimeAsync(ms: number): Promise<unknown> }
  | { tickAsync(ms: number): Promise<unknown> }
  | { advanceTimersByTime(ms: number): unknown }
  | { tick(ms: number): void };

/**
 * Options of {@link createTestMutex}: those of {@link S3Mutex}, none of which has to be given, and the test's own. There is no client,
 * and nothing to `verify`.
 */
export interface TestMutexOptions extends Partial<S3MutexBaseOptions> {
  /** Not used: there is no client. Allowed so that the options of the code under test can be passed as they are. */
  readonly s3Client?: S3MutexOptions["s3Client"];
  /** Not used either. */
  readonly s3ClientConfig?: S3MutexOptions["s3ClientConfig"];
  /** What ids and all randomness are drawn from: the same seed gives the same run. @default 1 */
  readonly seed?: number | undefined;
  /**
   * How long a request takes there and back, in milliseconds of the clock. With more than zero a call that asks the store takes
   * time, which has to be let pass: `clock.runUntil(mutex.acquire("job"))`. @default 0
   */
  readonly roundTripMs?: number | undefined;
  /**
   * Lets the mutexes live by the fake timers that the test has put in place, for code that has timers of its own besides: `vi`,
   * `jest`, sinon's clock, or `mock.timers` of `node:test`. Who moves them moves the test's clock, and the other way round.
   * @default a clock of its own, which needs no fake timers and takes no notice of them
   */
  readonly fakeTimers?: FakeTimers | undefined;
}

/** Options of {@link TestMutex.another}: those of {@link S3Mutex} that are to differ from the first one's. */
export type AnotherOptions = Partial<S3MutexBaseOptions>;

/** What {@link createTestMutex} gives. */
export interface TestMutex {
  /** That of the first process. */
  readonly mutex: S3Mutex;
  /** The first process. */
  readonly process: TestProcess;
  readonly clock: TestClock;
  readonly store: TestStore;
  /**
   * Starts another process on the same store and the same clock. It has the options of the first, but for its `ownerId`, and
   * those that are given.
   */
  readonly another: (options?: AnotherOptions) => TestProcess;
}

/**
 * The production code of {@link S3Mutex} on a store in memory, with a clock that the test moves: no socket, no client, no real
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
