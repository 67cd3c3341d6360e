import { catchSignals } from "../process/signals.js";
import type { Running } from "./while-held.js";

/** Who asks for the end of this, and whom a signal is for at the moment. */
export class Interruption {
  readonly #interrupt = new AbortController();
  readonly #hurry = new AbortController();
  #by: NodeJS.Signals | undefined;
  #running: Running | undefined;

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

  /** Returns how to let go of the signals again. */
  listen(): () => void {
    return catchSignals({ receive: (signal, isEnding) => this.#receive(signal, isEnding) });
  }

  #receive(signal: NodeJS.Signals, isEnding: boolean): void {
    if (this.#running !== undefined) return this.#running.receive(signal, isEnding);
    if (!isEnding) return;
    if (this.#by !== undefined) this.#hurry.abort();
    this.#by ??= signal;
    this.#interrupt.abort();
  }
}
