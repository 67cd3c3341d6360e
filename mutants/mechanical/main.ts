// npm run mutants:mechanical    every mutant that Stryker's rules make of core, the S3 adapter and part of the runtime
// npm run mutants:core          of core
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spreadSampleOf } from "../sample.js";
import { AREAS, type Area } from "./areas.js";
import { type MechanicalArguments, parseMechanicalArguments, USAGE } from "./arguments.js";
import type { Failure, Fate } from "./hunt/messages.js";
import { Pool } from "./hunt/pool.js";
import { suiteOf } from "./hunt/suite.js";
import { instrument } from "./instrument.js";
import type { MechanicalMutant } from "./mechanical-mutant.js";
import { judge, tellSurvivor } from "./report.js";

const chosen = argumentsOrExit();
let isGood = true;
for (const area of chosen.areas) isGood = (await run(area, chosen)) && isGood;
process.exit(isGood ? 0 : 1);

function argumentsOrExit(): MechanicalArguments {
  try {
    return parseMechanicalArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function run(area: Area, { jobs, sample }: MechanicalArguments): Promise<boolean> {
  const startedAtMs = performance.now();
  const { mutants, texts } = await instrument(area.files);
  const hunted = sample === undefined ? mutants : spreadSampleOf(mutants, sample);
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-mechanical-"));
  try {
    const suite = join(folder, "suite.cjs");
    writeFileSync(suite, await suiteOf(area.specs, texts));
    const pool = new Pool(suite, jobs);
    const survey = await pool.survey();
    if (tell(survey.failures) > 0) return false;
    const fates = new Map<MechanicalMutant, Fate>();
    const left = await pool.hunt({ mutants, hunted }, survey, (mutant, fate) => {
      fates.set(mutant, fate);
      tellSurvivor(area, mutant, fate);
    });
    if (tell(left) > 0) return false;
    const isSingle = area.files.length < (AREAS.find(({ name }) => name === area.name)?.files.length ?? 0);
    const isGood = judge(area, fates, { isWhole: hunted.length === mutants.length, isSingle });
    console.log(`${survey.timesMs.length} tests, ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
    return isGood;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the failures, and counts them. */
function tell(failures: readonly Failure[]): number {
  for (const { test, error } of failures) console.error(`fails without a mutant: ${test}: ${error}`);
  return failures.length;
}
