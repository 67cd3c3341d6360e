import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { GroupChecks } from "../../src/cli/process/group-checks.js";
import { livingMembers, parsePs } from "../../src/cli/process/living-members.js";
import { ProcessGroup } from "../../src/cli/process/process-group.js";
import { planDeadline } from "../../src/cli/run/deadline.js";
import { runSession } from "../../src/cli/run/session.js";
import { S3Mutex } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { startOutput } from "./terminal.js";

/** Starts `run` in this process, so that mutants of its source can be tried: they are not built. */
async function startRun(script: string, { leaseMs = 3000 } = {}) {
  const server = await startS3Server({ buckets: ["bkt"] });
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "bkt" });
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-held-"));
  const file = join(folder, "said.txt");
  writeFileSync(file, "");
  onTestFinished(async () => {
    await mutex.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { output, said } = startOutput();
  const exitCode = runSession(
    {
      mutex: { s3ClientConfig: server.clientConfig(), bucketName: "bkt", lockTimeoutMs: leaseMs },
      isDebugging: false,
      isQuiet: false,
      wanted: { kind: "locks", names: ["job"], isShared: false },
      line: { command: "sh", args: ["-c", script], environment: { PATH: process.env["PATH"], SAID: file } },
      leaseMs,
      deadline: planDeadline(leaseMs, undefined),
      groupGraceMs: undefined,
      priority: 0,
      waitMs: undefined,
      conflictExitCode: 75,
    },
    output,
  );
  const saying = async (text: string) => {
    while (!readFileSync(file, "utf8").includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
    return readFileSync(file, "utf8");
  };
  return { mutex, exitCode, said, saying };
}

/** A child in the background that needs four seconds after SIGTERM: longer than the lease of the tests. It ends at last by itself. */
const WORKER =
  "(trap 'sleep 4; echo done >> $SAID; exit' TERM HUP; echo up >> $SAID; for i in $(seq 400); do sleep 0.05; done) & wait";

test("P3: after a signal, the lock is held and renewed until nothing of the group runs", {
  timeout: 60_000,
}, async () => {
  const { mutex, exitCode, saying } = await startRun(WORKER);
  await saying("up");
  const next = mutex.withLock("job", () => saying(""), { timeoutMs: 50_000 });
  // What the handler of a signal hears. SIGTERM itself would also be for the process that runs the tests.
  process.emit("SIGHUP", "SIGHUP");
  expect(await next).toContain("done");
  expect(await exitCode).toBe(129);
});

test("P3: a command that died of a signal takes along what it started", { timeout: 60_000 }, async () => {
  const { mutex, exitCode, saying } = await startRun(`echo leader $$ >> $SAID; ${WORKER}`);
  const [, leader] = /leader (\d+)/.exec(await saying("up")) ?? [];
  const next = mutex.withLock("job", () => saying(""), { timeoutMs: 50_000 });
  process.kill(Number(leader), "SIGKILL");
  expect(await next).toContain("done");
  expect(await exitCode).toBe(137);
});

test("P3: a lock that is lost while the group ends takes the group along", { timeout: 60_000 }, async () => {
  const { mutex, exitCode, said, saying } = await startRun(WORKER);
  await saying("up");
  process.emit("SIGHUP", "SIGHUP");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await mutex.releaseLock("job", true);
  expect(await exitCode).toBe(79);
  expect(await saying("")).not.toContain("done");
  expect(said.stderr).toContain("The command is killed.");
});

test("what is left of a group is known with process id and command, the dead left out", async () => {
  const group = new ProcessGroup("sh", ["-c", "sleep 60 & sleep 0.3"], process.env);
  onTestFinished(() => group.signalAll("SIGKILL"));
  await group.ended;
  // The child is a shell until it becomes what it is to be.
  const left = () => expect(group.members()).toEqual([{ pid: expect.any(Number), command: "sleep 60" }]);
  await vi.waitFor(left, { timeout: 30_000, interval: 20 });
  group.signalAll("SIGKILL");
  while (group.hasMembers()) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(group.members()).toEqual([]);
});

test("P3: a chain of short processes, each of which starts the next, is not overlooked between two of them", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-chain-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [script, end] = [join(folder, "link.sh"), join(folder, "end.txt")];
  writeFileSync(script, `[ $1 -gt 0 ] || { : > ${end}; exit; }\nsleep 0.005\nsh ${script} $(($1 - 1)) &\n`);
  const group = new ProcessGroup("sh", [script, "100"], process.env);
  onTestFinished(() => group.signalAll("SIGKILL"));
  await group.ended;
  while (group.hasMembers()) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(existsSync(end)).toBe(true);
});

test("P3: a group is gone only when two checks after each other have seen the same dead and no member alive", () => {
  const checks = new GroupChecks();
  const dead = (...pids: number[]) => ({ living: undefined, dead: new Set(pids) });
  expect(checks.areAllDead({ living: 1, dead: new Set() })).toBe(false);
  expect(checks.lastSeen).toBe(1);
  // The first has started the second and ended, which has started the third and ended, while they were looked at.
  expect(checks.areAllDead(dead(1))).toBe(false);
  expect(checks.areAllDead(dead(1, 2))).toBe(false);
  expect(checks.areAllDead({ living: 3, dead: new Set([1, 2]) })).toBe(false);
  expect(checks.areAllDead(dead(1, 2))).toBe(false);
  expect(checks.areAllDead(dead(1, 2))).toBe(true);
});

test("where there is no /proc, ps tells", () => {
  const text =
    "    1     1 Ss   /sbin/launchd\n  512   510 S    node worker.js --port 80\n  513   510 Z    (sh)\n 5100  5100 S+   vi\n";
  expect(parsePs(text, 510)).toEqual([{ pid: 512, command: "node worker.js --port 80" }]);
  expect(livingMembers(2 ** 30)).toEqual([]);
});
