// npm run sim                                2,000 seeds, from 1, on all processors
// npm run sim -- --seeds 100000 --from 1     the long run
// npm run sim -- --traces                    ... and one hash of all that happened: the same code gives the same
// npm run sim -- --seed 42 --trace           one seed again, with every event
// npm run sim -- --shrink 42                 a failing seed made smaller
import { execFileSync } from "node:child_process";
import { parseSimArguments, type SimArguments, USAGE } from "./arguments.js";
import type { Finding } from "./checkers/findings.js";
import type { Outcome } from "./outcome.js";
import type { Edits } from "./plan/plan.js";
import { runSeed } from "./run.js";
import { shrink } from "./shrink.js";
import { Summary } from "./summary.js";
import { runPool } from "./threads/pool.js";
import { TraceHash } from "./trace-hash.js";

/** How often progress is told, on stderr. */
const PROGRESS_MS = 30_000;

const options = argumentsOrExit();
const isGood =
  options.kind === "range"
    ? await runRange(options)
    : options.kind === "replay"
      ? await replay(options)
      : await makeSmaller(options.seed);
process.exit(isGood ? 0 : 1);

async function runRange({ seeds, from, threads, traces }: SimArguments & { kind: "range" }): Promise<boolean> {
  const startedAtMs = performance.now();
  const summary = new Summary();
  const hashes = new Map<number, string>();
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    process.stderr.write(`${summary.seeds} of ${seeds} seeds, ${summary.violations} violations, ${seconds} s\n`);
  }, PROGRESS_MS);
  await runPool({
    seeds,
    from,
    threads,
    traces,
    onRun: ({ outcome, trace }) => {
      summary.add(outcome);
      if (trace !== undefined) hashes.set(outcome.seed, trace);
      if (outcome.findings.length > 0) printFailure(outcome.seed, outcome.findings);
    },
    onLost: (lost, why) => {
      summary.addLost(lost);
      console.log(`One of the seeds ${lost.join(", ")} never ended: ${why}`);
    },
  });
  clearInterval(progress);
  const { shortcomings } = summary;
  for (const line of summary.lines(performance.now() - startedAtMs)) console.log(line);
  for (const shortcoming of shortcomings) console.log(`not enough: ${shortcoming}`);
  if (traces) console.log(`traces of ${hashes.size} seeds: ${hashOf(hashes)}`);
  console.log(`${summary.seeds} seeds, ${summary.violations} violations`);
  return summary.violations === 0 && shortcomings.length === 0;
}

/** Hashes all traces: it is the same for the same traces, in whatever order the threads came to their ends. */
function hashOf(hashes: ReadonlyMap<number, string>): string {
  const all = new TraceHash();
  for (const [seed, hash] of [...hashes].sort(([a], [b]) => a - b)) all.add(`${seed} ${hash}`);
  return all.text;
}

async function replay({ seed, trace, edits }: SimArguments & { kind: "replay" }): Promise<boolean> {
  const hash = new TraceHash();
  const outcome = await runSeed(seed, {
    edits,
    onTrace: (line) => {
      hash.add(line);
      if (trace) console.log(line);
    },
  });
  console.log(describe(outcome));
  console.log(`trace ${hash.text}`);
  if (outcome.findings.length > 0) printFailure(seed, outcome.findings, edits);
  console.log(`1 seeds, ${outcome.findings.length === 0 ? 0 : 1} violations`);
  return outcome.findings.length === 0;
}

async function makeSmaller(seed: number): Promise<boolean> {
  const shrunk = await shrink(seed, (line) => process.stderr.write(`${line}\n`));
  if (shrunk === undefined) {
    console.log(`Seed ${seed} finds nothing that is wrong.`);
    return true;
  }
  console.log(describe(shrunk.outcome));
  console.log(`Smaller after ${shrunk.runs} runs: ${JSON.stringify(shrunk.edits)}`);
  console.log(`Plan: ${JSON.stringify(shrunk.plan)}`);
  printFailure(seed, shrunk.outcome.findings, shrunk.edits);
  return false;
}

function describe({ clients, grants, faults, seconds, keepsAssumptions, requests }: Outcome): string {
  const clocks = keepsAssumptions ? "clocks keep the assumptions" : "clocks break the assumptions";
  return `${clients} clients, ${grants} grants, ${faults} faults, ${requests} requests, ${seconds.toFixed(1)} virtual seconds; ${clocks}`;
}

function printFailure(seed: number, findings: readonly Finding[], edits: Edits = {}): void {
  console.log(`Seed ${seed}, commit ${commit()}:`);
  for (const { property, detail, atSeconds } of findings) console.log(`  at ${atSeconds} s, ${property}: ${detail}`);
  const smaller = Object.keys(edits).length === 0 ? "" : ` --edits '${JSON.stringify(edits)}'`;
  console.log(`  replay: npm run sim -- --seed ${seed}${smaller} --trace`);
}

/** Names the commit; without one, as in an unpacked archive, a seed is of less use. */
function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
    const changes = git("status", "--porcelain", "src", "sim");
    return `${git("rev-parse", "--short", "HEAD")}${changes === "" ? "" : " with changes"}`;
  } catch {
    return "unknown";
  }
}

function argumentsOrExit(): SimArguments {
  try {
    return parseSimArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}
