import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { S3Mutex } from "../../src/index.js";
import {
  type Cli,
  type Environment,
  isRunning,
  newFolder,
  recordOf,
  STORE,
  startCli,
  startStore,
  until,
} from "../cli/cli.js";

const ADDRESS = `${STORE}job`;
const TIMEOUT = { timeout: 60_000 };

/** Says its pid, writes down the time over and over, and goes on with that for a while after SIGTERM. */
const WORKER = `
  const { appendFileSync } = require("node:fs");
  const [beats, endMs] = process.argv.slice(2);
  process.on("SIGTERM", () => setTimeout(() => process.exit(0), Number(endMs)));
  const beat = () => appendFileSync(beats, Date.now() + "\\n");
  beat();
  setInterval(beat, 20);
  console.log("worker " + process.pid);
`;

/** Makes a worker: its command as words of a shell, and where it writes to. */
function newWorker(endMs = 3000): { readonly worker: string; readonly beats: string } {
  const folder = newFolder();
  const [script, beats] = [join(folder, "worker.cjs"), join(folder, "beats.txt")];
  writeFileSync(script, WORKER);
  return { worker: `${process.execPath} ${script} ${beats} ${endMs}`, beats };
}

function lastBeat(beats: string): number {
  return Number(readFileSync(beats, "utf8").trim().split("\n").at(-1));
}

/** Says when another process gets the lock, by the wall clock. */
function nextHolder(mutex: S3Mutex): Promise<number> {
  const turn = mutex.withLock("job", () => Date.now(), { timeoutMs: 20_000 }).then((atMs) => atMs ?? 0);
  // A test that fails before it asks fails for its own reason.
  turn.catch(() => {});
  return turn;
}

function run(command: readonly string[], environment: Environment, options: readonly string[] = []): Cli {
  return startCli(["run", "--lease", "2s", ...options, ADDRESS, "--", ...command], environment);
}

async function pidOf(running: Cli): Promise<number> {
  return Number((await running.says(/worker (\d+)/))[1]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("P3: after a signal the lock is held until the whole group is gone", TIMEOUT, () => {
  test.each([
    ["a background child", (worker: string) => ["sh", "-c", `${worker} & wait`]],
    ["a child of a child", (worker: string) => ["sh", "-c", `(sh -c '${worker}; :'; :) & wait`]],
    ["the end of a pipeline", (worker: string) => ["sh", "-c", `sleep 600 | ${worker} & sleep 600`]],
    ["what was started and left", (worker: string) => ["sh", "-c", `(${worker} &); sleep 600`]],
  ])("%s takes longer than the lease to end", async (_, command) => {
    const { mutex, server, environment } = await startStore();
    const { worker, beats } = newWorker();
    const running = run(command(worker), environment);
    const pid = await pidOf(running);
    const token = recordOf(server, "job")?.token;
    const next = nextHolder(mutex);
    running.process.kill("SIGTERM");
    const signalledAt = Date.now();
    await until(() => recordOf(server, "job")?.queue.length === 1);
    const { exitCode, stderr } = await running.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 143, stderr: "" });
    expect(isRunning(pid)).toBe(false);
    expect(Date.now() - signalledAt).toBeGreaterThan(2500);
    expect(await next).toBeGreaterThan(lastBeat(beats));
    expect(recordOf(server, "job")?.token).toBeGreaterThan(token ?? 0);
  });

  test("npm start: npm and its shell die, the service has its time", async () => {
    const { mutex, environment } = await startStore();
    const { worker, beats } = newWorker();
    const folder = newFolder();
    writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { start: `${worker} & wait` } }));
    const running = run(["npm", "--prefix", folder, "start"], environment);
    const pid = await pidOf(running);
    const next = nextHolder(mutex);
    running.process.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(143);
    expect(isRunning(pid)).toBe(false);
    expect(await next).toBeGreaterThan(lastBeat(beats));
  });

  test.each([
    ["SIGINT", 130],
    ["SIGQUIT", 131],
  ] as const)("%s: background children, which a shell makes deaf to it, get SIGTERM", async (signal, exitCode) => {
    const { mutex, environment } = await startStore();
    // A moment for the child to become what it is to be.
    const script = "ulimit -c 0; sleep 600 & child=$!; sleep 0.3; echo worker $child; wait";
    const running = run(["sh", "-c", script], environment);
    const pid = await pidOf(running);
    const wasRunning = mutex.withLock("job", () => isRunning(pid), { timeoutMs: 20_000 });
    running.process.kill(signal);
    const startedAt = performance.now();
    expect(await running.ended).toMatchObject({ exitCode, stderr: "" });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(await wasRunning).toBe(false);
  });

  test.each(["TERM", "KILL", "HUP"])(
    "a command that died of SIG%s by itself: what it started is ended",
    async (name) => {
      const { mutex, environment } = await startStore();
      const { worker, beats } = newWorker(200);
      const running = run(["sh", "-c", `${worker} & echo leader $$; wait`], environment);
      const pid = await pidOf(running);
      const leader = Number((await running.says(/leader (\d+)/))[1]);
      const next = nextHolder(mutex);
      process.kill(leader, `SIG${name}`);
      expect((await running.ended).exitCode).toBe({ TERM: 143, KILL: 137, HUP: 129 }[name]);
      expect(isRunning(pid)).toBe(false);
      expect(await next).toBeGreaterThan(lastBeat(beats));
    },
  );

  test("what is told of such a death by its exit code is taken for one, as npm and shells do it", async () => {
    const { mutex, environment } = await startStore();
    const { worker, beats } = newWorker(200);
    const running = run(["sh", "-c", `trap "exit 143" TERM; ${worker} & echo leader $$; wait`], environment);
    await pidOf(running);
    const next = nextHolder(mutex);
    process.kill(Number((await running.says(/leader (\d+)/))[1]), "SIGTERM");
    expect((await running.ended).exitCode).toBe(143);
    expect(await next).toBeGreaterThan(lastBeat(beats));
  });

  test("the dead that are not buried are not waited for", async () => {
    const { environment } = await startStore();
    // A process in a session of its own leaves a zombie in the group behind.
    const running = run(["sh", "-c", "(sleep 0.1 & exec setsid sleep 5) & echo worker $$; wait"], environment);
    await pidOf(running);
    await pause(500);
    const startedAt = performance.now();
    running.process.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(143);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test("elect: another leads only when nothing of the group runs", async () => {
    const { environment } = await startStore();
    const { worker, beats } = newWorker();
    const elect = (line: string) => startCli(["elect", "--lease", "1s", ADDRESS, "--", "sh", "-c", line], environment);
    const first = elect(`${worker} & wait`);
    await pidOf(first);
    const second = elect("date +%s%3N");
    await pause(500);
    first.process.kill("SIGTERM");
    expect((await first.ended).exitCode).toBe(143);
    const startedAt = Number((await second.says(/^(\d{13})/m))[1]);
    expect(startedAt).toBeGreaterThan(lastBeat(beats));
  });
});

describe("the end of a group is bounded", TIMEOUT, () => {
  const DEAF = 'trap "" TERM INT; echo worker $$; while :; do sleep 0.05; done';
  const DEAF_CHILD = ["sh", "-c", `sh -c '${DEAF}' & wait`];
  const DEAF_COMMAND = ["sh", "-c", DEAF];

  test.each([
    ["what the command started", "SIGTERM", DEAF_CHILD, 143],
    ["what the command started", "SIGINT", DEAF_CHILD, 130],
    ["the command itself", "SIGTERM", DEAF_COMMAND, 137],
  ] as const)("--group-grace: %s does not end on %s and is killed", async (_, signal, command, exitCode) => {
    const { mutex, environment } = await startStore();
    const running = run(command, environment, ["--group-grace", "1500ms"]);
    const pid = await pidOf(running);
    const startedAt = performance.now();
    running.process.kill(signal);
    const ended = await running.ended;
    const tookMs = performance.now() - startedAt;
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stderr).toMatch(
      /^s3-mutex: what is left of the command did not end within 1.5s \(--group-grace\) and is killed\.\n$/,
    );
    expect(tookMs).toBeGreaterThan(1400);
    expect(isRunning(pid)).toBe(false);
    expect(await mutex.isLocked("job")).toBe(false);
  });

  test.each([
    ["SIGTERM", "SIGTERM", 143],
    ["SIGTERM", "SIGINT", 143],
    ["SIGINT", "SIGINT", 130],
  ] as const)(
    "%s, then %s while the rest of the group ends: it is killed, and the lock released",
    async (one, two, exitCode) => {
      const { mutex, environment } = await startStore();
      const running = run(DEAF_CHILD, environment);
      const pid = await pidOf(running);
      running.process.kill(one);
      await pause(500);
      expect(isRunning(pid)).toBe(true);
      expect(await mutex.tryAcquire("job")).toBeNull();
      running.process.kill(two);
      expect((await running.ended).exitCode).toBe(exitCode);
      expect(running.stderr).toContain(`${two} once more`);
      expect(isRunning(pid)).toBe(false);
      expect(await mutex.isLocked("job")).toBe(false);
    },
  );

  test("a command that lives decides what Ctrl-C is, however often; SIGTERM twice kills it", async () => {
    const { mutex, environment } = await startStore();
    const script = 'trap "" TERM; trap "echo interrupted" INT; echo worker $$; while :; do sleep 0.05; done';
    const running = run(["sh", "-c", script], environment);
    await pidOf(running);
    for (let times = 1; times <= 3; times += 1) {
      running.process.kill("SIGINT");
      await until(() => running.stdout.split("interrupted").length - 1 >= times);
      await pause(300);
    }
    running.process.kill("SIGTERM");
    await pause(500);
    expect(running.process.exitCode).toBeNull();
    running.process.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(137);
    expect(await mutex.isLocked("job")).toBe(false);
  });

  test("one press of Ctrl-C that arrives twice, from the terminal and from npx, is one", async () => {
    const { environment } = await startStore();
    const { worker, beats } = newWorker(600);
    const running = run(["sh", "-c", `${worker} & wait`], environment);
    await pidOf(running);
    const startedAt = Date.now();
    running.process.kill("SIGTERM");
    await pause(50);
    running.process.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ exitCode: 143, stderr: "" });
    expect(lastBeat(beats)).toBeGreaterThan(startedAt + 500);
  });

  test("elect: asked twice, the leadership is given back all the same", async () => {
    const { mutex, environment } = await startStore();
    const running = startCli(["elect", ADDRESS, "--", ...DEAF_CHILD], environment);
    await pidOf(running);
    running.process.kill("SIGTERM");
    await pause(500);
    running.process.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(143);
    expect(await mutex.isLocked("job")).toBe(false);
  });
});

describe("a lock that is lost while the group ends", TIMEOUT, () => {
  test("the store is gone: what is left is dead before another process could have the lock", async () => {
    const { server, environment } = await startStore();
    const { worker, beats } = newWorker(20_000);
    const running = startCli(
      ["run", "--lease", "3s", "--group-grace", "1h", ADDRESS, "--", "sh", "-c", `${worker} & wait`],
      environment,
    );
    const pid = await pidOf(running);
    running.process.kill("SIGTERM");
    await pause(200);
    await server.close();
    expect((await running.ended).exitCode).toBe(79);
    expect(isRunning(pid)).toBe(false);
    expect(lastBeat(beats)).toBeLessThan(recordOf(server, "job")?.holders[0]?.expiresAtMs ?? 0);
  });

  test("released by force: what is left is killed at once", async () => {
    const { mutex, environment } = await startStore();
    const { worker } = newWorker(20_000);
    const running = run(["sh", "-c", `${worker} & wait`], environment, ["--group-grace", "1h"]);
    const pid = await pidOf(running);
    running.process.kill("SIGTERM");
    await pause(200);
    await mutex.releaseLock("job", true);
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(79);
    expect(stderr).toMatch(/^s3-mutex: The lock "job" is not held any more: .*\. The command is killed\.\n$/);
    expect(isRunning(pid)).toBe(false);
  });
});

test(
  "a command that ends by itself is over: what it leaves running is named, and the lock is free",
  TIMEOUT,
  async () => {
    const { mutex, environment } = await startStore();
    const running = run(["sh", "-c", "sleep 600 & child=$!; sleep 0.3; echo worker $child; exit 3"], environment);
    const pid = await pidOf(running);
    try {
      const { exitCode, stderr } = await running.ended;
      expect(exitCode).toBe(3);
      expect(stderr).toBe(`s3-mutex: the command has ended and left running, without the lock: ${pid} (sleep 600).\n`);
      expect(isRunning(pid)).toBe(true);
      expect(await mutex.isLocked("job")).toBe(false);
    } finally {
      process.kill(pid, "SIGKILL");
    }
  },
);

test("what cannot be ended keeps the lock for a lease: it is not released, and is named", TIMEOUT, async () => {
  const { mutex, environment } = await startStore();
  // As for processes of another user: no signal reaches the group.
  const sabotage = `const { kill } = process; process.kill = (pid, signal) => {
    if (pid < 0 && signal !== 0) throw Object.assign(new Error("no"), { code: "EPERM" });
    return kill.call(process, pid, signal);
  };`;
  const running = startCli(
    [
      "run",
      "--lease",
      "8s",
      "--group-grace",
      "300ms",
      ADDRESS,
      "--",
      "sh",
      "-c",
      "sleep 600 & child=$!; sleep 0.3; echo worker $child; kill $$",
    ],
    { ...environment, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(sabotage)}` },
  );
  const pid = await pidOf(running);
  try {
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(143);
    expect(stderr).toContain(
      `s3-mutex: the lock "job" is not released and becomes free when the lease ends: ${pid} (sleep 600) cannot be ended.\n`,
    );
    expect(await mutex.isLocked("job")).toBe(true);
  } finally {
    process.kill(pid, "SIGKILL");
  }
});
