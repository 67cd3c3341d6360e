import { type Lock, S3Mutex } from "../src/index.js";
import { SimProcess } from "../src/testing/virtual/process.js";
import { runLoops } from "./actors/loops.js";
import { nextTurn } from "./actors/registry.js";
import { separately } from "./actors/separately.js";
import { EventChecker } from "./checkers/events.js";
import { type Closing, closeMutex } from "./closing.js";
import type { ClientPlan } from "./plan/plan.js";
import { type Scene, semaphoreOf } from "./scene.js";
import { type Program, Task } from "./task.js";

/** A process of the run with the production code in it, and lines of work that share it. */
export class SimClient implements Program {
  readonly name: string;
  readonly plan: ClientPlan;
  readonly process: SimProcess;
  readonly mutex: S3Mutex;
  readonly scene: Scene<Task>;
  readonly tasks: readonly Task[];
  readonly started: Task[] = [];
  readonly forgotten: Promise<void>[] = [];
  readonly events: EventChecker;
  readonly #boot: Task;
  /** By true time; never, where it was not told to close. */
  closingSinceMs = Number.POSITIVE_INFINITY;
  isClosed = false;
  hasGivenHandlesBack = false;
  #closed: Promise<void> | undefined;
  readonly #lost = new Set<string>();

  constructor(scene: Scene<Task>, plan: ClientPlan, name: string) {
    const { world } = scene.bucket;
    this.scene = scene;
    this.plan = plan;
    this.name = name;
    this.process = new SimProcess(world, name, plan.clocks);
    const { leaseMs, toleranceMs, takeover, verify } = scene.plan;
    this.mutex = new S3Mutex(
      {
        s3Client: { send: () => {} } as never,
        bucketName: "bucket",
        lockTimeoutMs: leaseMs,
        clockSkewToleranceMs: toleranceMs,
        takeover,
        verify,
      },
      {
        store: scene.bucket.storeFor(this.process),
        effects: this.process.effects,
        ...(scene.plan.capacity === undefined ? {} : { capacity: scene.plan.capacity }),
      },
    );
    this.tasks = Array.from(
      { length: plan.tasks },
      (_, index) => new Task(this, `${name}/${index}`, world.random.fork()),
    );
    this.#boot = new Task(this, `${name}/boot`, world.random.fork());
    this.started.push(this.#boot);
    this.events = new EventChecker(scene.findings, name);
    this.#watch();
  }

  hasLost({ name, fencingToken }: Pick<Lock, "name" | "fencingToken">): boolean {
    return this.#lost.has(`${name} ${fencingToken}`);
  }

  get isClosing(): boolean {
    return this.closingSinceMs <= this.process.world.nowMs;
  }

  get isAlive(): boolean {
    return !this.process.isDead;
  }

  async play(): Promise<void> {
    const { context, hasLoops } = this.plan;
    const loops = hasLoops ? separately(this.name, () => runLoops(this.#boot)) : undefined;
    if (context === "own") await this.#each((task) => separately(task.name, () => this.#spendTurns(task)));
    else await separately(this.name, () => (context === "shared" ? this.#playAfterBoot() : this.#playUnderLock()));
    await loops;
  }

  async lastWish(): Promise<void> {
    const [task] = this.tasks;
    if (task === undefined) return;
    const lock = task.random.pick(this.scene.plan.locks);
    const options = { priority: task.random.integer(0, 2) };
    await separately(task.name, () => task.use(lock, options, () => task.pause(5)));
  }

  /** Closes as a program that is told to stop; the first call decides how, and a later one can shorten it. Resolves when it is over. */
  close(closing: Closing = PLAIN): Promise<void> {
    const over = this.#closed ?? this.#whenClosed();
    if (this.#closed === undefined) void this.#beginToClose(closing);
    this.#closed = over;
    return over;
  }

  async closeFromWithin(closing: Closing): Promise<void> {
    this.#closed ??= this.#whenClosed();
    await this.#beginToClose(closing);
  }

  async #beginToClose(closing: Closing): Promise<void> {
    const { scene, process, mutex } = this;
    scene.deadlocks.disturb();
    if (closing.handles === "release") {
      this.hasGivenHandlesBack = true;
      scene.inside.dismiss((insider) => insider.process === process && insider.kind === "handle");
    }
    this.closingSinceMs = process.world.nowMs;
    const { againAfterMs } = closing;
    if (againAfterMs !== undefined)
      process.world.after(againAfterMs, () =>
        process.deliver(() => void closeMutex(mutex, { ...closing, graceMs: 0 })),
      );
    await closeMutex(mutex, closing);
  }

  /** Resolves at the event: nothing may be sent after that, whatever callers were told earlier. */
  #whenClosed(): Promise<void> {
    return new Promise((resolve) => {
      this.mutex.on("closed", ({ leftBehind }) => {
        this.isClosed = true;
        this.scene.onClosed(this, leftBehind);
        resolve();
      });
    });
  }

  /** Begins turn after turn until it is told to close. */
  async rush(): Promise<void> {
    const spend = (task: Task) => this.#spendTurns(task, () => false);
    if (this.plan.context === "own") await this.#each((task) => separately(task.name, () => spend(task)));
    else await separately(this.name, () => this.#each(spend));
  }

  /** Plays a server that takes a lock when it starts, or has it for as long as it runs: its requests inherit that context. */
  async #playAfterBoot(): Promise<void> {
    const { mutex } = this;
    const name = `boot ${this.plan.name}`;
    const isNamed = this.#boot.random.chance(0.3);
    if (isNamed) await this.#boot.expecting(mutex.acquireLock(name, BOOT_MS));
    const boot = isNamed
      ? undefined
      : await this.#boot.expecting(mutex.acquire(name, { timeoutMs: BOOT_MS, label: this.#boot.name }));
    if (isNamed) await this.#boot.expecting(mutex.releaseLock(name));
    const isKept = this.#boot.random.chance(0.5);
    if (boot !== undefined && !isKept) await this.#boot.expecting(boot.release());
    await this.#each((task) => this.#spendTurns(task));
    if (boot !== undefined && isKept) await this.#boot.expecting(boot.release());
  }

  /** Plays a server that was started by a function which has a lock; where the store refuses it that, it is started again. */
  async #playUnderLock(): Promise<void> {
    let hasBegun = false;
    const play = () => {
      hasBegun = true;
      return this.#each((task) => this.#spendTurns(task));
    };
    const options = { timeoutMs: BOOT_MS, label: this.#boot.name };
    for (let tries = 0; tries < BOOT_TRIES && !hasBegun && !this.isClosing; tries += 1) {
      await this.#boot.expecting(this.mutex.withLock(`boot ${this.plan.name}`, play, options));
    }
  }

  async #each(play: (task: Task) => Promise<void>): Promise<void> {
    await Promise.all(this.tasks.map(play));
  }

  /** Gives up in the middle of everything that can be waited for. */
  async giveUp(): Promise<void> {
    const [task] = this.tasks;
    if (task === undefined) return;
    const { plan } = this.scene;
    const longestMs = plan.roundTripMs[1] * 5;
    const giveUpOne = async () => {
      const abort = new AbortController();
      this.process.world.after(task.random.between(0, longestMs), () => abort.abort());
      const options = { timeoutMs: task.random.between(0, longestMs), signal: abort.signal, label: task.name };
      const lock = await task.expecting(this.mutex.acquire(task.random.pick(plan.locks), options));
      if (lock !== undefined) await task.expecting(lock.release());
    };
    await Promise.all(this.forgotten);
    await Promise.all(Array.from({ length: 3 }, () => separately(task.name, giveUpOne)));
  }

  async #spendTurns(task: Task, isOver = this.scene.isOver): Promise<void> {
    while (!isOver() && this.isAlive && !this.isClosing) {
      const turn = nextTurn(this.plan.weights, task.random);
      this.process.world.trace(() => `${task.name} begins ${turn.name}`);
      const run = () => turn.run(task, task.random.pick(this.scene.plan.locks));
      await (this.plan.context === "own" ? this.mutex.scope(run) : run());
      await task.pause(task.random.between(1, this.plan.restMs));
    }
  }

  #watch(): void {
    const { deadlocks, bucket, inside } = this.scene;
    const { mutex, events } = this;
    mutex.on("acquired", (event) => events.hears("acquired", event));
    mutex.on("renewed", (event) => events.hears("renewed", event));
    mutex.on("lost", (event) => events.hears("lost", event));
    mutex.on("released", (event) => events.hears("released", event));
    mutex.on("closed", () => events.closed());
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
      if (reason === "deleted" && this.scene.plan.isCached) this.scene.leftovers.misled(fencingToken);
      if (!isAskedToStop(reason)) this.#lost.add(`${lockName} ${fencingToken}`);
      bucket.world.trace(() => `${this.name} loses ${lockName}, token ${fencingToken}: ${reason}`);
      deadlocks.disturb();
    });
    mutex.on("acquired", ({ lockName, fencingToken }) => {
      bucket.world.trace(() => `${this.name} has got ${lockName}, token ${fencingToken}`);
    });
  }
}

/** The earlier holder of the lock may have died. */
const BOOT_MS = 20_000;
const BOOT_TRIES = 5;

const PLAIN: Closing = { graceMs: undefined, handles: "wait", againAfterMs: undefined };

/** The mutex is closing, or its leader resigns: the lock is held for as long as the work goes on. */
const isAskedToStop = (reason: string | undefined) => reason === "closed" || reason === "resigned";
