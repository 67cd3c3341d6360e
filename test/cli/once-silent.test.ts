import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { onceSession } from "../../src/cli/once/session.js";
import { planDeadline } from "../../src/cli/run/deadline.js";
import { startS3Server } from "../../src/testing/index.js";
import { startOutput } from "./terminal.js";

const LEASE_MS = 3_600_000;

/** Starts `once` in this process, so that mutants of its source can be tried; the store answers nothing once its command runs. */
async function startOnce(script: string) {
  const server = await startS3Server({ buckets: ["bkt"] });
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-once-"));
  const file = join(folder, "said.txt");
  writeFileSync(file, "");
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { output, said } = startOutput();
  const exitCode = onceSession(
    {
      mutex: { s3ClientConfig: server.clientConfig(), bucketName: "bkt", lockTimeoutMs: LEASE_MS },
      isDebugging: false,
      isQuiet: false,
      key: "job",
      line: {
        command: "sh",
        args: ["-c", `echo up >> $SAID; until grep -q go $SAID; do sleep 0.05; done; ${script}`],
        environment: { PATH: process.env["PATH"], SAID: file },
      },
      leaseMs: LEASE_MS,
      deadline: planDeadline(LEASE_MS, undefined),
      groupGraceMs: undefined,
      priority: 0,
      waitMs: undefined,
      conflictExitCode: 75,
    },
    output,
  );
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).toContain("up");
  server.faults.add({ fault: "never-answer" });
  return { exitCode, said, endCommand: () => writeFileSync(file, "go") };
}

const within = <Result>(ms: number, result: Promise<Result>) =>
  Promise.race([result, new Promise<void>((resolve) => setTimeout(resolve, ms))]);

/** What the handler of a signal hears. SIGTERM itself would also be for the process that runs the tests. */
const signal = () => process.emit("SIGTERM", "SIGTERM");

test("a command that has failed is told of within ten seconds, with the lock that was not released", {
  timeout: 40_000,
}, async () => {
  const { exitCode, said, endCommand } = await startOnce("exit 3");
  endCommand();
  expect(await within(15_000, exitCode)).toBe(3);
  expect(said.stderr).toContain('the lock "once/job" could not be released and becomes free when the lease ends');
});

test("one that was told to end is over at the second signal", { timeout: 40_000 }, async () => {
  const { exitCode } = await startOnce("exit 3");
  signal();
  const again = setInterval(signal, 1000);
  onTestFinished(() => clearInterval(again));
  expect(await within(9000, exitCode)).toBeGreaterThan(128);
});

test("what was done and cannot be remembered is given up at a signal, and said", { timeout: 40_000 }, async () => {
  const { exitCode, said, endCommand } = await startOnce("exit 0");
  endCommand();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  signal();
  expect(await within(9000, exitCode)).toBe(143);
  expect(said.stderr).toContain('"job" was done, and the store has not confirmed in time that this is remembered');
});
