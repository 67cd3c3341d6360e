// Where the tools of node_modules are and how to run them: by path, so that no shell and no npm stand in between.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const PACKAGE_OF = { tsc: "typescript", biome: "@biomejs/biome", attw: "@arethetypeswrong/cli" };
const require = createRequire(import.meta.url);

export function toolPath(name) {
  const manifest = join(root, "node_modules", PACKAGE_OF[name] ?? name, "package.json");
  const { bin } = require(manifest);
  return join(dirname(manifest), typeof bin === "string" ? bin : bin[name]);
}

/** Runs a tool in the foreground; its exit code. */
export async function runTool(name, args) {
  return (await run(process.execPath, [toolPath(name), ...args], { stdio: "inherit" })).status;
}

/** Runs a program without standard input; its exit code and, unless it goes elsewhere, what it printed. */
export function run(command, args, { stdio = "pipe", cwd = root } = {}) {
  const { FORCE_COLOR, ...env } = process.env;
  // What is captured is shown indented, or kept in a log.
  const colors = stdio === "pipe" ? { NO_COLOR: "1" } : FORCE_COLOR === undefined ? {} : { FORCE_COLOR };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...env, ...colors }, stdio: ["ignore", stdio, stdio] });
    const chunks = [];
    child.stdout?.on("data", (chunk) => chunks.push(chunk));
    child.stderr?.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ status: 1, output: String(error) }));
    child.on("close", (code) => resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
