import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that run at this moment; none outlives this process. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill();
});

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Minutes after which it is killed. Default 10. */
  readonly minutes?: number;
}

/** Runs a program, and gives what it printed; rejects with its last lines when it fails. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, env, minutes = 10 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: minutes * 60_000,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    running.add(child);
    child.on("error", reject);
    child.on("close", (code, killedBy) => {
      running.delete(child);
      const printed = Buffer.concat(chunks).toString();
      if (code === 0) return resolve(printed);
      const said = lastLines(`${printed}\n${Buffer.concat(errors)}`, 8);
      const ended = killedBy === null ? `exit code ${code}` : `${killedBy}, after ${minutes} minutes at most`;
      reject(new Error(`${[command, ...args].join(" ")} failed (${ended}): ${said}`));
    });
  });
}

/** Finds a program on PATH, or in the folders for superusers, and gives its path. */
export function whichProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).join(" | ");
}
