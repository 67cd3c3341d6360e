import { remainingMs, renewAfterMs, usableMs } from "../core/lease.js";
import type { Holder } from "../core/record.js";
import type { ClockReading } from "../core/store-time.js";
import type { Context } from "./context.js";
import { readClocks } from "./timing.js";

/** When a hold is renewed and when it is given up, in milliseconds; without it, a third of the lease and all of it. */
export interface LeaseTiming {
  readonly renewEveryMs: number;
  /** How long after the last renewal that succeeded its holder stops believing, which is before the lease is over. */
  readonly renewalDeadlineMs: number;
}

/** How much of a lease is left, by its holder's own clocks, counted from the reading that went into the published expiry. */
export class LeaseClock {
  readonly #context: Context;
  readonly #leaseMs: number;
  readonly #timing: LeaseTiming;
  #reading: ClockReading;

  constructor(context: Context, leaseMs: number, reading: ClockReading, timing: LeaseTiming | undefined) {
    this.#context = context;
    this.#leaseMs = leaseMs;
    this.#reading = reading;
    this.#timing = timing ?? { renewEveryMs: renewAfterMs(leaseMs), renewalDeadlineMs: Number.POSITIVE_INFINITY };
  }

  /** May be negative. */
  get remainingMs(): number {
    const givenUpMs = Math.max(0, usableMs(this.#leaseMs) - this.#timing.renewalDeadlineMs);
    return remainingMs(this.#leaseMs, this.#reading, readClocks(this.#context.effects)) - givenUpMs;
  }

  /** The monotonic time at which the lease is over, as things stand. */
  get deadlineMs(): number {
    return this.#context.effects.monotonicMs() + Math.max(0, this.remainingMs);
  }

  /** Until the next renewal is due; may be negative. */
  get untilRenewalMs(): number {
    const elapsedMs = this.#context.effects.monotonicMs() - this.#reading.monotonicMs;
    return Math.min(this.#timing.renewEveryMs - elapsedMs, this.remainingMs);
  }

  /** Whether half of the time between two renewals is over. */
  get isDueSoon(): boolean {
    return this.untilRenewalMs < this.#timing.renewEveryMs / 2;
  }

  /** How long to wait after a renewal that failed. */
  get untilRetryMs(): number {
    return Math.min(this.#timing.renewEveryMs / 3, this.remainingMs);
  }

  renewed(holder: Holder, reading: ClockReading, contradicted: boolean): void {
    this.#reading = contradicted ? this.#readingAfterContradiction(holder, reading) : reading;
  }

  /**
   * The store's clock is not where it was thought to be when the expiry was computed: this process was suspended unnoticed,
   * or front ends disagree. What the new bounds leave of the published expiry is all that may be believed.
   */
  #readingAfterContradiction(holder: Holder, reading: ClockReading): ClockReading {
    const clocks = readClocks(this.#context.effects);
    const now = this.#context.clock.now(clocks);
    if (now === undefined) return reading;
    const usedMs = holder.leaseMs - (holder.expiresAtMs - now.latestMs);
    const from = { monotonicMs: clocks.monotonicMs - usedMs, wallMs: clocks.wallMs - usedMs };
    return from.monotonicMs < reading.monotonicMs ? from : reading;
  }
}
