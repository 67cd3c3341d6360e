import { expect, test, vi } from "vitest";
import { BUCKET, cli, MAIN, recordOf, STORE, startCli, startStore, until } from "../cli/cli.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** The CLI inside of a shell's line. */
const S3_MUTEX = `"${process.execPath}" "${MAIN}"`;

test.each([
  ["run x -- run x", ["run", "x"], `${S3_MUTEX} run x -- echo in`],
  ["another way to write it", ["run", "x"], `${S3_MUTEX} run ${STORE}x -- echo in`],
  ["with a limit of time", ["run", "x"], `${S3_MUTEX} run --wait 1h x -- echo in`],
  ["a share of it", ["run", "x"], `${S3_MUTEX} run --shared x -- echo in`],
  ["all of it inside of a share", ["run", "-s", "x"], `${S3_MUTEX} run x -- echo in`],
  ["one of several", ["run", "x", "y"], `${S3_MUTEX} run w y -- echo in`],
  ["elect inside of run", ["run", "x"], `${S3_MUTEX} elect x -- echo in`],
  ["run inside of elect", ["elect", "x"], `${S3_MUTEX} run x -- echo in`],
  ["three deep", ["run", "x"], `${S3_MUTEX} run y -- ${S3_MUTEX} run x -- echo in`],
  ["permits", ["run", "--permits", "1", "x"], `${S3_MUTEX} run --permits 1 x -- echo in`],
  [
    "a semaphore by its address",
    ["run", "--permits", "1", "x"],
    `${S3_MUTEX} run --permits 1 s3://${BUCKET}/semaphores/locks/x -- echo in`,
  ],
])("C4: %s is a deadlock at once, in words", async (_what, outer, inner) => {
  const { environment, server } = await startStore();
  const startedAtMs = performance.now();
  const { exitCode, stdout, stderr } = await cli([...outer, "--", "sh", "-c", inner], environment);
  expect({ exitCode, stdout }).toEqual({ exitCode: 75, stdout: "" });
  expect(stderr).toMatch(/Deadlock: this process is part of the work of .*, which holds "[xy]".*\(deadlock\)/);
  // Not after a time-out: three processes have to start, which takes its time on a busy machine.
  expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  expect(recordOf(server, "x")?.queue ?? []).toEqual([]);
});

test("C4: once --forget inside of the run that it is about is a deadlock at once, in words", async () => {
  const { environment, server } = await startStore();
  const inner = `${S3_MUTEX} once --forget x`;
  const { exitCode, stderr } = await cli(["once", "x", "--", "sh", "-c", inner], environment);
  expect(exitCode).toBe(75);
  expect(stderr).toMatch(/Deadlock: this process is part of the work of .*, which holds "once\/x".*\(deadlock\)/);
  expect(recordOf(server, "once/x")?.queue ?? []).toEqual([]);
});

test("C4: one attempt is told that it is not to be had, as elsewhere", async () => {
  const { environment } = await startStore();
  const inner = `${S3_MUTEX} run --no-wait -E 7 x -- echo in`;
  expect(await cli(["run", "x", "--", "sh", "-c", inner], environment)).toMatchObject({ exitCode: 7, stdout: "" });
});

test.each([
  ["a share inside of a share", ["-s", "x"], "run -s x"],
  ["a second permit of two", ["--permits", "2", "x"], "run --permits 2 x"],
  ["a lock and a semaphore of one name", ["x"], "run --permits 1 x"],
  ["another lock", ["y"], "run x"],
])("C4: %s is not one", async (_what, outer, inner) => {
  const { environment } = await startStore();
  const line = `${S3_MUTEX} ${inner} -- echo in`;
  expect(await cli(["run", ...outer, "--", "sh", "-c", line], environment)).toMatchObject({
    exitCode: 0,
    stdout: "in\n",
  });
});

test("C4: what the outer one held before counts no more once it is free", async () => {
  const { environment } = await startStore();
  const { stdout } = await cli(["run", "x", "--", "sh", "-c", "echo $S3_MUTEX_HELD"], environment);
  const later = { ...environment, S3_MUTEX_HELD: stdout.trim() };
  expect(await cli(["run", "x", "--", "echo", "in"], later)).toMatchObject({ exitCode: 0, stdout: "in\n" });
  // Another process has it by now: that is a wait like any other.
  const holder = startCli(["run", "x", "--", "sh", "-c", "echo up; sleep 2"], environment);
  await holder.says(/up/);
  expect(await cli(["run", "--wait", "20s", "x", "--", "echo", "in"], later)).toMatchObject({ exitCode: 0 });
});

test("C4: two that nest in opposite orders: graph shows it, one gives way, the other gets through", {
  timeout: 60_000,
}, async () => {
  const { environment, server } = await startStore();
  const nested = (one: string, other: string) =>
    startCli(["run", one, "--", "sh", "-c", `echo up; sleep 1; ${S3_MUTEX} run ${other} -- echo in`], environment);
  const both = [nested("a", "b"), nested("b", "a")];
  await until(() => recordOf(server, "a")?.queue.length === 1 && recordOf(server, "b")?.queue.length === 1);
  expect(recordOf(server, "b")?.queue[0]).toMatchObject({ holds: [{ name: "a" }] });
  const ended = await Promise.all(both.map(({ ended }) => ended));
  expect(ended.map(({ exitCode }) => exitCode).sort()).toEqual([0, 75]);
  expect(ended.map(({ stdout }) => stdout).sort()).toEqual(["up\n", "up\nin\n"]);
  expect(ended.map(({ stderr }) => stderr).join("")).toMatch(/Deadlock, and this wait is the one to give way: .* -> /);
});

test("C4: what is in S3_MUTEX_HELD and was not written by s3-mutex is a usage error", async () => {
  const { environment } = await startStore();
  const { exitCode, stderr } = await cli(["run", "x", "--", "true"], { ...environment, S3_MUTEX_HELD: "[1]" });
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining("S3_MUTEX_HELD") });
});
