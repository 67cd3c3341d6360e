/** A change of one expression or block that Stryker made by rule. */
export interface MechanicalMutant {
  /** By which it is switched on. */
  readonly id: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Of the rule that made it, as in Stryker's documents. */
  readonly rule: string;
  /** The first line is 1. */
  readonly line: number;
  readonly search: string;
  readonly replace: string;
  /** The whole file with this mutant made, without white space, which the instrumenter sets its own way. */
  readonly result: string;
}

/** Leaves out all space, to compare two texts of which only one is set as people set it. */
export function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}
