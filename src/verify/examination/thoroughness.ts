/** Some ten seconds are usual; a store whose writes take tens of milliseconds, or that takes one a second on a key, needs more. */
const LONGEST_MS = 100_000;
/** More rounds than the default has at most take longer, and were asked for. */
const USUAL_ROUNDS = 400;

/** Says when an examination is given up. */
export function longestMs(rounds: number | undefined): number {
  return LONGEST_MS * Math.max(1, (rounds ?? 0) / USUAL_ROUNDS);
}

/** How much is examined, and how long that may take. */
export interface Thoroughness {
  /** Rounds of each race: at least, and at most. */
  readonly rounds: { readonly min: number; readonly max: number };
  /** What all races may take together with what went before; a race that had its least rounds ends when its share is over. */
  readonly totalMs: number;
  readonly contenders: number;
  /** How often reads are compared with what was written just before. */
  readonly readRounds: number;
}
