import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Catch } from "./hunt.js";
import { MUTANTS } from "./list/all.js";
import { kindOf, type Mutant } from "./mutant.js";
import { sampleOf } from "./sample.js";
import { huntByTest } from "./test-hunt.js";
import { problemOf, Variant } from "./variant.js";

/**
 * `npm run mutants`: each deliberately broken variant of the library has to be caught, by simulation within so many seeds, by
 * the model, or by a test. `-- --only <text>`: those whose name contains it; `-- --kind test`: those
 * that are for a test, or `sim`, `model`; `-- --sample <n>`: that many, others for each
 * commit; `-- --seeds <n>`, `-- --jobs <n>`.
 */

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    kind: { type: "string", default: "" },
    seeds: { type: "string", default: "2000" },
    jobs: { type: "string", default: String(availableParallelism()) },
    sample: { type: "string", default: String(MUTANTS.length) },
  },
});

/** A hunt that takes longer is given up. */
const LONGEST_MS = 10 * 60_000;

const chosen = sampleOf(
  MUTANTS.filter(({ name, caughtBy }) => name.includes(values.only) && kindOf(caughtBy).includes(values.kind)),
  Number(values.sample),
);
const problems = chosen.flatMap((mutant) => problemOf(mutant) ?? []);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

const width = Math.max(...chosen.map(({ name }) => name.length));
const pending = [...chosen];
let survived = 0;
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`${chosen.length} mutants, ${survived} survived`);
process.exitCode = survived === 0 ? 0 : 1;

async function work(): Promise<void> {
  const variant = new Variant();
  try {
    for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
      variant.become(mutant);
      const found = await hunt(mutant, variant.folder);
      if (!found.caught) survived += 1;
      const how = found.caught ? `caught by ${found.by}` : `SURVIVED: ${mutant.why}`;
      const method = kindOf(mutant.caughtBy).padEnd(5);
      console.log(`${mutant.name.padEnd(width)}  ${method}  ${found.after.padEnd(14)}  ${how}`);
    }
  } finally {
    variant.remove();
  }
}

/** Hunts a mutant, in a process of its own, so that it begins with fresh modules and cannot hang this one. */
function hunt({ caughtBy }: Mutant, folder: string): Promise<Catch> {
  if (caughtBy !== "sim" && "test" in caughtBy) return huntByTest(caughtBy, folder, LONGEST_MS);
  const script = fileURLToPath(new URL("hunt.ts", import.meta.url));
  const [method, argument] = caughtBy === "sim" ? ["sim", values.seeds] : ["model", caughtBy.model];
  const child = spawn(process.execPath, ["--import", "tsx", script, folder, method, argument], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LONGEST_MS,
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (output.stdout += chunk));
  child.stderr.on("data", (chunk) => (output.stderr += chunk));
  return new Promise((resolve) => {
    child.on("close", (_, signal) => {
      const line = output.stdout.trim().split("\n").at(-1) ?? "";
      if (line.startsWith("{")) return resolve(JSON.parse(line) as Catch);
      const after = signal === null ? output.stderr.trim().split("\n").slice(-8).join(" / ") : "no end in sight";
      resolve({ caught: false, after, by: "nothing" });
    });
  });
}
