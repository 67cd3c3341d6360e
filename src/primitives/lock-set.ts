import { forManyListeners } from "../runtime/base/abort.js";
import type { HeldLock, Lock } from "./lock.js";

/** Several locks held as one: acquired in one global order, released in reverse; lost as soon as one of them is lost. */
export interface LockSet extends AsyncDisposable {
  /** In the order in which they were acquired. */
  readonly locks: readonly Lock[];
  /** Finds the lock of this name; undefined when it is not one of these. */
  get(name: string): Lock | undefined;
  /** Aborted when any of them is lost, or its holder is asked to stop, with that reason: see {@link Lock.signal}. */
  readonly signal: AbortSignal;
  /** Whether all are held at this very moment, by the clocks. */
  readonly held: boolean;
  /** Throws the first loss unless all are held at this very moment. */
  assertHeld(): void;
  /**
   * Gives all back, the last one first. Doing it twice is harmless.
   * @returns false when any of them had been lost before
   * @throws the first error, after all have been tried
   */
  release(): Promise<boolean>;
}

export class HeldLockSet implements LockSet {
  readonly locks: readonly HeldLock[];
  readonly signal: AbortSignal;

  constructor(locks: readonly HeldLock[]) {
    this.locks = locks;
    this.signal = forManyListeners(AbortSignal.any(locks.map((lock) => lock.signal)));
  }

  get(name: string): HeldLock | undefined {
    return this.locks.find((lock) => lock.name === name);
  }

  get held(): boolean {
    return this.locks.every((lock) => lock.held);
  }

  assertHeld(): void {
    for (const lock of this.locks) lock.assertHeld();
  }

  async release(): Promise<boolean> {
    const outcomes: PromiseSettledResult<boolean>[] = [];
    for (const lock of this.locks.toReversed()) outcomes.push(...(await Promise.allSettled([lock.release()])));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return outcomes.every((outcome) => outcome.status === "fulfilled" && outcome.value);
  }

  /** For `await using`: each reports to the logger where no release got through. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lock of this.locks.toReversed()) await lock[Symbol.asyncDispose]();
  }
}
