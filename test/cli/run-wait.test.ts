import { expect, test } from "vitest";
import { whoHas } from "../../src/cli/run/waiting.js";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, recordOf, STORE, startCli, startStore, until } from "./cli.js";
import { cliHere } from "./here.js";

const ADDRESS = `${STORE}job`;

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s ends the wait, and the queue is left", async (signal, exitCode) => {
  const { server, mutex, environment } = await startStore();
  await using _lock = await mutex.acquire("job");
  const waiting = startCli(["run", ADDRESS, "--", "echo", "ran"], environment);
  await until(() => recordOf(server, "job")?.queue.length === 1);
  expect(recordOf(server, "job")?.queue[0]?.pid).toBe(waiting.pid);
  waiting.process.kill(signal);
  expect(await waiting.ended).toEqual({ exitCode, signal: null, stdout: "", stderr: "" });
  expect(recordOf(server, "job")?.queue).toEqual([]);
});

test("P17: who waits for the word of the store is not told that it has the lock itself", async () => {
  const { mutex } = await startStore();
  await using _own = await mutex.acquire("job");
  const told = await whoHas(mutex, { kind: "locks", names: ["job"], isShared: false });
  expect(told).toBe('"job" is granted to this command by its record, and not confirmed yet.');
});

test("P17: of several locks, those that this command holds already are not in its way, and are not named", async () => {
  const { server, mutex } = await startStore();
  await using own = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  await using _mine = await own.acquireAll(["q1", "q2"], { mode: "shared" });
  await using _beside = await mutex.acquire("q2", { mode: "shared", label: "reader" });
  const wanted = { kind: "locks", names: ["q1", "q2", "q3"], isShared: true } as const;
  expect(await whoHas(own, wanted)).toBeUndefined();
  await using _theirs = await mutex.acquire("q3", { label: "deployer" });
  expect(await whoHas(own, wanted)).toMatch(/^"q3" is held by deployer \(\S+\) for \S+ with \S+ of its lease left\.$/);
});

const SHARE = { kind: "locks", names: ["job"], isShared: true } as const;
const PERMIT = { kind: "permit", name: "pool", permits: 3 } as const;

test("P17: a share that waits behind a caller that wants all of the lock is told of that one, and not where a writer holds it", async () => {
  const { server, mutex, environment } = await startStore();
  const other = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  await using asking = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  const reader = await mutex.acquire("job", { mode: "shared", label: "reader" });
  const writing = other.acquire("job", { label: "writer" });
  await until(() => recordOf(server, "job")?.queue.length === 1);
  const behind = String.raw`writer \(\S+\) was before this command in the queue, and wants all of the lock\. "job" is held by reader \(`;
  const { exitCode, stderr } = await cliHere(["run", "-s", "--no-wait", ADDRESS, "--", "true"], environment);
  expect(stderr).toMatch(new RegExp(`^s3-mutex: the lock "job" was not to be shared\\. ${behind}`));
  expect(exitCode).toBe(75);
  const late = await cliHere(["run", "-s", "--wait", "50ms", ADDRESS, "--", "true"], environment);
  expect(late.stderr).toMatch(new RegExp(`^s3-mutex: the lock "job" was not to be shared after 50ms\\. ${behind}`));
  expect(await whoHas(asking, SHARE)).toMatch(new RegExp(`^${behind}`));
  expect(await whoHas(asking, { ...SHARE, isShared: false })).not.toContain("queue");
  await reader.release();
  const lock = await writing;
  const next = other.acquire("job", { label: "next" });
  await until(() => recordOf(server, "job")?.queue.length === 1);
  expect(await whoHas(asking, SHARE)).toMatch(/^"job" is held by writer /);
  await lock.release();
  await (await next).release();
  await other.close();
});

test("P17: a permit that is free and that a caller before this one waits for is told of that one, and of how many it wants", async () => {
  const { server, mutex, environment } = await startStore();
  await using other = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  const permit = await mutex.semaphore("pool", { permits: 3 }).acquire({ label: "one" });
  expect(await whoHas(other, PERMIT)).toMatch(/^"pool" is held by one /);
  const all = other.semaphore("pool", { permits: 3 }).acquire({ permits: 3, label: "all" });
  await expect.poll(async () => (await mutex.semaphore("pool", { permits: 3 }).inspect())?.waiters.length).toBe(1);
  const { stderr } = await cliHere(["run", "--permits", "3", "--no-wait", `${STORE}pool`, "--", "true"], environment);
  expect(stderr).toMatch(
    /^s3-mutex: a permit of "pool" was not to be had\. all \(\S+\) was before this command in the queue, and wants 3 permits\. "pool" is held by one \(/,
  );
  await permit.release();
  await (await all).release();
});

test("P19: a hold that was given back and stays for its time is not told of as one that works", async () => {
  const { server, mutex } = await startStore();
  await mutex.withLock("job", () => undefined, { holdAtLeastMs: 60_000, label: "deployer" });
  await using other = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  expect(await whoHas(other, SHARE)).toMatch(
    /^"job" is held by deployer \(\S+\), which gave it back after \d+m?s: it stays held for another \S+s\.$/,
  );
});

test("a store that hangs does not keep a caller from giving up", async () => {
  const { server, environment } = await startStore();
  server.faults.add({ fault: "never-answer" });
  const waiting = startCli(["run", ADDRESS, "--", "echo", "ran"], environment);
  await until(() => server.requests.total > 0);
  waiting.process.kill("SIGINT");
  expect((await waiting.ended).exitCode).toBe(130);
});

test("who waits gets the lock when it is free, by priority", async () => {
  const { server, mutex, environment } = await startStore();
  const lock = await mutex.acquire("job");
  const order: string[] = [];
  const start = async (name: string, priority: number, place: number) => {
    const args = ["run", "--priority", String(priority), ADDRESS, "--", "echo", name];
    const waiting = startCli(args, environment);
    waiting.process.stdout?.on("data", (text: string) => order.push(text.trim()));
    await until(() => recordOf(server, "job")?.queue.length === place);
    return waiting;
  };
  const waiting = [await start("low", 0, 1), await start("high", 5, 2)];
  await lock.release();
  const ended = await Promise.all(waiting.map(({ ended }) => ended));
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(order).toEqual(["high", "low"]);
});
