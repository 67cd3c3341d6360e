import { expect, it } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { Lock } from "../../src/primitives/lock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import { NAME, Scene, type Sent } from "../../testkit/scene.js";
import { share } from "../scale.js";

/**
 * Everything at once, from one seed: a store that loses, delays, repeats and refuses requests, processes that freeze and
 * die, clocks that are wrong and drift. At any moment at most one may believe that it holds, and the record must say so; in
 * the end, with the faults over, the lock has to be free.
 */

const SEEDS = share(200);
const TURNS = 6;

function anyFate(random: Random, { operation }: Sent): Fate {
  if (!random.chance(0.12)) return { kind: "fine" };
  const fates: Fate[] = [
    { kind: "lost" },
    { kind: "answer-lost" },
    { kind: "late", byMs: random.between(10, 9000) },
    { kind: "twice" },
    { kind: "error", status: 500, applied: true },
    { kind: "error", status: 500, applied: false },
    { kind: "error", status: 503, applied: false },
    { kind: "error", status: 429, applied: false },
  ];
  // A conflict is an answer to a write only.
  if (operation === "write") fates.push({ kind: "error", status: 409, applied: false });
  return random.pick(fates);
}

class Run {
  readonly scene: Scene;
  readonly #random: Random;
  readonly #processes: SimProcess[] = [];
  readonly #callers: readonly number[];
  #turns = 0;

  /** `callers`: how many may share one instance. */
  constructor(seed: number, callers: readonly number[] = [1]) {
    this.#callers = callers;
    this.scene = new Scene({ seed, roundTripMs: () => this.#random.between(5, 60) });
    this.#random = this.scene.world.random.fork();
  }

  async play(): Promise<readonly string[]> {
    const { scene } = this;
    scene.fate = (request) => anyFate(this.#random, request);
    const finished = new Set<SimProcess>();
    for (let actors = this.#random.integer(3, 5); actors > 0; actors -= 1) {
      const { process, mutex } = this.#client();
      this.#processes.push(process);
      const callers = Array.from({ length: this.#random.pick(this.#callers) }, () => this.#act(process, mutex));
      Promise.all(callers).then(
        () => finished.add(process),
        (error) => scene.problem(`an actor failed: ${error?.stack ?? error}`),
      );
    }
    const isOver = () => this.#processes.every((process) => process.isDead || finished.has(process));
    await scene.world.run(900_000, isOver);
    if (!isOver()) scene.problem("not finished after a quarter of an hour");
    await this.#aftermath();
    if (this.#turns === 0) scene.problem("no process ever got the lock");
    return scene.problems;
  }

  #client() {
    const random = this.#random;
    const clocks = {
      wallOffsetMs: random.pick([0, 0, 0, 200, -200, 300_000, -300_000]),
      drift: random.pick([0, 0, 1e-4, -1e-4]),
    };
    return this.scene.client({ clocks, lockTimeoutMs: random.pick([1000, 3000, 10_000]) });
  }

  async #act(process: SimProcess, mutex: S3Mutex): Promise<void> {
    const random = this.#random;
    for (let turn = 0; turn < TURNS; turn += 1) {
      const lock = await this.#acquire(mutex);
      if (lock !== null) {
        this.#turns += 1;
        this.scene.believe(lock, process);
        if (random.chance(0.05)) process.freeze(random.between(500, 15_000), random.chance(0.3));
        if (random.chance(0.03)) process.kill();
        await pause(process, random.between(1, 1500));
        await lock.release().catch(onlyUnavailable);
        this.scene.disbelieve(lock);
      }
      if (random.chance(0.05)) await mutex.cleanupStaleLocks({ includeReleased: true }).catch(onlyUnavailable);
      await pause(process, random.between(1, 300));
    }
  }

  async #acquire(mutex: S3Mutex): Promise<Lock | null> {
    const random = this.#random;
    const stop = new AbortController();
    if (random.chance(0.1)) this.scene.world.after(random.between(1, 3000), () => stop.abort());
    const { signal } = stop;
    const acquiring = random.chance(0.7)
      ? mutex.acquire(NAME, { timeoutMs: random.pick([100, 2000, 20_000]), signal, priority: random.integer(0, 1) })
      : mutex.tryAcquire(NAME, { signal });
    return acquiring.catch((error) => {
      if (!["timed-out", "aborted", "store-unavailable"].includes(error?.code)) throw error;
      return null;
    });
  }

  async #aftermath(): Promise<void> {
    const { scene } = this;
    scene.fate = () => ({ kind: "fine" });
    // The longest lease, the life of a queue entry, and what is late.
    await scene.pass(40_000);
    const { mutex, process } = scene.client();
    const lock = await scene.until(mutex.tryAcquire(NAME));
    if (lock === null) scene.problem(`still locked: ${JSON.stringify(scene.record())}`);
    else scene.believe(lock, process);
    const { queue = [] } = scene.record() ?? {};
    const living = new Set(this.#processes.filter(({ isDead }) => !isDead).map(({ name }) => name));
    const left = queue.filter(({ host }) => living.has(host ?? ""));
    if (left.length > 0) scene.problem(`entries left in the queue: ${JSON.stringify(left)}`);
  }
}

function pause(process: SimProcess, ms: number): Promise<void> {
  return new Promise((resolve) => process.effects.setTimer(ms, resolve, { keepAlive: true }));
}

function onlyUnavailable(error: unknown): void {
  if (!S3MutexError.is(error, "store-unavailable")) throw error;
}

async function problemsOfRuns(callers: readonly number[]): Promise<Record<string, readonly string[]>> {
  const bad: Record<string, readonly string[]> = {};
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const problems = await new Run(seed, callers).play();
    if (problems.length > 0) bad[`seed ${seed}`] = problems.slice(0, 3);
  }
  return bad;
}

it(`survives ${SEEDS} runs with everything going wrong`, async () => {
  expect(await problemsOfRuns([1])).toEqual({});
}, 240_000);

it(`survives ${SEEDS} more in which callers share instances`, async () => {
  expect(await problemsOfRuns([1, 2, 3])).toEqual({});
}, 240_000);

it("gives the same run for the same seed", async () => {
  const story = async () => {
    const run = new Run(7);
    await run.play();
    return run.scene.landed.map(({ atMs, record }) => `${atMs} ${record?.writeId} ${record?.token}`);
  };
  expect(await story()).toEqual(await story());
});
