import type { Effects } from "../../runtime/base/effects.js";

/** A contender that cannot be made ready (no socket left) must not hold up the others for long. */
const PATIENCE_MS = 400;

interface Holdable {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: { step: string; priority?: string; name: string }): void;
  };
}
type Next = (args: object) => Promise<object>;

/**
 * Holds signed requests back until all of a race are ready, then lets them go in one turn of the event loop: windows of
 * a millisecond are missed by requests that leave one after the other.
 */
export class StartingLine {
  readonly #effects: Effects;
  readonly #expected: number;
  readonly #open: Promise<void>;
  #release: () => void = () => {};
  #cancelTimer: (() => void) | undefined;
  #arrived = 0;

  constructor(effects: Effects, expected: number) {
    this.#effects = effects;
    this.#expected = expected;
    this.#open = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  hold(command: object): void {
    (command as Holdable).middlewareStack.add(
      (next) => async (args) => {
        await this.#arrive();
        return next(args);
      },
      // After signing, before the time of the request begins to count.
      { step: "deserialize", priority: "high", name: "s3MutexStartingLine" },
    );
  }

  #arrive(): Promise<void> {
    this.#arrived += 1;
    this.#cancelTimer ??= this.#effects.setTimer(PATIENCE_MS, this.#release, { keepAlive: true });
    if (this.#arrived >= this.#expected) {
      this.#cancelTimer();
      this.#release();
    }
    return this.#open;
  }
}

/** Calls this each time that a command is about to leave this process, signed and past its starting line; where it throws, nothing leaves. */
export function beforeItLeaves(command: object, call: () => void): void {
  (command as Holdable).middlewareStack.add(
    (next) => async (args) => {
      call();
      return next(args);
    },
    { step: "deserialize", name: "s3MutexBeforeItLeaves" },
  );
}
