// npm run bench                         all cases, and a table at the end
// npm run bench -- contention order     these
// npm run bench -- --quick              one round each, fewer of everything
// npm run bench -- --seed 7             other holds and faults; the same seed gives the same ones
// npm run bench -- --virtual            contention in virtual time, beside the last record (--record: a new one)
// npm run --silent bench -- --json      the figures as JSON on stdout; for bench/report.ts
import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { type BenchArguments, parseBenchArguments } from "./arguments.js";
import { CASES } from "./cases.js";
import { LIMIT_FORMULA } from "./contestants/pushing-limit.js";
import { verdictOf } from "./judge.js";
import { type CaseReport, runCases } from "./run-cases.js";
import { textTable } from "./table.js";
import { runVirtual } from "./virtual/run.js";

// The SDK announces the end of its support for Node 20 once per process, children included.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const options = argumentsOrExit();
if (options.virtual !== undefined) process.exit((await runVirtual({ ...options, ...options.virtual })) ? 0 : 1);
const machine = describeMachine();
const report = (text: string) => process.stderr.write(`${text}\n`);
const cases = await runCases(options.cases, { ...options, report });
if (options.json) console.log(JSON.stringify({ ...machine, quick: options.quick, seed: options.seed, cases }, null, 2));
else printTable(cases);
// Sockets and timers of what was given up on (the ancestor has no limits of its own) must not keep the bench running.
process.exit(cases.some(({ failure }) => failure !== undefined) ? 1 : 0);

function printTable(reports: readonly CaseReport[]): void {
  const figures = reports.flatMap((one) => one.figures);
  const count = (verdict: string) => figures.filter((figure) => verdictOf(figure) === verdict).length;
  console.log(`\n${textTable(reports)}\n`);
  console.log(`${count("reached")} reached ✓, ${count("missed")} missed ✗, ${count("not there")} not there yet –`);
  console.log("measured: median of the rounds (lowest to highest); requests are counted at the server");
  console.log("times the ancestor: above 1 is better than s3-mutex 1.x; of the limit: 1 is all there is to be had");
  console.log(LIMIT_FORMULA);
  const { node, cpu, loadBefore } = machine;
  console.log(`Node ${node}, ${cpu}, load before ${loadBefore.toFixed(1)}, seed ${options.seed}`);
}

function describeMachine() {
  const model = cpus()[0]?.model ?? "unknown processor";
  return {
    when: new Date().toISOString(),
    commit: commit(),
    node: process.versions.node,
    cpu: `${cpus().length} x ${model}`,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Names the commit; without one, as in an unpacked archive, the figures are as good. */
function commit(): string {
  try {
    const short = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: "pipe" }).trim();
    const changes = execFileSync("git", ["status", "--porcelain", "src"], { encoding: "utf8", stdio: "pipe" }).trim();
    return changes === "" ? short : `${short} with changes`;
  } catch {
    return "unknown";
  }
}

function argumentsOrExit(): BenchArguments {
  try {
    return parseBenchArguments(process.argv.slice(2), CASES);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}
