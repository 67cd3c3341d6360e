import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PACKED_MAX_KB } from "../../../testkit/package-size.js";
import type { Bench, BenchCase } from "../../case.js";
import { atMost, figure } from "../../figures.js";
import { timed } from "../../turns.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const ENTRY = new URL("../../../dist/index.js", import.meta.url).href;
const CLI = join(ROOT, "dist", "cli", "main.js");
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare"];

export const packageCost: BenchCase = {
  name: "package-cost",
  issue: 2,
  title: "What the package costs: import, --help, download (of the built package in dist)",
  async run(bench) {
    const imports = await measureImports(bench);
    const help = await measureHelp(bench);
    const [tarballKb, scripts] = await Promise.all([tarballSize(), installScripts()]);
    return [
      figure({ name: "import on top of the SDK's", unit: "ms", measured: imports, target: atMost(20) }),
      figure({
        name: "s3-mutex --help",
        unit: "ms",
        measured: help.times,
        target: atMost(100),
        note: `node itself takes ${Math.round(help.nodeMs)} ms of it to start and end`,
      }),
      figure({
        name: "SDK modules that --help loads",
        unit: "",
        measured: await sdkModulesLoadedByHelp(),
        target: atMost(0),
      }),
      figure({ name: "tarball", unit: "KB", measured: tarballKb, target: atMost(PACKED_MAX_KB) }),
      figure({ name: "install scripts", unit: "", measured: scripts, target: atMost(0) }),
    ];
  },
};

/** Measures, in fresh processes, what the second import takes when the first was the SDK's. */
async function measureImports(bench: Bench): Promise<number[]> {
  const program = `
    await import("@aws-sdk/client-s3");
    const startedAtMs = performance.now();
    await import(${JSON.stringify(ENTRY)});
    console.log(performance.now() - startedAtMs);`;
  const times: number[] = [];
  for (let round = 0; round < bench.rounds(9, 3); round += 1) {
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
      cwd: ROOT,
      env: plainEnv(),
    });
    times.push(Number(stdout));
  }
  return times;
}

async function measureHelp(bench: Bench): Promise<{ readonly times: number[]; readonly nodeMs: number }> {
  const times: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < bench.rounds(9, 3); round += 1) {
    bare.push(await timed(() => run(process.execPath, ["-e", "0"], { env: plainEnv() })));
    times.push(await timed(() => run(process.execPath, [CLI, "--help"], { env: plainEnv() })));
  }
  return { times, nodeMs: Math.min(...bare) };
}

/** Counts by V8's coverage, which lists every script that was loaded, as no other means does for ES modules. */
async function sdkModulesLoadedByHelp(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "s3-mutex-bench-"));
  try {
    await run(process.execPath, [CLI, "--help"], { env: { ...plainEnv(), NODE_V8_COVERAGE: folder } });
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    const urls = texts.flatMap((text) => (JSON.parse(text).result as { url: string }[]).map(({ url }) => url));
    if (!urls.some((url) => url.endsWith("/cli/main.js")))
      throw new Error("the coverage does not show what was loaded");
    return urls.filter((url) => /\/node_modules\/@(aws-sdk|smithy|aws-crypto)\//.test(url)).length;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Measures the tarball without the package's scripts: the bench has been built already, and must not be rebuilt while a case uses it. */
async function tarballSize(): Promise<number> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await run("npm", args, { cwd: ROOT, maxBuffer: 2 ** 26 });
  const [packed] = JSON.parse(stdout) as { size: number }[];
  if (packed === undefined) throw new Error("npm pack says nothing");
  return packed.size / 1024;
}

async function installScripts(): Promise<number> {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return INSTALL_SCRIPTS.filter((name) => name in (manifest.scripts ?? {})).length;
}

/** Gives the environment as from a shell: without the loader that the bench itself runs with. */
function plainEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  return env;
}
