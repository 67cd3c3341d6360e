import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning, MAIN, newFolder, recordOf, STORE, startCli, startProgram, startStore, until } from "../cli/cli.js";

const ADDRESS = `${STORE}job`;
const TIMEOUT = { timeout: 60_000 };

/** Makes a package that has the CLI installed, and a script that uses it. */
function newPackage(script: string, inner = script): string {
  const folder = newFolder();
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  const bin = `#!/bin/sh\necho pid $$ >&2\nexec ${process.execPath} ${MAIN} "$@"\n`;
  writeFileSync(join(folder, "node_modules", ".bin", "s3-mutex"), bin, { mode: 0o755 });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "p", version: "1.0.0", scripts: { start: script, inner } }),
  );
  return folder;
}

/** Says the process id of `run`, then its own. */
const COMMAND = `sh -c 'echo pids $PPID $$; exec sleep 600'`;

test.each([
  ["npx", ["--no", "s3-mutex", "run", ADDRESS, "--", "sh", "-c", "echo pids $PPID $$; exec sleep 600"]],
  ["npm", ["start"]],
] as const)("C12: SIGTERM to %s ends the run that npm leaves behind", TIMEOUT, async (program, args) => {
  const { mutex, environment } = await startStore();
  const npm = startProgram(program, args, environment, newPackage(`s3-mutex run ${ADDRESS} -- ${COMMAND}`));
  const [, ...pids] = (await npm.says(/^pids (\d+) (\d+)$/m)).map(Number);
  npm.process.kill("SIGTERM");
  await until(() => pids.every((pid) => !isRunning(pid)));
  expect(await mutex.isLocked("job")).toBe(false);
});

test.each([
  ["serve", ["--port", "0"], /Ctrl-C stops it/],
  ["ui", [], /Ctrl-C ends it/],
  ["watch", [], /pid/],
  ["demo", ["--seconds", "60"], /token/],
  ["run", ["job", "--", "sleep", "600"], /pid/],
  ["bench", ["--turns", "100000"], /pid/],
] as const)("C12: SIGTERM to npx ends %s as well", TIMEOUT, async (command, args, sign) => {
  const { environment } = await startStore();
  const npx = startProgram("npx", ["--no", "s3-mutex", command, ...args], environment, newPackage("true"));
  const [, pid = 0] = (await npx.says(/^pid (\d+)$/m)).map(Number);
  await npx.says(sign);
  npx.process.kill("SIGTERM");
  await until(() => !isRunning(pid));
});

/** Makes a package whose script `start` leads to `run` by a detour. */
function newDetour(detour: "npx" | "npm run" | "a file"): string {
  const run = `s3-mutex run ${ADDRESS} -- ${COMMAND}`;
  const start = { npx: `npx --no ${run}`, "npm run": "npm run inner", "a file": "./start.sh" }[detour];
  const folder = newPackage(start, run);
  writeFileSync(join(folder, "start.sh"), `#!/bin/sh\n${run}\necho over\n`, { mode: 0o755 });
  return folder;
}

// On Linux alone it can be told what other processes run under.
test.runIf(process.platform === "linux").each(["npx", "npm run", "a file"] as const)(
  "C12: SIGTERM to npm reaches a run that a script starts by %s",
  TIMEOUT,
  async (detour) => {
    const { mutex, environment } = await startStore();
    const npm = startProgram("npm", ["start"], environment, newDetour(detour));
    const [, ...pids] = (await npm.says(/^pids (\d+) (\d+)$/m)).map(Number);
    npm.process.kill("SIGTERM");
    await until(() => pids.every((pid) => !isRunning(pid)));
    expect(await mutex.isLocked("job")).toBe(false);
  },
);

test("C12: npm that ends while a run is still loading is noticed as well", TIMEOUT, async () => {
  const { environment } = await startStore();
  // Kills the parent when the first line of the program is reached.
  const preload = `const { emitWarning, kill, ppid } = process;
    Object.defineProperty(process, "emitWarning", { get: () => emitWarning, set() {
      kill(ppid, "SIGKILL");
      while (process.ppid === ppid) {}
    } });`;
  const file = join(newFolder(), "preload.mjs");
  writeFileSync(file, preload);
  const line = `${process.execPath} --import=${file} ${MAIN} run ${ADDRESS} -- sleep 600; echo over`;
  const shell = startProgram("sh", ["-c", line], { ...environment, npm_lifecycle_event: "start" });
  await until(() => shell.stderr.includes("npm, under which this runs, has ended"));
  expect(shell.stdout).toBe("");
});

test("C12: what waits for a lock then takes it no more", TIMEOUT, async () => {
  const { mutex, server, environment } = await startStore();
  await using _lock = await mutex.acquire("job");
  const npm = startProgram("npm", ["start"], environment, newPackage(`s3-mutex run ${ADDRESS} -- true`));
  await until(() => recordOf(server, "job")?.queue.length === 1);
  const pid = recordOf(server, "job")?.queue[0]?.pid ?? 0;
  npm.process.kill("SIGTERM");
  await until(() => !isRunning(pid));
  expect(recordOf(server, "job")?.queue).toEqual([]);
});

test("without npm, a run goes on when its parent ends: nohup, setsid and & are for that", TIMEOUT, async () => {
  const { environment } = await startStore();
  const flag = join(newFolder(), "flag");
  const line = `${process.execPath} ${MAIN} run ${ADDRESS} -- ${COMMAND} & while [ ! -e ${flag} ]; do sleep 0.05; done`;
  const shell = startProgram("sh", ["-c", line], environment);
  const [, pid = 0] = (await shell.says(/^pids (\d+) (\d+)$/m)).map(Number);
  writeFileSync(flag, "");
  await shell.ended;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(isRunning(pid)).toBe(true);
  process.kill(pid, "SIGTERM");
  await until(() => !isRunning(pid));
});

test("under npm, a signal of its own is enough: the end of npm that follows is not a second one", TIMEOUT, async () => {
  const { environment } = await startStore();
  const script = "trap 'sleep 1.5; echo tidied up; exit 5' TERM; echo started; while :; do sleep 0.05; done";
  const line = `${process.execPath} ${MAIN} run ${ADDRESS} -- sh -c "${script}" & wait`;
  const shell = startProgram("sh", ["-c", `echo shell; ${line}`], { ...environment, npm_lifecycle_event: "start" });
  await shell.says(/started/);
  const again = startCli(["show", "--json", "job"], environment);
  const { pid } = JSON.parse((await again.ended).stdout).holders[0];
  process.kill(pid, "SIGTERM");
  shell.process.kill("SIGKILL");
  await until(() => !isRunning(pid));
  await until(() => shell.stdout.includes("tidied up"));
  expect(shell.stderr).not.toContain("npm");
});
