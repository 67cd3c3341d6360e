import type { Random } from "./random.js";

/** The true time of a test or a run, and what is to happen in it. */
export interface Timeline {
  readonly random: Random;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** Runs the callback at a true time; the function returned prevents that. */
  at(atMs: number, run: () => void): () => void;
  after(delayMs: number, run: () => void): () => void;
  /** Does the same after a delay, for a callback that settles no promise. */
  silentlyAfter(delayMs: number, run: () => void): void;
  sleep(delayMs: number): Promise<void>;
  /** Tells something that a reader of a trace wants to know. */
  trace(line: () => string): void;
}
