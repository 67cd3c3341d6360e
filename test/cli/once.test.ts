import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { BUCKET, cli, MAIN, newFolder, startCli, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** Adds a line to a file, so that it can be told how often it ran. */
function counter() {
  const file = join(newFolder(), "ran.txt");
  return { script: `echo ran >> ${file}`, count: () => readFileSync(file, "utf8").split("ran").length - 1 };
}

test("once runs a command once, on whatever machine, and the library knows of it", async () => {
  const { mutex, environment, server } = await startStore();
  const { script, count } = counter();
  const line = ["--", "sh", "-c", `${script}; echo $S3_MUTEX_LOCK_NAME`];
  const ended = await Promise.all([0, 1, 2].map(() => cli(["once", "migrate", ...line], environment)));
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect(ended.map(({ stdout }) => stdout).sort()).toEqual(["", "", "once/migrate\n"]);
  expect(ended.filter(({ stderr }) => stderr.includes('"migrate" was done before: nothing was run.'))).toHaveLength(2);
  expect(count()).toBe(1);
  expect(await mutex.runOnce("migrate", () => "again")).toEqual({ ran: false, result: { exitCode: 0 } });
  expect(server.getObject(BUCKET, "once/locks/migrate.json")).toBeDefined();
  const quiet = await cli(["once", "-q", `s3://${BUCKET}/locks/migrate`, ...line], environment);
  expect(quiet).toEqual({ exitCode: 0, signal: null, stdout: "", stderr: "" });
});

test("a command that fails is not remembered; --forget makes it run again", async () => {
  const { environment } = await startStore();
  const { script, count } = counter();
  const failing = ["once", "migrate", "--", "sh", "-c", `${script}; exit 5`];
  expect(await cli(failing, environment)).toMatchObject({ exitCode: 5, stderr: "" });
  expect(await cli(["once", "migrate", "--", "sh", "-c", script], environment)).toMatchObject({ exitCode: 0 });
  expect(await cli(failing, environment)).toMatchObject({ exitCode: 0 });
  expect(count()).toBe(2);
  expect(await cli(["once", "--forget", "migrate"], environment)).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await cli(["once", "--forget", "migrate"], environment)).toMatchObject({ exitCode: 1 });
  await cliHere(["once", "migrate", "--", "true"], environment);
  const quiet = await cliHere(["once", "-q", "--forget", "migrate"], environment);
  expect(quiet).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  expect(await cli(failing, environment)).toMatchObject({ exitCode: 5 });
});

test("a key may look like the name of its lock, where that is said", async () => {
  const { environment, mutex } = await startStore();
  const ended = await cliHere(["once", "--literal", "once/a", "--", "true"], environment);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await mutex.isLocked("once/once/a")).toBe(false);
  expect(await cliHere(["once", "--forget", "--literal", "once/a"], environment)).toMatchObject({ exitCode: 0 });
});

test("while another process is at it, once waits, or says who; and it passes signals on", {
  timeout: 60_000,
}, async () => {
  const { mutex, environment } = await startStore();
  const first = startCli(["once", "job", "--", "sh", "-c", "echo up; sleep 600"], environment);
  await first.says(/up/);
  const attempt = await cli(["once", "-n", "-E", "9", "job", "--", "true"], environment);
  expect(attempt).toMatchObject({
    exitCode: 9,
    stderr: expect.stringMatching(/is at "job"\. "once\/job" is held by sh /),
  });
  const second = startCli(["once", "job", "--", "echo", "second"], environment);
  await until(() => second.pid > 0);
  first.process.kill("SIGTERM");
  expect((await first.ended).exitCode).toBe(143);
  expect(await second.ended).toMatchObject({ exitCode: 0, stdout: "second\n" });
  expect(await mutex.isLocked("once/job")).toBe(false);
});

test("P3: what a command of once leaves running is named, as by run", async () => {
  const { environment } = await startStore();
  for (const exitCode of [0, 3]) {
    const script = `sleep 600 & echo worker $!; sleep 0.3; exit ${exitCode}`;
    const { stdout, ...ended } = await cli(["once", `job${exitCode}`, "--", "sh", "-c", script], environment);
    const pid = Number(/worker (\d+)/.exec(stdout)?.[1]);
    process.kill(pid, "SIGKILL");
    const stderr = `s3-mutex: the command has ended and left running, without the lock: ${pid} (sleep 600).\n`;
    expect(ended).toMatchObject({ exitCode, stderr });
  }
});

test("C4: once inside of its own command is a deadlock, and says so in the words of the command line", async () => {
  const { environment } = await startStore();
  const inner = `"${process.execPath}" "${MAIN}" once x -- echo in`;
  const { exitCode, stdout, stderr } = await cli(["once", "x", "--", "sh", "-c", inner], environment);
  expect({ exitCode, stdout }).toEqual({ exitCode: 75, stdout: "" });
  expect(stderr).toMatch(/this process is part of the work of sh, .*, which holds "once\/x"/);
});

test.each([
  [["once", "a", "b", "--", "true"], "One key at a time: b is one too many"],
  [["once", "a"], "What to run comes after two dashes: `s3-mutex once a -- COMMAND ...`."],
  [["once", "--forget"], "Which key?"],
  [["once", "--forget", "a", "--", "true"], "--forget runs nothing: true is one too many"],
  [
    ["once", "once/a", "--", "true"],
    '"once/a" is what belongs to the key a: write a, or add --literal if the key is "once/a".',
  ],
  [["once", "--forget", "once/locks/a"], '"once/locks/a" is what belongs to the key a: write a, or add --literal'],
  [
    ["once", "s3://b/locks/once/a", "--", "true"],
    "write s3://b/locks/a, or write --store s3://b/locks/ --literal once/a if the key is",
  ],
  [
    ["once", "s3://b/once/locks/a", "--", "true"],
    "s3://b/once/locks/a is where the result of a key is kept: write s3://b/locks/a.",
  ],
])("usage: %j", async (args, sentence) => {
  const { exitCode, stderr } = await cliHere(args, { S3_MUTEX_STORE: "s3://b/locks/" });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(sentence) });
});
