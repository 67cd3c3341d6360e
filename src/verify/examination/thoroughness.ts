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
