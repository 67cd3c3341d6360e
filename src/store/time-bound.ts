import type { StoreEffects } from "./object-store.js";

/** Thrown into the work of a request whose time is up. */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

/** Ends work in time, whatever it makes of its signal. How long it has may be set anew while it runs. */
export class TimeBound {
  readonly #effects: StoreEffects;
  readonly #controller = new AbortController();
  #isOver = false;
  #cancelTimer: (() => void) | undefined;
  #expire: ((error: Error) => void) | undefined;

  constructor(effects: StoreEffects) {
    this.#effects = effects;
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time is up, or the work has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Gives the work so many milliseconds from now on. @param what is said, and how long it was, when they are over */
  set(delayMs: number, what: string): void {
    this.#cancelTimer?.();
    const timeUp = () => {
      this.#isOver = true;
      const error = new OutOfTime(`${what} within ${Math.round(delayMs)} ms`);
      this.#expire?.(error);
      this.#controller.abort(error);
    };
    this.#cancelTimer = this.#effects.setTimer(delayMs, timeUp, { keepAlive: true });
  }

  /** Ends with the work, or with {@link OutOfTime} when the time is up. */
  async run<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const expired = new Promise<never>((_, reject) => {
      this.#expire = reject;
    });
    const working = work(this.signal);
    // Once the time is up nothing listens to the work any more: its late failure is not told.
    working.catch(() => {});
    try {
      return await Promise.race([working, expired]);
    } finally {
      this.#isOver = true;
      this.#cancelTimer?.();
    }
  }
}
