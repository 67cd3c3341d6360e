import { checkFiniteDuration, invalidArgument } from "../../arguments.js";
import { type OptionNames, refuseUnknownOptions } from "../../option-names.js";
import { Turns } from "./turns.js";
import type { World } from "./world.js";

/** Options of {@link TestClock.runUntil}. */
export interface RunUntilOptions {
  /** How much time may pass at most, in milliseconds of the clock. @default 3600000, an hour */
  readonly limitMs?: number | undefined;
}

const RUN_UNTIL_OPTIONS: OptionNames<RunUntilOptions> = { limitMs: true };

/** How the test's wait for something ended. */
type Ending = "reached" | "limit" | "quiet";

/** Until when time may move, and for what. */
interface Goal {
  readonly endMs: number;
  /** Whether it is over before its time. */
  readonly isReached: () => boolean;
  /** Its end is what was wanted, and not a limit. */
  readonly isForTime: boolean;
  readonly finish: (ending: Ending) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The time of a test: it stands still until the test moves it. What needs no time goes on by itself, so that a free lock is
 * acquired while the clock stands.
 */
export class TestClock {
  readonly #world: World;
  readonly #hints: () => readonly string[];
  readonly #goals = new Set<Goal>();
  #isDriving = false;
  #stepsAtOnce = 0;

  /** @internal @param hints what the state of the test says about why nothing happens */
  constructor(world: World, hints: () => readonly string[] = () => []) {
    this.#world = world;
    this.#hints = hints;
    world.onDue = () => void this.#drive();
  }

  /** The true time in epoch milliseconds: what a clock that is right says. */
  get nowMs(): number {
    return this.#world.nowMs;
  }

  /** Lets this much time pass, in milliseconds. All that is due meanwhile happens at its moment, one after the other. */
  async advance(ms: number): Promise<void> {
    checkFiniteDuration("ms", ms);
    await this.#until({ endMs: this.nowMs + ms, isReached: () => false, isForTime: true });
  }

  /**
   * Lets time pass up to the next moment at which something happens: a timer, a request that arrives, an answer.
   * @returns how many milliseconds that took
   * @throws Error where nothing is going to happen
   */
  async advanceToNext(): Promise<number> {
    await this.settle();
    const { nextAtMs } = this.#world;
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
    const ending = await this.#until({ endMs: startMs + limitMs, isReached: conditionOf(what), isForTime: false });
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
    await this.#world.sleep(ms);
  }

  #until(goal: Omit<Goal, "finish" | "fail">): Promise<Ending> {
    return new Promise((finish, fail) => {
      this.#goals.add({ ...goal, finish, fail });
      void this.#drive();
    });
  }

  /** As long as something is due, or somebody wants time to move. One loop, however many want that. */
  async #drive(): Promise<void> {
    if (this.#isDriving) return;
    this.#isDriving = true;
    const turns = new Turns();
    try {
      do await turns.next();
      while (this.#goOn());
    } catch (error) {
      const goals = [...this.#goals];
      this.#goals.clear();
      if (goals.length === 0) throw error;
      for (const { fail } of goals) fail(error);
    } finally {
      turns.close();
      this.#isDriving = false;
    }
  }

  /** One thing happens, or the wait for one ends; what follows from it goes on before anything else does. */
  #goOn(): boolean {
    const goals = [...this.#goals];
    const reached = goals.filter((goal) => goal.isReached());
    if (reached.length > 0) return this.#finish(reached);
    const { nextAtMs, nowMs } = this.#world;
    if (nextAtMs !== undefined && nextAtMs <= nowMs) return this.#step(nextAtMs);
    if (goals.length === 0) return false;
    const endMs = Math.min(...goals.map((goal) => goal.endMs));
    if (nextAtMs !== undefined && nextAtMs <= endMs) return this.#step(nextAtMs);
    // Those who only want time to pass may do something then.
    if (nextAtMs === undefined && !goals.some(({ isForTime }) => isForTime)) return this.#finish(goals, "quiet");
    this.#world.moveTo(endMs);
    return this.#finish(
      goals.filter((goal) => goal.endMs <= endMs),
      "limit",
    );
  }

  #step(atMs: number): true {
    this.#stepsAtOnce = atMs > this.nowMs ? 0 : this.#stepsAtOnce + 1;
    if (this.#stepsAtOnce > STEPS_AT_ONCE_MAX) {
      this.#stepsAtOnce = 0;
      throw new Error(
        `The clock cannot move on: ${STEPS_AT_ONCE_MAX} things have happened at one moment, and more are due.`,
      );
    }
    this.#world.step();
    return true;
  }

  #finish(goals: readonly Goal[], ending: Ending = "reached"): true {
    for (const goal of goals) {
      this.#goals.delete(goal);
      goal.finish(ending);
    }
    return true;
  }

  #remedies(): string {
    const hints = this.#hints();
    return hints.length > 0 ? hints.join(" ") : OTHERS;
  }
}

/** Whether the condition holds, or the promise is settled. */
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
/** Far more than any test has; what is due again and again without any time passing would never end. */
const STEPS_AT_ONCE_MAX = 100_000;
const NOTHING_LEFT = "nothing is left to happen: no timer, no request and no answer is under way";
const OTHERS =
  "This clock sees only what the test's mutexes do, and clock.sleep(): await files, sockets and timers of your own before, or beside it.";
