// npm run runtimes             the built package on every runtime and compiler that is supported
// npm run runtimes -- --record the same, and the table in docs/guide/install.md
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../stores/host/commands.js";
import { type Compiler, installTools, type Runner, type Runtime } from "./runtimes.js";
import { installMiniflare, tryWorkerd, WORKERD } from "./workerd.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = join(ROOT, "docs/guide/install.md");
const GROUPS = ["store", "races", "locks", "1.x"];
/** The suite mostly waits. */
const AT_ONCE = 3;

/** One line of the report: what was tried, and what was said when it failed. */
interface Outcome {
  readonly name: string;
  readonly version: string;
  readonly tried: string;
  readonly failure?: string;
  /** Why it could not be tried. */
  readonly skipped?: string;
}

const folder = mkdtempSync(join(tmpdir(), "s3-mutex-runtimes-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(signal, () => process.exit(code));

const { runtimes, compilers, jests } = await installTools();
await installPackage();
const outcomes = await inParallel([
  ...runtimes.map((runtime) => () => tryRuntime(runtime)),
  ...compilers.map((compiler) => () => tryCompiler(compiler)),
  ...jests.map((jest) => () => tryJest(jest)),
  () => tryWorkers(runtimes),
]);
const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).length;
if (process.argv.includes("--record") && failed + skipped === 0) record(outcomes);
console.log(`runtimes: ${outcomes.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);

/** Installs the package as users get it, in an empty project; the SDK is the repository's own. */
async function installPackage(): Promise<void> {
  const packed = await runCommand("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT });
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "s3-mutex"), { recursive: true });
  const tarball = join(folder, packed.trim().split("\n").at(-1) ?? "");
  await runCommand("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "s3-mutex")]);
  for (const scope of ["@aws-sdk", "@types"]) symlinkSync(join(ROOT, "node_modules", scope), join(modules, scope));
  cpSync(join(ROOT, "test/runtimes/consumer"), folder, { recursive: true });
  cpSync(join(ROOT, "test/runtimes/worker"), join(folder, "worker"), { recursive: true });
  cpSync(join(folder, "consumer.ts"), join(folder, "consumer.cts"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
}

async function tryRuntime({ name, version, command, args, leastArgs }: Runtime): Promise<Outcome> {
  const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", NODE_OPTIONS: "" };
  const run = (file: string, ...rest: readonly string[]) =>
    runCommand(command, [...args, file, ...rest], { cwd: folder, env, minutes: 4 });
  const work = async () => {
    for (const file of ["smoke.mjs", "smoke.cjs"]) expectEnd(await run(file), /^smoke passed$/m);
    expectEnd(await run("contexts.mjs"), /^contexts passed$/m);
    expectEnd(await run("repeats.mjs"), /^repeats passed$/m);
    expectEnd(await run("virtual.mjs"), /^virtual passed$/m);
    if (leastArgs !== undefined) {
      const printed = await runCommand(command, [...leastArgs, "permissions.mjs"], { cwd: folder, env, minutes: 1 });
      expectEnd(printed, /^permissions passed$/m);
    }
    expectEnd(await run("suite.mjs", ...GROUPS), /^suite: \d+ passed, 0 failed$/m);
  };
  return report(
    { name, version, tried: "import, require(), shared contexts, repeated requests, the conformance suite" },
    work,
  );
}

/** Compiles an ES module and a CommonJS one, each by the ways of resolving that its compiler has. */
async function tryCompiler({ version, path }: Compiler): Promise<Outcome> {
  const ways = {
    "consumer.ts": { node16: "node16", bundler: "esnext" },
    "consumer.cts": { node16: "node16", nodenext: "nodenext", "its default": "commonjs" },
  };
  const work = async () => {
    for (const [source, resolutions] of Object.entries(ways)) {
      for (const [moduleResolution, module] of Object.entries(resolutions)) {
        const resolving = moduleResolution === "its default" ? {} : { moduleResolution };
        const options = { target: "ES2022", module, ...resolving, strict: true, noEmit: true, types: ["node"] };
        const file = join(folder, `tsconfig-${version}-${module}-${source}.json`);
        writeFileSync(file, JSON.stringify({ compilerOptions: { ...options, skipLibCheck: true }, files: [source] }));
        await runCommand(process.execPath, [path, "-p", file], { cwd: folder });
      }
    }
  };
  const tried = "strict; ES modules: `node16`, `bundler`; CommonJS: `node16`, `nodenext`, `commonjs`";
  return report({ name: "TypeScript", version, tried }, work);
}

/** Runs a test by Jest with nothing configured: it requires everything, in a world of modules of its own. */
async function tryJest({ version, path }: Runner): Promise<Outcome> {
  const project = join(folder, `jest-${version}`);
  mkdirSync(project);
  cpSync(join(ROOT, "test/runtimes/consumer/jest.cjs"), join(project, "lock.test.js"));
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", NODE_OPTIONS: "" };
  const work = () => runCommand(process.execPath, [path, "--rootDir", project], { cwd: project, env, minutes: 2 });
  return report({ name: "Jest", version, tried: "`require()` in a test, nothing configured" }, work);
}

/** Tries workerd, by the newest Node: miniflare wants 22 or later. */
async function tryWorkers(all: readonly Runtime[]): Promise<Outcome> {
  const node = all.filter(({ name }) => name === "Node").at(-1)?.command ?? process.execPath;
  const tools = await installMiniflare().catch((error: unknown) => {
    const skipped = `miniflare cannot be installed: ${error instanceof Error ? error.message : String(error)}`;
    console.log(`skip ${WORKERD.name} ${WORKERD.version}: ${skipped}`);
    return { ...WORKERD, skipped };
  });
  if (typeof tools !== "string") return tools;
  return report(WORKERD, () => tryWorkerd(node, tools, join(ROOT, "node_modules/esbuild/lib/main.js"), folder));
}

function expectEnd(printed: string, pattern: RegExp): void {
  if (!pattern.test(printed)) throw new Error(printed.trim());
}

async function report(what: Omit<Outcome, "failure">, work: () => Promise<unknown>): Promise<Outcome> {
  const startedAtMs = performance.now();
  const failure = await work().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  const why = failure === undefined ? "" : `; ${failure}`;
  console.log(
    `${failure === undefined ? "ok  " : "FAIL"} ${what.name} ${what.version}: ${what.tried} (${seconds} s)${why}`,
  );
  return failure === undefined ? what : { ...what, failure };
}

async function inParallel(tasks: ReadonlyArray<() => Promise<Outcome>>): Promise<Outcome[]> {
  const waiting = [...tasks.entries()];
  const results: Outcome[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Writes the table between two marks in docs/guide/install.md, so that what is said there is what has run. */
function record(all: readonly Outcome[]): void {
  const rows = all.map(({ name, version, tried }) => `| ${name} | ${version} | ${tried} |`);
  const table = ["| | Version | What was tried |", "| --- | --- | --- |", ...rows].join("\n");
  const before = readFileSync(PAGE, "utf8");
  const marked = /<!-- runtimes -->[\s\S]*?<!-- end of runtimes -->/;
  if (!marked.test(before)) throw new Error("docs/guide/install.md has no marks for the table of runtimes");
  const text = `<!-- runtimes -->\n\n${table}\n\n<!-- end of runtimes -->`;
  writeFileSync(PAGE, before.replace(marked, text));
}
