import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Outcome } from "../sim/outcome.js";
import { runSeed as runOriginal } from "../sim/run.js";

/**
 * A process of its own for each mutant: `hunt.ts <folder> sim <seeds>` or `hunt.ts <folder> model <configuration>`. It
 * imports what the folder has, and says as a line of JSON what was found, if anything.
 */

export interface Catch {
  readonly caught: boolean;
  /** How much it took: `seed 3`, `2,345 states`. */
  readonly after: string;
  /** The invariant that was violated. */
  readonly by: string;
}

const [folder = "", method, argument = ""] = process.argv.slice(2);
const found = method === "sim" ? await simulate(Number(argument)) : await check(argument);
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));

function load<Module>(path: string): Promise<Module> {
  return import(pathToFileURL(join(folder, path)).href) as Promise<Module>;
}

async function simulate(seeds: number): Promise<Catch> {
  const { runSeed } = await load<typeof import("../sim/run.js")>("sim/run.ts");
  for (let seed = 1; seed <= seeds; seed += 1) {
    const by = await problemOf(runSeed(seed));
    // What the library itself does wrong is for `npm run sim` to say, and catches no mutant.
    if (by !== undefined && (await problemOf(runOriginal(seed))) === undefined)
      return { caught: true, after: `${seed} ${seed === 1 ? "seed" : "seeds"}`, by };
  }
  return { caught: false, after: `${seeds} seeds`, by: "nothing" };
}

async function problemOf(run: Promise<Outcome>): Promise<string | undefined> {
  try {
    return (await run).findings[0]?.property;
  } catch (error) {
    return error instanceof Error ? `error: ${error.message.split("\n")[0]?.slice(0, 60)}` : "error";
  }
}

async function check(name: string): Promise<Catch> {
  const { explore } = await load<typeof import("../model/explore.js")>("model/explore.ts");
  const { configurationNamed } = await load<typeof import("../model/configurations.js")>("model/configurations.ts");
  const { REAL } = await load<typeof import("../model/subject.js")>("model/subject.ts");
  const { states, found } = explore(configurationNamed(name), REAL, 3_000_000);
  const after = `${states.toLocaleString("en")} states`;
  return { caught: found !== undefined, after, by: found?.violation.invariant ?? "nothing" };
}
