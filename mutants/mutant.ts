/** One piece of a source file, replaced by another. */
export interface Replacement {
  readonly file: string;
  /** Has to be in the file exactly once. */
  readonly search: string;
  readonly replace: string;
}

/** A deliberately broken variant of the library. Checkers are never touched. */
export interface Mutant extends Replacement {
  readonly name: string;
  /** What is wrong with it. */
  readonly why: string;
  readonly caughtBy: Method;
}

/** Simulation, from seed 1 on; or one configuration of the model. */
export type Method = "sim" | { readonly model: string };
