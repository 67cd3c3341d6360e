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

/** Simulation, from seed 1 on; one configuration of the model; or, where those two cannot look, a named test. */
export type Method = "sim" | { readonly model: string } | NamedTest;

/** A test that imports `src`, not `dist`: mutants are not built. */
export interface NamedTest {
  /** The file, from the root of the project. */
  readonly test: string;
  /** What its name contains, so that a failure of another test catches nothing: "P1:". */
  readonly named: string;
}

/** Says which kind of hunt that is. */
export function kindOf(method: Method): "sim" | "model" | "test" {
  if (method === "sim") return method;
  return "model" in method ? "model" : "test";
}
