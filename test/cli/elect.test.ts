import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, isRunning, newFolder, recordOf, startCli, startStore, until } from "./cli.js";

const TIMEOUT = { timeout: 60_000 };

/** Makes a service that writes down its beats, and says its name and token: a test that hears of it finds a beat written down. */
function service(name: string, beats: string): readonly string[] {
  const beat = `echo ${name} >> ${beats}`;
  const script = `${beat}; echo ${name} $$ token $S3_MUTEX_FENCING_TOKEN; while :; do ${beat}; sleep 0.02; done`;
  return ["sh", "-c", script];
}

test(
  "one of two runs the service; when it is told to end, the other goes on with a higher token",
  TIMEOUT,
  async () => {
    const { environment, server } = await startStore();
    const beats = join(newFolder(), "beats.txt");
    const start = (name: string) =>
      startCli(["elect", "--lease", "3s", "--label", name, "svc", "--", ...service(name, beats)], environment);
    const first = start("first");
    const [, , firstToken] = await first.says(/first (\d+) token (\d+)/);
    const second = start("second");
    await until(() => recordOf(server, "svc")?.queue.length === 1);
    expect(second.stdout).toBe("");
    first.process.kill("SIGTERM");
    expect((await first.ended).exitCode).toBe(143);
    const [, pid, secondToken] = await second.says(/second (\d+) token (\d+)/);
    expect(Number(secondToken)).toBeGreaterThan(Number(firstToken));
    await second.says(new RegExp(`leads "svc" with the fencing token ${secondToken}`));
    second.process.kill("SIGINT");
    expect((await second.ended).exitCode).toBe(130);
    expect(isRunning(Number(pid))).toBe(false);
    expect(recordOf(server, "svc")?.holders).toEqual([]);
    const turns = readFileSync(beats, "utf8").trim().split("\n");
    // Once the second has begun, the first is never heard of again.
    expect(turns.lastIndexOf("first")).toBeLessThan(turns.indexOf("second"));
  },
);

test("a leader that is deposed ends its service, campaigns again, and starts it anew", TIMEOUT, async () => {
  const { environment, mutex } = await startStore();
  const beats = join(newFolder(), "beats.txt");
  const leader = startCli(["elect", "--lease", "1s", "svc", "--", ...service("it", beats)], environment);
  const [, pid, token] = await leader.says(/it (\d+) token (\d+)/);
  await mutex.releaseLock("svc", true);
  const other = await mutex.acquire("svc", { priority: 9 });
  await leader.says(/leads "svc" no longer/);
  expect(isRunning(Number(pid))).toBe(false);
  await other.release();
  const [, again] = await leader.says(new RegExp(`token ${token}\\n[^]*it \\d+ token (\\d+)`));
  expect(Number(again)).toBeGreaterThan(other.fencingToken);
  leader.process.kill("SIGTERM");
  await leader.ended;
});

test("a service that ends by itself ends the candidature, with its exit code", TIMEOUT, async () => {
  const { environment, server } = await startStore();
  expect((await cli(["elect", "svc", "--", "sh", "-c", "exit 7"], environment)).exitCode).toBe(7);
  expect(recordOf(server, "svc")?.holders).toEqual([]);
  expect((await cli(["elect", "svc", "--", "no-such-command-4711"], environment)).exitCode).toBe(127);
});

test("who stands by outlasts an outage of the store", TIMEOUT, async () => {
  const { environment, mutex, server } = await startStore();
  const lock = await mutex.acquire("svc", { leaseMs: 60_000 });
  const standby = startCli(["elect", "svc", "--", "echo", "leads at last"], environment);
  await until(() => recordOf(server, "svc")?.queue.length === 1);
  const fault = server.faults.add({ fault: "status", status: 503 });
  await until(() => fault.hits > 5);
  fault.remove();
  await lock.release();
  const { exitCode, stdout } = await standby.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "leads at last\n" });
});

test("a candidate that is told to end leaves the queue; one that finds no store says so", TIMEOUT, async () => {
  const { environment, mutex, server } = await startStore();
  await mutex.acquire("svc");
  const standby = startCli(["elect", "svc", "--", "true"], environment);
  await until(() => recordOf(server, "svc")?.queue.length === 1);
  standby.process.kill("SIGTERM");
  expect(await standby.ended).toMatchObject({ exitCode: 143, stdout: "" });
  expect(recordOf(server, "svc")?.queue).toEqual([]);
  const denied = await cli(["elect", "s3://no-such-bucket/locks/svc", "--", "true"], environment);
  expect(denied).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("no-such-bucket") });
  expect((await cli(["elect", "svc"], environment)).stderr).toContain("What to run comes after two dashes");
});
