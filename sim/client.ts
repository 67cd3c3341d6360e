import { AsyncResource } from "node:async_hooks";
import { S3Mutex } from "../src/index.js";
import { nextTurn } from "./actors/registry.js";
import type { ClientPlan } from "./plan.js";
import { SimProcess } from "./process.js";
import type { Participant, Scene } from "./scene.js";
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

  close(): Promise<void> {
    this.isClosing = true;
    return this.mutex.close();
  }

  async #spendTurns(task: Task): Promise<void> {
    while (!this.scene.isOver() && this.isAlive && !this.isClosing) {
      const turn = nextTurn(this.plan.weights, task.random);
      this.process.world.trace(() => `${task.name} begins ${turn.name}`);
      await this.mutex.scope(() => turn.run(task, task.random.pick(this.scene.plan.locks)));
      await task.pause(task.random.between(1, this.plan.restMs));
    }
  }

  #watch(): void {
    const { deadlocks, bucket } = this.scene;
    const { mutex } = this;
    mutex.on("deadlock", ({ acquisitionId, cycle }) => {
      bucket.world.trace(() => `${this.name} gives way: ${JSON.stringify(cycle)}`);
      deadlocks.noteVictim(`${this.name} (${acquisitionId})`, cycle);
    });
    mutex.on("lost", ({ lockName, fencingToken, reason }) => {
      bucket.world.trace(() => `${this.name} loses ${lockName}, token ${fencingToken}: ${reason}`);
      deadlocks.disturb();
    });
    mutex.on("acquired", ({ lockName, fencingToken }) => {
      bucket.world.trace(() => `${this.name} has got ${lockName}, token ${fencingToken}`);
    });
  }
}

/** In an asynchronous context of its own, as requests that a server handles at the same time have. */
function separately<T>(name: string, work: () => Promise<T>): Promise<T> {
  return new AsyncResource(name).runInAsyncScope(work);
}
