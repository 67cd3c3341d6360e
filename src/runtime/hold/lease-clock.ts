import type { Clocked } from "../../core/expiry.js";
import {
  countedFrom,
  longestDoubtMs,
  monotonicRemainingMs,
  remainingMs,
  renewAfterMs,
  usableMs,
} from "../../core/lease.js";
import type { Holder } from "../../core/record.js";
import type { ClockReading } from "../../core/store-time.js";
import type { Context } from "../base/context.js";
import { readClocks } from "../base/timing.js";

/** When a hold is renewed and when it is given up, in milliseconds; without it, a third of the lease and all of it. */
export interface LeaseTiming {
  readonly renewEveryMs: number;
  /** How long after the last renewal that succeeded its holder stops believing, which is before the lease is over. */
  readonly renewalDeadlineMs: number;
}

/** How long each renewal is for, in milliseconds, and when it is due. */
export interface LeaseTerms {
  readonly leaseMs: number;
  readonly timing?: LeaseTiming | undefined;
}

/**
 * How much of a lease is left, by its holder's own clocks, counted from the reading that went into the published expiry. It is
 * over when the monotonic clock says so. Where only the wall clock says so, there is a doubt: it was set, or the machine slept
 * and the monotonic clock did not count that. Nothing is believed then, and the store has to be asked.
 */
export class LeaseClock {
  readonly #context: Context;
  readonly #given: LeaseTiming | undefined;
  #leaseMs: number;
  #reading: ClockReading;
  /** The same, or earlier where the store's clock was not where the published expiry assumed it. */
  #certainFrom: ClockReading;
  #inDoubtSinceMs: number | undefined;

  constructor(context: Context, leaseMs: number, reading: ClockReading, timing: LeaseTiming | undefined) {
    this.#context = context;
    this.#leaseMs = leaseMs;
    this.#reading = reading;
    this.#certainFrom = reading;
    this.#given = timing;
  }

  get #timing(): LeaseTiming {
    const usual = { renewEveryMs: renewAfterMs(this.#leaseMs), renewalDeadlineMs: Number.POSITIVE_INFINITY };
    return this.#given ?? usual;
  }

  /** What its holder does not use of the lease. */
  get #givenUpMs(): number {
    return Math.max(0, usableMs(this.#leaseMs) - this.#timing.renewalDeadlineMs);
  }

  /** For how long the lease is certainly held, whichever clock is right. May be negative. */
  get remainingMs(): number {
    return remainingMs(this.#leaseMs, this.#certainFrom, readClocks(this.#context.effects)) - this.#givenUpMs;
  }

  /** Whether it is over, whatever the wall clock did. */
  get isOver(): boolean {
    return this.untilOverMs <= 0;
  }

  /**
   * Says what these clocks alone tell of the published end, whatever the store has said of the time since; undefined where they disagree.
   * Where there is no store time either, only the wall clock would say that it is over, and that was set: all others have to watch it.
   */
  isOverAsOf({ lacksStoreTime = false }: Clocked): boolean | undefined {
    if (remainingMs(this.#leaseMs, this.#reading, readClocks(this.#context.effects)) > this.#givenUpMs) return false;
    return this.isOver || (lacksStoreTime ? false : undefined);
  }

  /** Until it is over by the monotonic clock, in milliseconds; may be negative. */
  get untilOverMs(): number {
    const now = readClocks(this.#context.effects);
    return monotonicRemainingMs(this.#leaseMs, this.#reading, now) - this.#givenUpMs;
  }

  /** For how long it is worth asking the store, in milliseconds; not positive: the lease is lost. In doubt that is not long. */
  get untilLostMs(): number {
    const leftMs = this.remainingMs;
    if (leftMs > 0) this.#inDoubtSinceMs = undefined;
    if (leftMs > 0 || this.isOver) return leftMs;
    const nowMs = this.#context.effects.monotonicMs();
    this.#inDoubtSinceMs ??= nowMs;
    return Math.min(this.untilOverMs, this.#inDoubtSinceMs + longestDoubtMs(this.#leaseMs) - nowMs);
  }

  /** In doubt, by how much the wall clock has gone further than the monotonic one since the last renewal; undefined for a drift. */
  get steppedByMs(): number | undefined {
    if (this.#inDoubtSinceMs === undefined) return undefined;
    const { wallMs, monotonicMs } = readClocks(this.#context.effects);
    const byMs = wallMs - this.#reading.wallMs - (monotonicMs - this.#reading.monotonicMs);
    return byMs < STEP_MS ? undefined : byMs;
  }

  /** Notices a doubt, and says whether it was not noticed before: the store has to be asked. */
  noticeDoubt(): boolean {
    const isNew = this.#inDoubtSinceMs === undefined;
    return this.untilLostMs > 0 && isNew && this.#inDoubtSinceMs !== undefined;
  }

  /** Gives the monotonic time at which the lease is lost, as things stand, or so much time has passed. */
  deadlineMs(withinMs: number): number {
    return this.#context.effects.monotonicMs() + Math.min(Math.max(0, this.untilLostMs), withinMs);
  }

  /** Until the next renewal is due; may be negative. */
  get untilRenewalMs(): number {
    const elapsedMs = this.#context.effects.monotonicMs() - this.#certainFrom.monotonicMs;
    return Math.min(this.#timing.renewEveryMs - elapsedMs, this.remainingMs);
  }

  /** Whether half of the time between two renewals is over. */
  get isDueSoon(): boolean {
    return this.untilRenewalMs < this.#timing.renewEveryMs / 2;
  }

  /** How long to wait after a renewal that failed. */
  get untilRetryMs(): number {
    return Math.min(this.#timing.renewEveryMs / 3, this.untilLostMs);
  }

  renewed(holder: Holder, reading: ClockReading): void {
    this.#leaseMs = holder.leaseMs;
    this.#reading = reading;
    const isContradicted = this.#context.clock.isContradictedSince(reading.monotonicMs);
    this.#certainFrom = isContradicted ? this.#readingAfterContradiction(holder, reading) : reading;
    this.#inDoubtSinceMs = undefined;
  }

  #readingAfterContradiction(holder: Holder, reading: ClockReading): ClockReading {
    const clocks = readClocks(this.#context.effects);
    const now = this.#context.clock.now(clocks);
    return now === undefined || holder.undated ? reading : countedFrom(holder, reading, { clocks, now });
  }
}

/** Clocks that run apart by less than that merely drift. */
const STEP_MS = 1000;
/** How often a lease that needs nothing reads its clocks. */
export const WATCH_MS = 1000;
