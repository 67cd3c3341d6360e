import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { IN_FULL } from "../scale.js";
import { BUCKET, cli, newFolder, recordOf, STORE, startCli, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";

const ADDRESS = `${STORE}job`;

/** A command that says what it was given, and goes on until it is told to end. */
const PATIENT = ["sh", "-c", "echo started; while :; do sleep 0.05; done"];

test("the command's exit code is passed on, and the lock is free afterwards", async () => {
  const { mutex, environment } = await startStore();
  for (const exitCode of [0, 1, 7, 75, 79, 255]) {
    const ended = await cli(["run", ADDRESS, "--", "sh", "-c", `exit ${exitCode}`], environment);
    expect(ended).toEqual({ exitCode, signal: null, stdout: "", stderr: "" });
    expect(await mutex.isLocked("job")).toBe(false);
  }
});

test("a command that died of a signal gives 128 and its number", async () => {
  const { environment } = await startStore();
  const ended = await Promise.all(
    ["TERM", "KILL", "USR1"].map((signal, index) =>
      cli(["run", `${ADDRESS}${index}`, "--", "sh", "-c", `kill -${signal} $$`], environment),
    ),
  );
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([143, 137, 138]);
});

test("the command finds token and name in its environment, and its arguments untouched", async () => {
  const { server, environment } = await startStore();
  const script = 'echo "$S3_MUTEX_LOCK_NAME $S3_MUTEX_FENCING_TOKEN $HOME"; for a in "$@"; do echo "[$a]"; done';
  const args = ["--help", "--", "", "a b", "-E"];
  const command = ["sh", "-c", script, "sh", ...args];
  const { stdout } = await cli(["run", "--lease", "30s", ADDRESS, "--", ...command], {
    ...environment,
    HOME: "/somewhere",
  });
  const [first, ...others] = stdout.trimEnd().split("\n");
  expect(first).toBe(`job ${recordOf(server, "job")?.token} /somewhere`);
  expect(others).toEqual(args.map((argument) => `[${argument}]`));
});

test("what cannot be run is 127 or 126, as in shells, and the lock is released", async () => {
  const { mutex, environment } = await startStore();
  const script = join(newFolder(), "script.sh");
  writeFileSync(script, "#!/bin/sh\n");
  chmodSync(script, 0o644);
  const missing = await cli(["run", ADDRESS, "--", "/does/not/exist"], environment);
  expect(missing).toMatchObject({ exitCode: 127, stderr: expect.stringContaining("there is no such command") });
  const notExecutable = await cli(["run", ADDRESS, "--", script], environment);
  expect(notExecutable).toMatchObject({ exitCode: 126, stderr: expect.stringContaining(`cannot run ${script}`) });
  expect(await mutex.isLocked("job")).toBe(false);
});

test("who cannot have the lock exits with 75, or what -E says, and runs nothing", async () => {
  const { mutex, environment } = await startStore();
  await using _lock = await mutex.acquire("job");
  const [atOnce, chosen, later] = await Promise.all([
    cli(["run", "--no-wait", ADDRESS, "--", "echo", "ran"], environment),
    cli(["run", "--no-wait", "-E", "0", ADDRESS, "--", "echo", "ran"], environment),
    cli(["run", "--wait", "300ms", ADDRESS, "--", "echo", "ran"], environment),
  ]);
  const who = expect.stringMatching(
    /^s3-mutex: another process has the lock "job"\. "job" is held by \S+ \(\S+:\d+\) for \d+\S+ with \d+s of its lease left\.\n$/,
  );
  expect(atOnce).toMatchObject({ exitCode: 75, stdout: "", stderr: who });
  expect(chosen).toMatchObject({ exitCode: 0, stdout: "" });
  const message = expect.stringMatching(
    /^s3-mutex: another process still has the lock "job" after 300ms\. "job" is held by \S+ .*\.\n$/,
  );
  expect(later).toMatchObject({ exitCode: 75, stdout: "", stderr: message });
});

test("the lock is renewed for as long as the command runs", async () => {
  const { server, mutex, environment } = await startStore();
  const running = startCli(["run", "--lease", "1s", "--label", "the job", ADDRESS, "--", ...PATIENT], environment);
  await running.says(/started/);
  const first = recordOf(server, "job")?.holders[0];
  expect(first?.label).toBe("the job");
  await until(() => Date.now() > (first?.expiresAtMs ?? 0) + 1000);
  expect(recordOf(server, "job")?.holders[0]).toMatchObject({ token: first?.token });
  expect(await mutex.tryAcquire("job")).toBeNull();
  running.process.kill("SIGTERM");
  await running.ended;
});

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

test.each(IN_FULL ? SIGNALS : SIGNALS.slice(0, 2))(
  "%s is passed on, and the command decides what comes of it",
  async (signal) => {
    const { mutex, environment } = await startStore();
    const name = signal.slice(3);
    const script = `trap 'echo got ${name}; exit 23' ${name}; echo started; while :; do sleep 0.05; done`;
    const running = startCli(["run", ADDRESS, "--", "sh", "-c", script], environment);
    await running.says(/started/);
    running.process.kill(signal);
    expect(await running.ended).toMatchObject({ exitCode: 23, stdout: `started\ngot ${name}\n` });
    expect(await mutex.isLocked("job")).toBe(false);
  },
);

test("a command that does not handle SIGTERM dies of it, and so does what it started", async () => {
  const { mutex, environment } = await startStore();
  const script = "(echo inner $$; sleep 600) & echo started; wait";
  const running = startCli(["run", ADDRESS, "--", "sh", "-c", script], environment);
  await running.says(/started/);
  running.process.kill("SIGTERM");
  // The pipe is closed once no process is left that could write to it.
  expect((await running.ended).exitCode).toBe(143);
  await until(() => running.process.stdout?.closed === true);
  expect(await mutex.isLocked("job")).toBe(false);
});

test("the stop of a terminal is ignored: a CLI that stands still would lose the lock under a running command", async () => {
  const { environment } = await startStore();
  const running = startCli(["run", ADDRESS, "--", ...PATIENT], environment);
  await running.says(/started/);
  running.process.kill("SIGTSTP");
  running.process.kill("SIGTERM");
  expect((await running.ended).exitCode).toBe(143);
});

test.each([
  [["s3://b/locks/n"], "What to run comes after two dashes"],
  [["s3://b/locks/n", "echo", "hi"], "What to run comes after two dashes: `s3-mutex run s3://b/locks/n -- echo hi`."],
  [["--", "true"], "Which lock, and what to run?"],
  [["--wait", "1s", "--no-wait", "s3://b/locks/n", "--", "true"], "--wait and --no-wait contradict each other"],
  [["--wait", "soon", "s3://b/locks/n", "--", "true"], '--wait "soon" is not a duration: write 500ms, 30s, 5m or 1h.'],
  [["--lease", "200ms", "s3://b/locks/n", "--", "true"], "--lease 200ms is too short: use at least 1s."],
  [
    ["--grace", "30s", "s3://b/locks/n", "--", "true"],
    "--grace 30s is more than a third of the lease: use at most 20s",
  ],
  [["-E", "256", "s3://b/locks/n", "--", "true"], '--conflict-exit-code "256" is not possible'],
  [["--priority", "high", "s3://b/locks/n", "--", "true"], '--priority "high" is not possible: use a whole number.'],
  [["--addressing", "x", "s3://b/locks/n", "--", "true"], '--addressing "x" is not possible: use path or virtual.'],
  [["--endpoint-url", "x", "s3://b/locks/n", "--", "true"], '--endpoint-url "x" is not a URL'],
])("usage: %j", async (args, message) => {
  const { exitCode, stdout, stderr } = await cliHere(["run", ...args]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("what is wrong with the store is one sentence with a code and a remedy, and 69", async () => {
  const { server, environment } = await startStore();
  const noBucket = await cli(["run", "s3://nowhere/locks/job", "--", "true"], environment);
  expect(noBucket.exitCode).toBe(69);
  expect(noBucket.stderr).toMatch(
    /^s3-mutex: .*Create the bucket nowhere, or use --create-bucket \(no-such-bucket\)\.\n$/,
  );
  expect((await cli(["run", "--create-bucket", "s3://nowhere/locks/job", "--", "true"], environment)).exitCode).toBe(0);

  server.putObject(BUCKET, "locks/job.json", "not a record");
  const corrupt = await cli(["run", ADDRESS, "--", "true"], environment);
  expect(corrupt.exitCode).toBe(69);
  expect(corrupt.stderr).toMatch(/^s3-mutex: .*locks\/job\.json.*\(corrupt-record\)\. .*\n$/);

  await server.close();
  const unreachable = await cli(["run", "--wait", "200ms", ADDRESS, "--", "true"], environment);
  expect(unreachable.exitCode).toBe(69);
  expect(unreachable.stderr).toMatch(/^s3-mutex: .*ECONNREFUSED.*\(store-unavailable\)\. .*\n$/);
  const debugged = await cli(["run", "--debug", "--wait", "200ms", ADDRESS, "--", "true"], environment);
  expect(debugged.stderr).toMatch(/\n {4}at /);
});

test("a region is not needed with an endpoint, and asked for without one", async () => {
  const { AWS_ENDPOINT_URL_S3: endpoint = "", ...credentials } = (await startStore()).environment;
  const nothing = { ...credentials, AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
  const given = await cli(["run", "--endpoint-url", endpoint, ADDRESS, "--", "echo", "ran"], nothing);
  expect(given).toMatchObject({ exitCode: 0, stdout: "ran\n" });
  const without = await cli(["run", ADDRESS, "--", "echo", "ran"], nothing);
  expect(without).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--region or AWS_REGION") });
});
