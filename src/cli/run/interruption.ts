import type { S3Mutex } from "../../index.js";
import { bounded } from "../process/bounded.js";
import { catchSignals } from "../process/signals.js";
import type { Running } from "./while-held.js";

/** Who asks for the end of this, and whom a signal is for at the moment. */
export class Interruption {
  readonly #interrupt = new AbortController();
  /** Aborted by the second request: a user that asks again does not want to wait for the tidying up. */
  readonly #hurry = new AbortController();
  #by: NodeJS.Signals | undefined;
  #running: Running | undefined;
  /** Until when all of the tidying up may take together; undefined before it has begun. */
  #tidyUntilMs: number | undefined;

  /** Aborted by the first request, while no command runs. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Which it was. */
  get by(): NodeJS.Signals | undefined {
    return this.#by;
  }

  /** Passes signals to the command from here on, until there is none. */
  passTo(running: Running | undefined): void {
    this.#running = running;
  }

  /**
   * Notes that from here on there is nothing to interrupt and nothing to pass a signal on to: the first one ends the wait for the store,
   * and all that is left to do takes ten seconds at most.
   */
  leave(): void {
    this.#running = undefined;
    this.#tidyUntilMs ??= performance.now() + LEAVING_MAX_MS;
  }

  /** Notes that there is something to interrupt after all. */
  stay(): void {
    this.#tidyUntilMs = undefined;
  }

  /** Waits for the store in order to tidy up, and not for long; undefined where that was too long. */
  async tidied<T>(work: Promise<T>): Promise<T | undefined> {
    const untilMs = this.#tidyUntilMs ?? performance.now() + TIDYING_MAX_MS;
    return bounded(work, Math.max(0, untilMs - performance.now()), this.#hurry.signal);
  }

  /** Waits until a signal ends that; undefined where one did. */
  async unlessInterrupted<T>(work: Promise<T>): Promise<T | undefined> {
    return bounded(work, undefined, this.#interrupt.signal);
  }

  /** Gives back what is held. The process ends in a moment, and its renewals with it. */
  async close(mutex: S3Mutex): Promise<void> {
    this.#running = undefined;
    await this.tidied(mutex.close({ handles: "release" }));
  }

  /** Returns how to let go of the signals again. */
  listen(): () => void {
    return catchSignals({ receive: (signal, isEnding) => this.#receive(signal, isEnding) });
  }

  #receive(signal: NodeJS.Signals, isEnding: boolean): void {
    const running = this.#running;
    const isAgain = this.#by !== undefined || this.#tidyUntilMs !== undefined;
    // Also while a command runs: what was told to end does not begin again.
    if (isEnding) this.#by ??= signal;
    if (running !== undefined) return running.receive(signal, isEnding);
    if (!isEnding) return;
    if (isAgain) this.#hurry.abort();
    this.#interrupt.abort();
  }
}

/** How long the command's exit code is held back by a store that does not answer: what supervisors wait for before they kill. */
const LEAVING_MAX_MS = 10_000;
/** The same where no command has run: what is undone then is a place in the queue, or a lock under which nothing was started. */
const TIDYING_MAX_MS = 3000;
