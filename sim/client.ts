import { AsyncResource } from "node:async_hooks";
import { type Lock, S3Mutex } from "../src/index.js";
import { nextTurn } from "./actors/registry.js";
import { type Closing, closeMutex } from "./closing.js";
import type { ClientPlan } from "./plan.js";
import { SimProcess } from "./process.js";
import { type Participant, type Scene, semaphoreOf } from "./scene.js";
import { Task } from "./task.js";

/** A process of the run with the production code in it, and lines of work that share it. */
export class SimClient implements Participant {
  readonly name: string;
  readonly plan: ClientPlan;
  readonly process: SimProcess;
  readonly mutex: S3Mutex;
  readonly scene: Scene;
  readonly tasks: readonly Task[];
  isClosing = false;
  isClosed = false;
  #closed: Promise<void> | undefined;
  readonly #lost = new Set<string>();

  constructor(scene: Scene, plan: ClientPlan, name: string) {
    const { world } = scene.bucket;
    this.scene = scene;
    this.plan = plan;
    this.name = name;
    this.process = new SimProcess(world, name, plan.clocks);
    const { leaseMs, toleranceMs, takeover } = scene.plan;
    this.mutex = new S3Mutex(
      {
        s3Client: { send: () => {} } as never,
        bucketName: "bucket",
        lockTimeoutMs: leaseMs,
        clockSkewToleranceMs: toleranceMs,
        takeover,
      },
      { store: scene.bucket.storeFor(this.process), effects: this.process.effects },
    );
    this.tasks = Array.from(
      { length: plan.tasks },
      (_, index) => new Task(this, `${name}/${index}`, world.random.fork()),
    );
    this.#watch();
  }

  /** Whether it was told that it has lost this lock; to be asked to stop is not to lose. */
  hasLost({ name, fencingToken }: Pick<Lock, "name" | "fencingToken">): boolean {
    return this.#lost.has(`${name} ${fencingToken}`);
  }

  get isAlive(): boolean {
    return !this.process.isDead;
  }

  async play(): Promise<void> {
    await Promise.all(this.tasks.map((task) => separately(task.name, () => this.#spendTurns(task))));
  }

  async lastWish(): Promise<void> {
    const [task] = this.tasks;
    if (task === undefined) return;
    const lock = task.random.pick(this.scene.plan.locks);
    await task.use(lock, { priority: task.random.integer(0, 2) }, () => task.pause(5));
  }

  /** As a program that is told to stop; the first call decides how, and a later one can shorten it. */
  close(closing: Closing = PLAIN): Promise<void> {
    const { scene, process, mutex } = this;
    scene.deadlocks.disturb();
    if (closing.handles === "release")
      scene.inside.dismiss((insider) => insider.process === process && insider.kind === "handle");
    this.isClosing = true;
    this.#closed ??= closeMutex(mutex, closing).then((leftBehind) => {
      this.isClosed = true;
      scene.onClosed(this, leftBehind);
    });
    const { againAfterMs } = closing;
    if (againAfterMs !== undefined)
      process.world.after(againAfterMs, () =>
        process.deliver(() => void closeMutex(mutex, { ...closing, graceMs: 0 })),
      );
    return this.#closed;
  }

  /** Begins turn after turn until it is told to close. */
  async rush(): Promise<void> {
    await Promise.all(this.tasks.map((task) => separately(task.name, () => this.#spendTurns(task, () => false))));
  }

  /** Gives up in the middle of everything that can be waited for. */
  async giveUp(): Promise<void> {
    const [task] = this.tasks;
    if (task === undefined) return;
    const { plan } = this.scene;
    const longestMs = plan.roundTripMs[1] * 5;
    const calls = Array.from({ length: 3 }, async () => {
      const abort = new AbortController();
      this.process.world.after(task.random.between(0, longestMs), () => abort.abort());
      const options = { timeoutMs: task.random.between(0, longestMs), signal: abort.signal, label: task.name };
      const lock = await task.expecting(this.mutex.acquire(task.random.pick(plan.locks), options));
      if (lock !== undefined) await task.expecting(lock.release());
    });
    await Promise.all(calls);
  }

  async #spendTurns(task: Task, isOver = this.scene.isOver): Promise<void> {
    while (!isOver() && this.isAlive && !this.isClosing) {
      const turn = nextTurn(this.plan.weights, task.random);
      this.process.world.trace(() => `${task.name} begins ${turn.name}`);
      await this.mutex.scope(() => turn.run(task, task.random.pick(this.scene.plan.locks)));
      await task.pause(task.random.between(1, this.plan.restMs));
    }
  }

  #watch(): void {
    const { deadlocks, bucket, inside } = this.scene;
    const { mutex } = this;
    mutex.on("deadlock", ({ acquisitionId, cycle }) => {
      bucket.world.trace(() => `${this.name} gives way: ${JSON.stringify(cycle)}`);
      deadlocks.noteVictim(`${this.name} (${acquisitionId})`, cycle);
    });
    mutex.on("renewed", ({ lockName, fencingToken }) =>
      inside.moved(
        ({ token, process }, lock) =>
          token === fencingToken && process === this.process && (lock === lockName || lock === semaphoreOf(lockName)),
      ),
    );
    mutex.on("lost", ({ lockName, fencingToken, reason }) => {
      if (!isAskedToStop(reason)) this.#lost.add(`${lockName} ${fencingToken}`);
      bucket.world.trace(() => `${this.name} loses ${lockName}, token ${fencingToken}: ${reason}`);
      deadlocks.disturb();
    });
    mutex.on("acquired", ({ lockName, fencingToken }) => {
      bucket.world.trace(() => `${this.name} has got ${lockName}, token ${fencingToken}`);
    });
  }
}

const PLAIN: Closing = { graceMs: undefined, handles: "wait", againAfterMs: undefined };

/** The mutex is closing, or its leader resigns: the lock is held for as long as the work goes on. */
const isAskedToStop = (reason: string | undefined) => reason === "closed" || reason === "resigned";

/** In an asynchronous context of its own, as requests that a server handles at the same time have. */
function separately<T>(name: string, work: () => Promise<T>): Promise<T> {
  return new AsyncResource(name).runInAsyncScope(work);
}
