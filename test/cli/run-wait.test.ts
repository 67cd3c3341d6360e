import { expect, test } from "vitest";
import { whoHas } from "../../src/cli/run/waiting.js";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, recordOf, STORE, startCli, startStore, until } from "./cli.js";

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
