import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, type TestContext } from "vitest";
import { it, sleep, until, type World } from "../api/fixture.js";

const SCRIPT = fileURLToPath(new URL("other-process.ts", import.meta.url));

interface Line {
  readonly done: string;
  readonly at: number;
  readonly [detail: string]: unknown;
}

interface Child {
  /** Gives the next line that it prints; undefined when it ended without another. */
  next(): Promise<Line | undefined>;
  readonly exit: Promise<number | null>;
  readonly process: ChildProcess;
}

type Around = Pick<TestContext, "onTestFinished"> & { readonly world: World };

function start({ world, onTestFinished }: Around, what: string, clockOffsetMs = 0): Child {
  const args = ["--import", "tsx", SCRIPT, world.server.endpoint, what, String(clockOffsetMs)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exit = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    exit,
    async next() {
      const { value, done } = await lines.next();
      return done === true ? undefined : JSON.parse(value);
    },
  };
}

// A process takes a second to start, more on a busy machine; none of these waits for another.
describe.concurrent("another process", { timeout: 60_000 }, () => {
  it("ends while it holds locks: renewal timers do not keep it alive, and there are no signal handlers", async ({
    world,
    onTestFinished,
  }) => {
    const child = start({ world, onTestFinished }, "ends while it holds");
    const line = await child.next();
    expect(line).toMatchObject({ done: "holds" });
    expect(line?.["listeners"]).toEqual(line?.["listenersBefore"]);
    const stillThere = sleep(10_000).then(() => "still there");
    expect(await Promise.race([child.exit, stillThere])).toBe(0);

    // What it left behind is free when its leases are over.
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    for (const name of ["by-handle", "by-name"]) {
      const { expiresAtMs } = world.holder(name);
      expect(await mutex.acquireLock(name, 5000)).toBe(true);
      expect(world.holder(name).acquiredAtMs).toBeGreaterThan(expiresAtMs);
      await mutex.releaseLock(name);
    }
  });

  it("that waits stays alive", async ({ world, onTestFinished }) => {
    const mutex = world.mutex();
    await mutex.acquireLock("waited-for");
    const child = start({ world, onTestFinished }, "waits without a limit");
    await until(() => world.record("waited-for")?.queue.length === 1, 30_000);
    await sleep(700);
    expect(child.process.exitCode).toBeNull();
    await mutex.releaseLock("waited-for");
    expect(await child.next()).toMatchObject({ done: "had it" });
    expect(await child.exit).toBe(0);
    expect(world.record("waited-for")?.holders).toEqual([]);
  });

  it.for([
    ["leads until it is told to stop", "led"],
    ["waits for its signal", "held"],
  ] as const)("C13: whose function only %s stays alive", async ([what, lockName], { world, onTestFinished }) => {
    const child = start({ world, onTestFinished }, what);
    await child.next();
    const { renewedAtMs } = world.holder(lockName);
    await until(() => world.holder(lockName).renewedAtMs > renewedAtMs + 900, 30_000);
    expect(child.process.exitCode).toBeNull();
    await world.mutex().releaseLock(lockName, { force: true });
    if (what !== "waits for its signal") return;
    expect(await child.next()).toMatchObject({ done: "lost" });
    expect(await child.exit).toBe(0);
  });

  it.for([-5, 5])(
    "whose clock is %s hours off takes no live lock, and keeps its own",
    async (hours, { world, onTestFinished }) => {
      const [mutex, other] = [world.mutex({ lockTimeoutMs: 900 }), world.mutex({ clockSkewToleranceMs: 0 })];
      const lock = await mutex.acquire("left-behind");
      const child = start({ world, onTestFinished }, "waits with its clock off", hours * 3_600_000);
      await until(() => world.record("left-behind")?.queue.length === 1, 30_000);
      await sleep(1200);
      lock.assertHeld();
      expect(await lock.release()).toBe(true);
      const took = await child.next();
      expect(took).toMatchObject({ done: "took over" });
      expect(took?.["token"]).toBeGreaterThan(lock.fencingToken);
      const tries: Promise<unknown>[] = [];
      for (let times = 0; times < 20; times += 1) {
        tries.push(other.tryAcquire("left-behind"));
        await sleep(60);
      }
      expect(await Promise.all(tries)).toEqual(Array.from({ length: 20 }, () => null));
      expect(await child.next()).toMatchObject({ done: "still holds", held: true });
      expect(await child.exit).toBe(0);
    },
  );

  it("that is killed leaves a lock that the next one gets when the lease is over", async ({
    world,
    onTestFinished,
  }) => {
    await world.mutex().withLock("left-behind", () => {});
    const child = start({ world, onTestFinished }, "waits with its clock off");
    expect(await child.next()).toMatchObject({ done: "took over" });
    child.process.kill("SIGKILL");
    await child.exit;
    const { expiresAtMs } = world.holder("left-behind");
    const mutex = world.mutex({ clockSkewToleranceMs: 200 });
    const lock = await mutex.acquire("left-behind");
    expect(world.holder("left-behind").acquiredAtMs).toBeGreaterThan(expiresAtMs + 200);
    expect(Date.now()).toBeLessThan(expiresAtMs + 200 + 5000);
    await lock.release();
  });
});

describe("this process", () => {
  it("gets no listeners by using locks", async ({ world }) => {
    const events = ["SIGINT", "SIGTERM", "SIGHUP", "exit", "beforeExit", "uncaughtException", "unhandledRejection"];
    const counts = () => events.map((event) => process.listenerCount(event));
    const before = counts();
    const mutex = world.mutex();
    const lock = await mutex.acquire("a");
    await mutex.acquireLock("b");
    expect(counts()).toEqual(before);
    await lock.release();
    await mutex.releaseLock("b");
    expect(counts()).toEqual(before);
  });
});
