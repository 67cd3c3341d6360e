import { type DeadlockEvent, type Lock, S3Mutex, S3MutexError } from "../src/index.js";
import type { BeliefChecker, Believer } from "./checkers/beliefs.js";
import type { Findings } from "./checkers/findings.js";
import type { HistoryChecker } from "./checkers/history.js";
import type { FencedCounter } from "./checkers/resource.js";
import type { ClientPlan, Plan } from "./plan.js";
import { SimProcess } from "./process.js";
import type { Random } from "./random.js";
import type { SimBucket } from "./store.js";

/** What all clients of a run share: the store, the checkers, and when to stop. */
export interface Scene {
  readonly plan: Plan;
  readonly bucket: SimBucket;
  readonly findings: Findings;
  readonly beliefs: BeliefChecker;
  readonly history: HistoryChecker;
  readonly counters: ReadonlyMap<string, FencedCounter>;
  readonly isOver: () => boolean;
  readonly onVictim: (client: SimClient, event: DeadlockEvent) => void;
}

/** A process of the run with the production code in it, which spends its turns as its habits say. */
export class SimClient {
  readonly name: string;
  readonly plan: ClientPlan;
  readonly process: SimProcess;
  readonly mutex: S3Mutex;
  readonly random: Random;
  readonly scene: Scene;
  /** It has come to the end of its turns. */
  isDone = false;

  constructor(scene: Scene, plan: ClientPlan, name: string) {
    const { world } = scene.bucket;
    this.scene = scene;
    this.plan = plan;
    this.name = name;
    this.random = world.random.fork();
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
    this.mutex.on("deadlock", (event) => scene.onVictim(this, event));
  }

  /** Waits on this process's own timers: it stands still while the process does. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.effects.setTimer(ms, resolve, { keepAlive: true }));
  }

  /** Holds a lock that it has just got: checked from the outside, while it uses what the lock protects. */
  async use(lock: Lock, askedAtMs: number, work: () => Promise<void> = () => this.work(lock)): Promise<void> {
    const { beliefs, bucket } = this.scene;
    const believer: Believer = {
      client: this.name,
      token: lock.fencingToken,
      believes: () => this.isAlive && lock.held,
    };
    beliefs.begin(lock.name, believer);
    try {
      await work();
    } finally {
      beliefs.end(lock.name, believer);
      const hold = { client: this.name, token: lock.fencingToken, askedAtMs, releasedAtMs: bucket.world.nowMs };
      this.scene.history.add(lock.name, hold);
    }
  }

  /** Reads the counter, thinks, and writes it one higher, whether it still holds the lock or not: tokens have to stop it. */
  async work(lock: { readonly name: string; readonly fencingToken: number }): Promise<void> {
    const counter = this.scene.counters.get(lock.name);
    const value = counter?.read(lock.fencingToken);
    await this.pause(this.random.between(1, this.random.chance(0.1) ? this.scene.plan.leaseMs * 2 : 300));
    if (value !== undefined) counter?.write(lock.fencingToken, value + 1);
  }

  get isAlive(): boolean {
    return !this.process.isDead;
  }

  /** Contention, deadlock and a store that does not answer are what happens; anything else is a finding. */
  async expecting<T>(promise: Promise<T>): Promise<T | undefined> {
    try {
      return await promise;
    } catch (error) {
      if (S3MutexError.is(error) && EXPECTED.has(error.code)) return undefined;
      this.scene.findings.report("error", `${this.name}: ${error instanceof Error ? error.stack : error}`);
      return undefined;
    }
  }
}

const EXPECTED: ReadonlySet<string> = new Set([
  "timed-out",
  "aborted",
  "lost",
  "deadlock",
  "store-unavailable",
  "closed",
]);
