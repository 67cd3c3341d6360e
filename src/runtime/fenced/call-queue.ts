import { S3MutexError } from "../../errors.js";
import type { Effects } from "../base/effects.js";
import type { RetryOptions } from "../swap/retry-budget.js";

/** What one call has of its caller's time. */
export interface CallTime {
  /** Says what is left by now: since when the call has had time, and until when it does. */
  left(): Required<Pick<RetryOptions, "startedAtMs" | "untilMs">>;
}

/**
 * Carries calls out one after the other, as they come. The time of a call begins when it is made, also while it waits for its turn:
 * a store that is silent keeps several callers no longer than one. What the callers' own functions take counts for no call.
 */
export class CallQueue {
  readonly #effects: Effects;
  readonly #patienceMs: () => number;
  #last: Promise<unknown> = Promise.resolve();
  /** How long functions of callers have run, without the one that runs now. */
  #outsideMs = 0;
  #outsideSinceMs: number | undefined;
  /** When a call gave up last: those that waited behind it have no attempt left that a process makes which stood still. */
  #gaveUpAtMs = Number.NEGATIVE_INFINITY;

  /** `patienceMs`: how long a call that begins now may take. */
  constructor(effects: Effects, patienceMs: () => number) {
    this.#effects = effects;
    this.#patienceMs = patienceMs;
  }

  /** Carries out a call when those before it are over. */
  run<T>(work: (time: CallTime) => Promise<T>): Promise<T> {
    const time = this.#begin();
    const result = this.#last.then(() => work(time));
    this.#last = result.catch((error) => {
      if (S3MutexError.is(error, "store-unavailable")) this.#gaveUpAtMs = this.#effects.monotonicMs();
    });
    return result;
  }

  /** Runs a function of a caller. */
  async outside<T>(run: () => Promise<T>): Promise<T> {
    this.#outsideSinceMs = this.#effects.monotonicMs();
    try {
      return await run();
    } finally {
      this.#outsideMs = this.#outsideSoFarMs;
      this.#outsideSinceMs = undefined;
    }
  }

  #begin(): CallTime {
    const calledAtMs = this.#effects.monotonicMs();
    const untilMs = calledAtMs + this.#patienceMs();
    const beforeMs = this.#outsideSoFarMs;
    return {
      left: () => {
        const outsideMs = this.#outsideSoFarMs - beforeMs;
        // Renewed meanwhile or not: no later than the lease ends as it is now.
        const leaseEndMs = this.#effects.monotonicMs() + this.#patienceMs();
        const endMs = Math.min(untilMs + outsideMs, leaseEndMs);
        // Only a call that was made before one gave up can end before that.
        return { startedAtMs: calledAtMs + outsideMs, untilMs: Math.max(endMs, this.#gaveUpAtMs) };
      },
    };
  }

  get #outsideSoFarMs(): number {
    const since = this.#outsideSinceMs;
    return this.#outsideMs + (since === undefined ? 0 : this.#effects.monotonicMs() - since);
  }
}
