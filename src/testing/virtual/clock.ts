import { checkFiniteDuration } from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "../../arguments/option-names.js";
import type { Driver } from "./driver.js";
import type { Timeline } from "./timeline.js";

/** Options of {@link TestClock.runUntil}. */
export interface RunUntilOptions {
  /** How much time may pass at most, in milliseconds of the clock. @default 3600000, an hour */
  readonly limitMs?: number | undefined;
}

const RUN_UNTIL_OPTIONS: OptionNames<RunUntilOptions> = { limitMs: true };

/**
 * The time of a test: it stands still until the test moves it. What needs no time goes on by itself, so that a free lock is
 * acquired while the clock stands.
 */
export class TestClock {
  readonly #timeline: Timeline;
  readonly #driver: Driver;
  readonly #hints: () => readonly string[];

  /** @internal @param hints what the state of the test says about why nothing happens */
  constructor(timeline: Timeline, driver: Driver, hints: () => readonly string[] = () => []) {
    this.#timeline = timeline;
    this.#driver = driver;
    this.#hints = hints;
  }

  /** The true time in epoch milliseconds: what a clock that is right says. */
  get nowMs(): number {
    return this.#timeline.nowMs;
  }

  /** Lets this much time pass, in milliseconds. All that is due meanwhile happens at its moment, one after the other. */
  async advance(ms: number): Promise<void> {
    checkFiniteDuration("ms", ms);
    await this.#driver.until({ endMs: this.nowMs + ms, isReached: () => false, isForTime: true });
  }

  /**
   * Lets time pass up to the next moment at which something happens: a timer, a request that arrives, an answer.
   * @returns how many milliseconds that took
   * @throws Error where nothing is going to happen
   */
  async advanceToNext(): Promise<number> {
    await this.settle();
    const { nextAtMs } = this.#driver;
    if (nextAtMs === undefined) throw new Error(`clock.advanceToNext: ${NOTHING_LEFT}. ${this.#remedies()}`);
    const startMs = this.nowMs;
    await this.advance(nextAtMs - startMs);
    return this.nowMs - startMs;
  }

  /** Lets everything go on that can without time passing. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /**
   * Lets time pass until the promise is settled, or the condition true, and no longer. Also from within a function that
   * another `runUntil` waits for.
   * @returns what the promise gives, and rejects as the promise does
   * @throws Error when that much time has passed, or nothing is left to happen; its message says what to do
   */
  async runUntil<T = void>(what: PromiseLike<T> | (() => boolean), options: RunUntilOptions = {}): Promise<T> {
    refuseUnknownOptions("options", options, RUN_UNTIL_OPTIONS);
    const limitMs = checkFiniteDuration("limitMs", options.limitMs ?? HOUR_MS);
    const startMs = this.nowMs;
    const goal = { endMs: startMs + limitMs, isReached: conditionOf(what), isForTime: false };
    const ending = await this.#driver.until(goal);
    if (ending === "reached") return (typeof what === "function" ? undefined : await what) as T;
    const passed = `${Math.round(this.nowMs - startMs)} ms of the test's time`;
    const why =
      ending === "quiet"
        ? `${NOTHING_LEFT}, after ${passed}`
        : `it has not come within ${passed}, which was the limit: pass { limitMs } where it takes longer`;
    throw new Error(`clock.runUntil: ${why}. ${this.#remedies()}`);
  }

  /** Resolves when this much time has passed on this clock, in milliseconds: for work that takes its time. */
  async sleep(ms: number): Promise<void> {
    checkFiniteDuration("ms", ms);
    await this.#timeline.sleep(ms);
  }

  #remedies(): string {
    const hints = this.#hints();
    return hints.length > 0 ? hints.join(" ") : OTHERS;
  }
}

/** Makes a function that says whether the condition holds, or the promise is settled. */
function conditionOf(what: PromiseLike<unknown> | (() => boolean)): () => boolean {
  if (typeof what === "function") {
    return () => {
      const holds: unknown = what();
      if (typeof holds === "boolean") return holds;
      throw invalidArgument("what()", holds, "give true or false; for a promise, pass the promise itself");
    };
  }
  if (typeof what?.then !== "function")
    throw invalidArgument("what", what, "pass a promise, or a function that gives true or false");
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  what.then(settle, settle);
  return () => isSettled;
}

const HOUR_MS = 3_600_000;
const NOTHING_LEFT = "nothing is left to happen: no timer, no request and no answer is under way";
const OTHERS =
  "This clock sees only what the test's mutexes do, and clock.sleep(): await files, sockets and timers of your own before, or beside it.";
