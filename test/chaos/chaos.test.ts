import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

/** Processes start, are killed and time out in here: on a busy machine that takes a while. */
const TIMEOUT_MS = 180_000;
if (!existsSync("dist/index.js")) throw new Error("dist is missing: run `npm run build` first");

interface Chaos {
  readonly process: ChildProcess;
  readonly folder: string;
  /** Gives all that it has said so far, on stdout and stderr. */
  said(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

function startChaos(options: string, environment: Readonly<Record<string, string>> = {}): Chaos {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-chaos-test-"));
  const args = ["--import", "tsx", "chaos/main.ts", ...options.split(" ")];
  const { CHAOS_BUCKET: _, CHAOS_ENDPOINT_URL: __, ...neutral } = process.env;
  const child = spawn(process.execPath, args, {
    env: { ...neutral, TMPDIR: folder, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { process: child, folder, said: () => said, ended };
}

test("killed and frozen processes and a killed store lose nothing behind tokens", { timeout: TIMEOUT_MS }, async () => {
  const chaos = startChaos("--seconds 7 --processes 4 --locks 2 --lease 800 --seed 11");
  const exitCode = await chaos.ended;
  expect({ exitCode, said: chaos.said() }).toMatchObject({ exitCode: 0 });
  const last = chaos.said().trimEnd().split("\n").at(-1) ?? "";
  const counts = /^chaos: (\d+) turns, (\d+) kills, (\d+) freezes, \d+ restarts, 0 updates lost behind tokens$/.exec(
    last,
  );
  const [turns = 0, kills = 0, freezes = 0] = (counts ?? []).slice(1).map(Number);
  expect({ last, turned: turns > 0, struck: kills + freezes > 0 }).toEqual({ last, turned: true, struck: true });
  expect(chaos.said()).toMatch(/answers by proxies +[1-9]/);
  expect(readdirSync(chaos.folder).filter((name) => name.startsWith("s3-mutex-chaos-"))).toEqual([]);
});

test.each([
  { breakage: "ignore-lock", verdict: /FAILED .*lost-update/ },
  { breakage: "old-token", verdict: /FAILED .*token-fell/ },
  { breakage: "keep-lock", verdict: /FAILED .*still held/ },
])("workers that are broken ($breakage) are caught", { timeout: TIMEOUT_MS }, async ({ breakage, verdict }) => {
  const chaos = startChaos("--seconds 3 --processes 2 --locks 1 --lease 600 --seed 3 --no-faults", {
    CHAOS_BREAK: breakage,
  });
  expect(await chaos.ended).toBe(1);
  expect(chaos.said()).toMatch(verdict);
});

test.each(["SIGINT", "SIGKILL"] as const)(
  "%s leaves no process behind, the frozen ones neither",
  {
    timeout: TIMEOUT_MS,
  },
  async (signal) => {
    const chaos = startChaos("--seconds 60 --processes 2 --locks 1 --seed 5 --no-faults", { CHAOS_LOG: "1" });
    await until(() => /SIGSTOP/.test(chaos.said()) || chaos.process.exitCode !== null);
    const pids = childrenOf(chaos.process.pid ?? 0);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    chaos.process.kill(signal);
    await once(chaos.process, "exit");
    await until(
      () => !pids.some(isRunning) && readdirSync(chaos.folder).every((name) => !/^s3-mutex-chaos-/.test(name)),
    );
  },
);

test("nonsense on the command line is refused with the usage", { timeout: TIMEOUT_MS }, async () => {
  const chaos = startChaos("--seconds soon");
  expect(await chaos.ended).toBe(2);
  expect(chaos.said()).toMatch(/--seconds takes a whole number[\s\S]+--processes P/);
});

/** Waits for the condition; the test's own timeout is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => Number(/\) \w (\d+)/.exec(statOf(pid))?.[1]) === parent);
}

function isRunning(pid: number): boolean {
  return /\) [^ZX] /.test(statOf(pid));
}

/** Reads what Linux says of a process; empty when there is no such process. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}
