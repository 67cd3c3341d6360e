import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { count } from "../../sim/arguments.js";
import { CORE, filesOfCore } from "./files.js";

export interface CoreArguments {
  readonly files: readonly string[];
  readonly jobs: number;
}

export const USAGE = `npm run mutants:core                    every file of src/core
npm run mutants:core -- --only queue    those whose path in src/core contains it
npm run mutants:core -- --jobs 1        in one process instead of one for each processor`;

/** @throws where an option is unknown, no file is chosen, or the number of jobs is none */
export function parseCoreArguments(args: readonly string[]): CoreArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      jobs: { type: "string", default: String(availableParallelism()) },
    },
  });
  const files = filesOfCore("source").filter((file) => file.slice(CORE.length).includes(values.only));
  if (files.length === 0) throw new Error(`--only: no file of ${CORE} has ${JSON.stringify(values.only)} in its path`);
  return { files, jobs: count("jobs", values.jobs, 1) };
}
