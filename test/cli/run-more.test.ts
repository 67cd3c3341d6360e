import { expect, test, vi } from "vitest";
import { announceWait, noticePlan } from "../../src/cli/run/waiting.js";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, cli, recordOf, STORE, startCli, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";
import { startOutput } from "./terminal.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

const PATIENT = ["sh", "-c", "echo up; sleep 600"];

test("C7: with --quiet, who does not get the lock says nothing, and errors are said as before", async () => {
  const { server, mutex, environment } = await startStore();
  const lock = await mutex.acquire("job");
  const quiet = await cli(["run", "--quiet", "--no-wait", "-E", "0", "job", "--", "echo", "ran"], environment);
  expect(quiet).toEqual({ exitCode: 0, signal: null, stdout: "", stderr: "" });
  const later = await cli(["run", "-q", "-w", "300ms", "job", "--", "echo", "ran"], environment);
  expect(later).toEqual({ exitCode: 75, signal: null, stdout: "", stderr: "" });
  await lock.release();
  await server.close();
  const failed = await cli(["run", "-q", "--wait", "200ms", "job", "--", "true"], environment);
  expect(failed).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("store-unavailable") });
});

test("run --shared: together with sharers, not with a holder of all of it", async () => {
  const { mutex, environment } = await startStore();
  const readers = [0, 1].map(() => startCli(["run", "-s", "job", "--", ...PATIENT], environment));
  await Promise.all(readers.map((reader) => reader.says(/up/)));
  expect(await mutex.tryAcquire("job")).toBeNull();
  for (const reader of readers) reader.process.kill("SIGTERM");
  await Promise.all(readers.map(({ ended }) => ended));
  await using _lock = await mutex.acquire("job");
  expect((await cli(["run", "-s", "-n", "job", "--", "true"], environment)).exitCode).toBe(75);
});

test("run --permits: so many at once, by either address, and the library's semaphore of that name", {
  timeout: 60_000,
}, async () => {
  const { mutex, environment } = await startStore();
  const addresses = ["pool", `s3://${BUCKET}/semaphores/locks/pool`];
  const holders = addresses.map((address) =>
    startCli(["run", "--permits", "2", address, "--", ...PATIENT], environment),
  );
  await Promise.all(holders.map((holder) => holder.says(/up/)));
  const pool = mutex.semaphore("pool", { permits: 2 });
  expect(await pool.tryAcquire()).toBeNull();
  const third = await cli(["run", "--permits", "2", "-n", "pool", "--", "true"], environment);
  expect(third).toMatchObject({
    exitCode: 75,
    stderr: expect.stringMatching(/a permit of "pool" was not to be had\. "pool" is held by sh .* and sh /),
  });
  holders[0]?.process.kill("SIGTERM");
  await holders[0]?.ended;
  const { stdout } = await cli(
    ["run", "--permits", "2", "pool", "--", "sh", "-c", "echo $S3_MUTEX_LOCK_NAME $S3_MUTEX_FENCING_TOKEN"],
    environment,
  );
  expect(stdout).toMatch(/^pool \d+\n$/);
});

test("P13: run --permits stored takes the number that is stored, and says so where there is none", {
  timeout: 60_000,
}, async () => {
  const { mutex, environment } = await startStore();
  const run = (...more: readonly string[]) => cli(["run", "--permits", "stored", ...more], environment);
  expect(await run("-n", "pool", "--", "echo", "ran")).toEqual({
    exitCode: 2,
    signal: null,
    stdout: "",
    stderr: expect.stringMatching(
      /--permits is "stored": it is not known yet how many permits "pool" has; pass a number/,
    ),
  });
  const pool = mutex.semaphore("pool", { permits: 2 });
  const [first] = [await pool.acquire(), await pool.acquire()];
  expect((await run("-n", "pool", "--", "true")).exitCode).toBe(75);
  await first.release();
  expect(await run(`s3://${BUCKET}/semaphores/locks/pool`, "--", "echo", "ran")).toMatchObject({ stdout: "ran\n" });
});

test("run with several locks: all or none, each with its token, lost together", { timeout: 60_000 }, async () => {
  const { server, mutex, environment } = await startStore();
  const script = 'echo "up $S3_MUTEX_FENCING_TOKENS/$S3_MUTEX_FENCING_TOKEN/$S3_MUTEX_LOCK_NAME"; sleep 600';
  const outer = { ...environment, S3_MUTEX_FENCING_TOKEN: "7", S3_MUTEX_LOCK_NAME: "outer" };
  const running = startCli(["run", "--lease", "3s", "b", "a", "--", "sh", "-c", script], outer);
  const [, tokens = ""] = await running.says(/up (\{.*\})\/\/\n/);
  expect(JSON.parse(tokens)).toEqual({ a: recordOf(server, "a")?.token, b: recordOf(server, "b")?.token });
  const none = await cli(["run", "-n", "c", "b", "--", "true"], environment);
  expect(none).toMatchObject({
    exitCode: 75,
    stderr: expect.stringContaining('not all of the locks "c" and "b" were free. "b" is held by sh'),
  });
  expect(await mutex.isLocked("c")).toBe(false);
  await mutex.releaseLock("a", { force: true });
  expect((await running.ended).exitCode).toBe(79);
  expect(await mutex.isLocked("b")).toBe(false);
});

test("run with several locks: the command's exit code, where the store says nothing from its end on", async () => {
  const { server, environment } = await startStore();
  const script = 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done';
  const running = startCli(["run", "--lease", "3s", "a", "b", "--", "sh", "-c", script], environment);
  await running.says(/up/);
  server.faults.add({ fault: "never-answer" });
  running.process.kill("SIGTERM");
  expect(await running.ended).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(
      /the locks "a" and "b" could not be released and become free when their leases end: (?!.*had ended with)/,
    ),
  });
});

test("run with several locks names those that it could not give back, and no other", { timeout: 60_000 }, async () => {
  const { server, mutex, environment } = await startStore();
  const script = 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done';
  const running = startCli(["run", "--lease", "3s", "a", "b", "--", "sh", "-c", script], environment);
  await running.says(/up/);
  server.faults.add({ fault: "never-answer", key: "locks/b.json" });
  running.process.kill("SIGTERM");
  expect(await running.ended).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/the lock "b" could not be released and becomes free when the lease ends: /),
  });
  expect(await mutex.isLocked("a")).toBe(false);
});

test.each([
  [["--permits", "2", "a", "b"], "One semaphore at a time: b is one too many"],
  [["--permits", "2", "-s", "a"], "--permits and --shared contradict each other"],
  [["--permits", "0", "a"], '--permits "0" is not possible: use a whole number from 1 to 1000000, or stored'],
  [["--permits", "store", "a"], '--permits "store" is not possible: use a whole number from 1 to 1000000, or stored'],
  [["--permits", "stored", "a", "b"], "One semaphore at a time: b is one too many"],
  [
    ["a", "s3://other/locks/b"],
    "Several locks have to be in one store: a is under s3://my-bucket/locks/, and s3://other/locks/b under s3://other/locks/",
  ],
  [["s3://my-bucket/semaphores/locks/a"], "s3://my-bucket/semaphores/locks/a is a semaphore: say with --permits"],
])("usage of run: %j", async (args, sentence) => {
  const { exitCode, stderr } = await cliHere(["run", ...args, "--", "true"], { S3_MUTEX_STORE: STORE });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(sentence) });
});

test("P19: run --hold-at-least ends with its command, and no other process has the lock before the time is over", async () => {
  const { mutex, environment } = await startStore();
  const first = await cli(["run", "--hold-at-least", "1m", "job", "--", "echo", "ran"], environment);
  expect(first).toMatchObject({ exitCode: 0, stdout: "ran\n", stderr: "" });
  expect(await cli(["run", "-n", "job", "--", "echo", "ran"], environment)).toMatchObject({ exitCode: 75, stdout: "" });
  const leaseLeftMs = (await mutex.inspect("job"))?.holders[0]?.leaseLeftMs ?? 0;
  expect(leaseLeftMs).toBeGreaterThan(30_000);
  expect(leaseLeftMs).toBeLessThanOrEqual(60_000);
  const { stdout } = await cliHere(["show", "job"], environment);
  expect(stdout).toContain("has given it back; it is held on for its holdAtLeastMs");
});

test("P17: a wait says who is waited for, and repeats it seldom", async () => {
  const { server, mutex } = await startStore();
  await using waiter = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  await using _lock = await mutex.acquire("job", { label: "nightly" });
  const { output, said } = startOutput();
  const wanted = { kind: "locks", names: ["job"], isShared: false } as const;
  const stop = announceWait(waiter, wanted, { firstMs: 20, secondMs: 120, everyMs: 200 }, output);
  await until(() => said.stderr.split("\n").length > 3);
  stop();
  const line =
    /^s3-mutex: waiting for the lock "job" \.\.\. "job" is held by nightly \(\S+:\d+\) for \S+ with \S+ of its lease left\.$/;
  const lines = said.stderr.trimEnd().split("\n");
  for (const one of lines) expect(one).toMatch(line);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(said.stderr.trimEnd().split("\n")).toEqual(lines);
  expect(noticePlan(false)).toEqual({ firstMs: 10_000, secondMs: 60_000, everyMs: 300_000 });
  expect(noticePlan(true).firstMs).toBe(1000);
});
