import type { S3Mutex } from "../../index.js";
import { bounded } from "../process/bounded.js";
import { catchSignals } from "../process/signals.js";
import type { Running } from "./while-held.js";

/** Who asks for the end of this, and whom a signal is for at the moment. */
export class Interruption {
  readonly #interrupt = new AbortController();
  readonly #hurry = new AbortController();
  #by: NodeJS.Signals | undefined;
  #running: Running | undefined;
  #isLeaving = false;

  /** Aborted by the first request, while no command runs. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Aborted by the second: a user that asks again does not want to wait for the tidying up. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Which it was. */
  get by(): NodeJS.Signals | undefined {
    return this.#by;
  }

  /** From here on signals are for the command, until there is none. */
  passTo(running: Running | undefined): void {
    this.#running = running;
  }

  /** From here on there is nothing to interrupt and nothing to pass a signal on to: the first one ends the wait for the store. */
  leave(): void {
    this.#running = undefined;
    this.#isLeaving = true;
  }

  /** Waits for the store in order to tidy up, but not for long where the user wants this to be over. */
  async tidied<T>(work: Promise<T>): Promise<T | undefined> {
    return bounded(work, TIDYING_MAX_MS, this.#hurry.signal);
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
    const isAgain = this.#by !== undefined || this.#isLeaving;
    // Also while a command runs: what was told to end does not begin again.
    if (isEnding) this.#by ??= signal;
    if (running !== undefined) return running.receive(signal, isEnding);
    if (!isEnding) return;
    if (isAgain) this.#hurry.abort();
    this.#interrupt.abort();
  }
}

const TIDYING_MAX_MS = 3000;
