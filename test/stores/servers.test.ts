import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../api/fixture.js";

const folder = mkdtempSync(join(tmpdir(), "s3-mutex-servers-"));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a process that starts a server as `npm run stores` does, and waits. */
async function holder(): Promise<{ readonly process: ChildProcess; readonly server: number }> {
  const servers = new URL("../../stores/host/servers.ts", import.meta.url).href;
  const code = `const { Server } = await import(${JSON.stringify(servers)});
    const server = new Server("sleep", ["600"], { logFile: ${JSON.stringify(join(folder, "log"))} });
    process.on("SIGTERM", () => process.exit(143));
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", code];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  return { process: child, server: Number(printed.toString()) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// Only Linux can be asked to end a process with its parent, however that ends.
const SIGNALS = process.platform === "linux" ? (["SIGTERM", "SIGKILL"] as const) : (["SIGTERM"] as const);

test.each(SIGNALS)("a server goes with the process that started it: %s", async (signal) => {
  const { process: parent, server } = await holder();
  expect(isAlive(server)).toBe(true);
  parent.kill(signal);
  await until(() => !isAlive(server));
});
