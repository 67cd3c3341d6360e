import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const ROOT = process.cwd();

/** The package as users get it: packed, and installed into an empty project. */
export interface Installed {
  readonly folder: string;
  readonly tarball: string;
  /** Paths within the package. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  more: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env: NodeJS.ProcessEnv = { ...inherited, NODE_OPTIONS: "", NO_COLOR: "1", ...more };
  try {
    return { status: 0, ...(await promisify(execFile)(command, [...args], { cwd, env, maxBuffer: 2 ** 26 })) };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { status: code, stdout, stderr };
  }
}

async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Installs the package without a network: the SDK is the repository's own, linked, and npm has nothing to fetch. */
export async function installPackage(): Promise<Installed> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "s3-mutex-package-")));
  const folder = join(base, "project");
  await mkdir(folder);
  await must("npm", ["pack", "--silent", "--pack-destination", base], ROOT);
  const tarball = join(base, (await readdir(base)).find((name) => name.endsWith(".tgz")) ?? "no tarball");
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  await must("npm", ["install", "--offline", "--legacy-peer-deps", "--no-audit", "--no-fund", tarball], folder);
  for (const peer of ["@aws-sdk", "@opentelemetry"]) {
    await symlink(join(ROOT, "node_modules", peer), join(folder, "node_modules", peer), "junction");
  }
  const listing = await must("tar", ["-tzf", tarball], base);
  const files = listing
    .trim()
    .split("\n")
    .map((path) => path.replace(/^package\//, ""));
  return { folder, tarball, files, remove: () => rm(base, { recursive: true, force: true }) };
}
