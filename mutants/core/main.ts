// npm run mutants:core                    every mutant that Stryker's rules make of src/core
// npm run mutants:core -- --only queue    of the files whose path contains it
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CoreArguments, parseCoreArguments, USAGE } from "./arguments.js";
import type { CoreMutant } from "./core-mutant.js";
import { fits } from "./explain.js";
import { EXPLAINED } from "./explained.js";
import { instrument } from "./instrument.js";
import type { Failure } from "./messages.js";
import { type Fate, Pool } from "./pool.js";
import { suiteOf } from "./suite.js";

/** In percent, and for each file. */
const LEAST_SCORE = 95;

process.exit((await run(argumentsOrExit())) ? 0 : 1);

function argumentsOrExit(): CoreArguments {
  try {
    return parseCoreArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function run({ files, jobs }: CoreArguments): Promise<boolean> {
  const startedAtMs = performance.now();
  const instrumented = await instrument(files);
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-core-"));
  try {
    const suite = join(folder, "suite.cjs");
    writeFileSync(suite, await suiteOf(instrumented));
    const pool = new Pool(suite, jobs);
    const survey = await pool.survey();
    if (!areNone(survey.failures)) return false;
    const fates = new Map<CoreMutant, Fate>();
    const left = await pool.hunt(instrumented.mutants, survey, (mutant, fate) => fates.set(mutant, fate));
    if (!areNone(left)) return false;
    const endless = instrumented.mutants.filter((mutant) => fates.get(mutant) === "endless").length;
    const survivors = instrumented.mutants.filter((mutant) => fates.get(mutant) === "survived");
    const areGood = files.map((file) => tellOf(file, instrumented.mutants, survivors));
    const explained = tellExplanations(files, survivors);
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    console.log(`${survey.timesMs.length} tests, ${endless} mutants without end, ${seconds} s`);
    console.log(
      `${instrumented.mutants.length} mutants, ${survivors.length} survived of which ${explained.fitting} explained, ` +
        `score ${score(instrumented.mutants.length, survivors.length).toFixed(1)} %`,
    );
    return areGood.every(Boolean) && explained.fitting === survivors.length && explained.stale === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function areNone(failures: readonly Failure[]): boolean {
  for (const { test, error } of failures) console.error(`fails without a mutant: ${test}: ${error}`);
  return failures.length === 0;
}

/** A line for the file. Whether its score is high enough. */
function tellOf(file: string, mutants: readonly CoreMutant[], survivors: readonly CoreMutant[]): boolean {
  const isOfFile = (mutant: CoreMutant) => mutant.file === file;
  const [all, survived] = [mutants.filter(isOfFile).length, survivors.filter(isOfFile).length];
  const percent = score(all, survived);
  const isGood = percent >= LEAST_SCORE;
  const numbers = `${String(all).padStart(4)} mutants  ${String(survived).padStart(3)} survived`;
  console.log(`${file.padEnd(35)}${numbers}  ${percent.toFixed(1).padStart(5)} %${isGood ? "" : "  TOO LOW"}`);
  return isGood;
}

function score(all: number, survived: number): number {
  return all === 0 ? 100 : (100 * (all - survived)) / all;
}

/** Says which survivors have no explanation, and which explanations no survivor. */
function tellExplanations(
  files: readonly string[],
  survivors: readonly CoreMutant[],
): { readonly fitting: number; readonly stale: number } {
  const open = survivors.filter((mutant) => !EXPLAINED.some((one) => fits(one, mutant)));
  for (const { file, line, rule, search, replace } of open)
    console.log(`SURVIVED ${file}:${line} ${rule}: ${search} becomes ${replace}`);
  const stale = EXPLAINED.filter((one) => files.includes(one.file) && !survivors.some((mutant) => fits(one, mutant)));
  for (const { file, search, replace } of stale)
    console.log(`explained, but no survivor: ${file}: ${search} becomes ${replace}`);
  return { fitting: survivors.length - open.length, stale: stale.length };
}
