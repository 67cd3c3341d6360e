/** A deliberately broken variant of the library: one piece of its source, replaced by another. Checkers are never touched. */
export interface Mutant {
  readonly name: string;
  /** What is wrong with it. */
  readonly why: string;
  readonly file: string;
  /** Has to be in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  readonly caughtBy: Method;
}

/** Simulation, from seed 1 on; or one configuration of the model. */
export type Method = "sim" | { readonly model: string };
