import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning, newFolder, recordOf, STORE, startCli, startStore, until } from "../cli/cli.js";

const ADDRESS = `${STORE}job`;

/** Makes a command whose child writes down the time over and over, and says so once it has; neither of them minds SIGTERM. */
function stubborn(beats: string): readonly string[] {
  const beat = `date +%s%3N >> ${beats}`;
  const inner = `trap "" TERM; ${beat}; echo inner $$; while :; do ${beat}; sleep 0.02; done`;
  return ["sh", "-c", `trap "" TERM; sh -c '${inner}' & echo leader $$; while :; do sleep 0.05; done`];
}

function lastBeat(beats: string): number {
  return Number(readFileSync(beats, "utf8").trim().split("\n").at(-1));
}

test("a store that is gone: the whole group is dead before another process could have the lock", async () => {
  const { server, environment } = await startStore();
  const beats = join(newFolder(), "beats.txt");
  const running = startCli(["run", "--lease", "3s", ADDRESS, "--", ...stubborn(beats)], environment);
  const pids = [await running.says(/inner (\d+)/), await running.says(/leader (\d+)/)].map(([, pid]) => Number(pid));
  await server.close();
  const { exitCode, stderr } = await running.ended;

  expect(exitCode).toBe(79);
  expect(stderr).toMatch(/the lock "job" could not be renewed and is about to be lost/);
  expect(stderr).toMatch(/the command did not end in time and is killed/);
  await until(() => pids.every((pid) => !isRunning(pid)));
  const expiresAtMs = recordOf(server, "job")?.holders[0]?.expiresAtMs ?? 0;
  expect(lastBeat(beats)).toBeLessThan(expiresAtMs);
});

test("S17: why the lock is about to be lost is said, however short its lease", async () => {
  const { server, environment } = await startStore();
  const running = startCli(["run", "--lease", "2s", ADDRESS, "--", "sh", "-c", "echo started; sleep 30"], environment);
  await running.says(/started/);
  server.faults.add({ fault: "status", status: 400, code: "ExpiredToken" });
  const { exitCode, stderr } = await running.ended;
  expect(exitCode).toBe(79);
  expect(stderr).toMatch(
    /is about to be lost: the command is asked to end \(SIGTERM\)\. The last answer: .*400 ExpiredToken/,
  );
});

test("C5: why the lock is about to be lost is said in the words of the command line", async () => {
  const { server, environment } = await startStore();
  const running = startCli(["run", "--lease", "3s", ADDRESS, "--", "sh", "-c", "echo started; sleep 30"], environment);
  await running.says(/started/);
  server.faults.add({ fault: "status", status: 404, code: "NoSuchBucket" });
  const { stderr } = await running.ended;
  expect(stderr).toMatch(/The last answer: .*404 NoSuchBucket.* Create the bucket my-bucket\.\n/);
  expect(stderr).not.toContain("createBucketIfNotExists");
});

test("a command that ends by itself when asked to has the time for it", async () => {
  const { server, environment } = await startStore();
  const script = "trap 'echo tidied up; exit 0' TERM; echo started; while :; do sleep 0.05; done";
  const running = startCli(["run", "--lease", "3s", ADDRESS, "--", "sh", "-c", script], environment);
  await running.says(/started/);
  await server.close();
  const { exitCode, stdout, stderr } = await running.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 79, stdout: "started\ntidied up\n" });
  expect(stderr).not.toContain("killed");
});

test("what the command started gets the same time when the command itself is gone already", async () => {
  const { server, environment } = await startStore();
  const inner = "trap 'sleep 0.2; echo inner tidied up; exit' TERM; echo started; while :; do sleep 0.02; done";
  const running = startCli(
    ["run", "--lease", "3s", "--grace", "1s", ADDRESS, "--", "sh", "-c", `(${inner}) & wait`],
    environment,
  );
  await running.says(/started/);
  await server.close();
  const { exitCode, stdout, stderr } = await running.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 79, stdout: "started\ninner tidied up\n" });
  expect(stderr).not.toContain("killed");
});

test.each(["released by force", "taken over"])(
  "a lock that was %s: the group is killed and one sentence says why",
  async (how) => {
    const { mutex, environment } = await startStore();
    const beats = join(newFolder(), "beats.txt");
    const running = startCli(["run", "--lease", "2s", ADDRESS, "--", ...stubborn(beats)], environment);
    const pids = [await running.says(/inner (\d+)/), await running.says(/leader (\d+)/)].map(([, pid]) => Number(pid));
    expect(await mutex.releaseLock("job", true)).toBe(true);
    if (how === "taken over") expect(await mutex.tryAcquire("job")).not.toBeNull();
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(79);
    expect(stderr).toMatch(/^s3-mutex: The lock "job" is not held any more: .*\. The command is killed\.\n$/);
    await until(() => pids.every((pid) => !isRunning(pid)));
  },
);

test("a CLI that was frozen for longer than the lease ends the command when it wakes up", async () => {
  const { server, mutex, environment } = await startStore();
  const beats = join(newFolder(), "beats.txt");
  const running = startCli(["run", "--lease", "1s", ADDRESS, "--", ...stubborn(beats)], environment);
  const pids = [await running.says(/inner (\d+)/), await running.says(/leader (\d+)/)].map(([, pid]) => Number(pid));
  running.process.kill("SIGSTOP");
  const token = recordOf(server, "job")?.token ?? 0;
  const next = await mutex.acquire("job");
  expect(next.fencingToken).toBeGreaterThan(token);
  running.process.kill("SIGCONT");
  expect((await running.ended).exitCode).toBe(79);
  await until(() => pids.every((pid) => !isRunning(pid)));
  expect(next.held).toBe(true);
});

test("a loss that is noticed only at the end is still an error", async () => {
  const { mutex, environment } = await startStore();
  const script = "echo started; while [ ! -e $FLAG ]; do sleep 0.02; done";
  const flag = join(newFolder(), "flag");
  const running = startCli(["run", ADDRESS, "--", "sh", "-c", script], { ...environment, FLAG: flag });
  await running.says(/started/);
  await mutex.releaseLock("job", true);
  writeFileSync(flag, "");
  const { exitCode, stderr } = await running.ended;
  expect(exitCode).toBe(79);
  expect(stderr).toMatch(/^s3-mutex: The lock "job" is not held any more: .*\. The command had ended with 0\.\n$/);
});

test("after a SIGKILL of the CLI its command goes on, and the next one is let in when the lease has ended", async () => {
  const { server, environment } = await startStore();
  const script = "echo leader $$; exec sleep 600";
  const running = startCli(["run", "--lease", "1s", ADDRESS, "--", "sh", "-c", script], environment);
  const pid = Number((await running.says(/leader (\d+)/))[1]);
  running.process.kill("SIGKILL");
  await running.ended;
  try {
    expect(isRunning(pid)).toBe(true);
    const expiresAtMs = recordOf(server, "job")?.holders[0]?.expiresAtMs ?? 0;
    const next = startCli(["run", "--tolerance", "500ms", ADDRESS, "--", "date", "+%s%3N"], environment);
    const [, startedAt] = await next.says(/(\d+)/);
    expect(Number(startedAt)).toBeGreaterThan(expiresAtMs + 500);
    // Lease and tolerance, a poll, and a process to be started on a machine that is busy with other tests.
    expect(Number(startedAt)).toBeLessThan(expiresAtMs + 500 + 2500);
    expect((await next.ended).exitCode).toBe(0);
  } finally {
    process.kill(pid, "SIGKILL");
  }
});

test("an error in the CLI itself takes the command along", async () => {
  const { environment } = await startStore();
  const sabotage = 'process.on("SIGALRM", () => { throw new Error("a bug"); });';
  const running = startCli(["run", ADDRESS, "--", ...stubborn(join(newFolder(), "beats.txt"))], {
    ...environment,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(sabotage)}`,
  });
  const pids = [await running.says(/inner (\d+)/), await running.says(/leader (\d+)/)].map(([, pid]) => Number(pid));
  running.process.kill("SIGALRM");
  expect((await running.ended).stderr).toContain("a bug");
  await until(() => pids.every((pid) => !isRunning(pid)));
});
