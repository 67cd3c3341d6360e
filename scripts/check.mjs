// Everything that has to hold before a change is taken, in one command:
//
//   npm run check                       all steps
//   npm run check -- lint types         these
//   npm run check -- --skip test,api    all but these
//
// A step that fails does not keep the later ones from running. The last line counts them.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, toolPath } from "./tools.mjs";

const tool = (name, ...args) => run(process.execPath, [toolPath(name), ...args]);
const script = (name, ...args) => run(process.execPath, [join("scripts", name), ...args]);

const packed = mkdtempSync(join(tmpdir(), "s3-mutex-check-"));
let tarball;

/** The library and its tests; the dashboard's page; tests that run in it. */
const PROJECTS = ["tsconfig.json", "tsconfig.page.json", "test/browser"];

const STEPS = {
  format: () => tool("biome", "format", "--reporter=summary", "."),
  lint: () => tool("biome", "check", "--formatter-enabled=false", "--error-on-warnings", "."),
  types: () => inTurn(PROJECTS.map((project) => () => tool("tsc", "-p", project))),
  build: () => script("build.mjs"),
  test: () => tool("vitest", "run", "--project", "unit"),
  proof: () => tool("vitest", "run", "--project", "slow", "--project", "proof"),
  api: () => script("api-report.mjs", "--check"),
  publint: () => withTarball((path) => tool("publint", "run", path, "--strict")),
  attw: () => withTarball((path) => tool("attw", path, "--no-definitely-typed")),
  package: () => tool("vitest", "run", "--project", "package"),
};

const results = await runAll(chosen(process.argv.slice(2)));
rmSync(packed, { recursive: true, force: true });
const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runAll(names) {
  const outcomes = [];
  for (const name of names) outcomes.push(await runStep(name));
  return outcomes;
}

async function runStep(name) {
  const startedAt = performance.now();
  const { status, output } = await STEPS[name]();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name.padEnd(8)} ${seconds.padStart(6)} s`);
  if (status !== 0) console.log(shortened(output).join("\n"));
  return status === 0;
}

/** One after the other, up to the first that fails. */
async function inTurn(tasks) {
  let result = { status: 0, output: "" };
  for (const task of tasks) if (result.status === 0) result = await task();
  return result;
}

/** Beginning and end: some tools say what matters first, some last. */
function shortened(output) {
  const lines = output
    .trimEnd()
    .split("\n")
    .map((line) => `     ${line}`);
  if (lines.length <= 130) return lines;
  return [...lines.slice(0, 60), `     (${lines.length - 120} more lines)`, ...lines.slice(-60)];
}

/** `npm pack` builds first, so that what is looked at is never old. */
async function withTarball(look) {
  if (tarball === undefined) {
    const result = await run("npm", ["pack", "--silent", "--pack-destination", packed]);
    if (result.status !== 0) return result;
    tarball = join(packed, readdirSync(packed)[0]);
  }
  return await look(tarball);
}

function chosen(args) {
  const skipAt = args.indexOf("--skip");
  const wanted = skipAt < 0 ? args : args.toSpliced(skipAt, 2);
  const skipped = skipAt < 0 ? [] : (args[skipAt + 1] ?? "").split(",");
  const unknown = [...wanted, ...skipped].filter((name) => !Object.hasOwn(STEPS, name));
  if (unknown.length > 0) {
    console.error(`No such step: ${unknown.join(", ")}. There are: ${Object.keys(STEPS).join(", ")}`);
    process.exit(2);
  }
  return Object.keys(STEPS).filter((name) => (wanted.length === 0 || wanted.includes(name)) && !skipped.includes(name));
}
