import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Replacement } from "../mutant.js";
import { type MechanicalMutant, withoutSpace } from "./mechanical-mutant.js";
import { ROOT } from "./root.js";

/** A mutant that no test could tell from what is there. */
export interface Explained extends Replacement {
  readonly why: string;
}

/** Says whether the explanation is of this mutant: the one replacement makes of the file just what the other does. */
export function fits({ file, search, replace }: Explained, mutant: MechanicalMutant): boolean {
  if (file !== mutant.file) return false;
  const text = readFileSync(join(ROOT, file), "utf8");
  return withoutSpace(text.split(search).join(replace)) === mutant.result;
}
