import type { Effects } from "../base/effects.js";
import { Alarm } from "../base/timing.js";
import { type LeaseClock, WATCH_MS } from "./lease-clock.js";

/** What the timer does with the hold that it is of. */
export interface Timed {
  /** Says whether it is renewed no more. */
  isQuiet(): boolean;
  /** Says whether a renewal is under way. */
  isRenewing(): boolean;
  renew(): Promise<unknown>;
  /** Takes note of a renewal that failed. */
  noteFailure(error: unknown): void;
  /** Tells that it is tried again. */
  tellRetry(error: unknown): void;
  /** Ends it, since its time is up. */
  loseByClock(): void;
}

/** The one timer of a hold: it renews the lease, or notices its end, whatever a request that is under way does. */
export class LeaseTimer {
  readonly #alarm: Alarm;
  readonly #clock: LeaseClock;
  readonly #hold: Timed;
  #isKept = false;

  constructor(effects: Effects, clock: LeaseClock, hold: Timed) {
    this.#alarm = new Alarm(effects);
    this.#clock = clock;
    this.#hold = hold;
  }

  /** Renews it again and again, never two at once. */
  keep(): void {
    this.#isKept = true;
    this.#goOn();
  }

  /** Renews now what would have to be renewed soon. */
  renewIfDueSoon(): void {
    if (this.#isKept && !this.#hold.isRenewing() && this.#clock.isDueSoon) this.#renewNow();
  }

  /** Asks the store at once, by a renewal, where the clocks disagree about whether it is over. */
  renewIfInDoubt(): void {
    if (this.#isKept && this.#clock.noticeDoubt() && !this.#hold.isRenewing()) this.#renewNow();
  }

  /** Waits until the next renewal is due, and makes it. */
  #goOn(): void {
    if (this.#hold.isQuiet()) return;
    const delayMs = this.#clock.untilRenewalMs;
    // Timers do not know of a wall clock that was set, or of a machine that slept: the clocks are read in between.
    this.#alarm.set(Math.min(delayMs, WATCH_MS), () => (delayMs > WATCH_MS ? this.#goOn() : this.#renewNow()));
  }

  #renewNow(): void {
    const leftMs = this.#clock.untilLostMs;
    if (leftMs <= 0) return this.#hold.loseByClock();
    // The deadline has a timer of its own: a renewal that hangs must not keep the loss from being noticed in time.
    this.#alarm.set(leftMs, () => this.#renewNow());
    this.#hold.renew().then(
      () => this.#goOn(),
      (error) => this.#afterFailure(error),
    );
  }

  #afterFailure(error: unknown): void {
    this.#hold.noteFailure(error);
    if (this.#hold.isQuiet()) return;
    if (this.#clock.untilLostMs <= 0) return this.#hold.loseByClock();
    this.#hold.tellRetry(error);
    this.#alarm.set(this.#clock.untilRetryMs, () => this.#renewNow());
  }

  /** Waits until nothing of what it is certainly held for is left. */
  onceNotHeld(then: () => void): void {
    const { remainingMs } = this.#clock;
    if (remainingMs <= 0) return then();
    this.#alarm.set(remainingMs, () => this.onceNotHeld(then));
  }

  /** Waits until it is over by the monotonic clock. */
  onceOver(then: () => void): void {
    this.#alarm.set(this.#clock.untilOverMs, () => (this.#clock.isOver ? then() : this.onceOver(then)));
  }

  clear(): void {
    this.#alarm.clear();
  }
}
