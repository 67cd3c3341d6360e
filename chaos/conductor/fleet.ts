import { join } from "node:path";
import type { Random } from "../../src/testing/virtual/random.js";
import type { FromWorker, StoreAddress, ToWorker, WorkerSettings } from "../messages.js";
import { Child } from "./child.js";

export type WorkerState = "starting" | "working" | "frozen" | "killed" | "gone";

export class Worker {
  readonly name: string;
  readonly child: Child<ToWorker, FromWorker>;
  state: WorkerState = "starting";
  /** When it was last frozen or thawed, on the monotonic clock. */
  frozenAtMs = Number.NEGATIVE_INFINITY;
  thawing: NodeJS.Timeout | undefined;

  constructor(name: string, settings: WorkerSettings, listener: (worker: Worker, message: FromWorker) => void) {
    this.name = name;
    this.child = new Child("worker/worker-process.ts", settings, (message) => listener(this, message));
  }
}

export interface FleetSettings {
  readonly size: number;
  readonly folder: string;
  readonly random: Random;
  /** What all workers have in common. */
  readonly common: Omit<WorkerSettings, "name" | "seed" | "journalPath">;
  /** How they reach the store, one after the other. */
  readonly ways: readonly StoreAddress[];
  readonly guard: (pid: number) => void;
  readonly unguard: (pid: number) => void;
  readonly message: (worker: Worker, message: FromWorker) => void;
  /** One ended that was neither killed nor sent home. */
  readonly failed: (error: Error) => void;
}

/** The workers: who is killed gets a successor, so that there are always as many. */
export class Fleet {
  readonly #settings: FleetSettings;
  readonly #workers = new Set<Worker>();
  #started = 0;
  #isStopping = false;
  #changed: () => void = () => {};

  constructor(settings: FleetSettings) {
    this.#settings = settings;
    for (let index = 0; index < settings.size; index += 1) this.#start();
  }

  get size(): number {
    return this.#settings.size;
  }

  get started(): number {
    return this.#started;
  }

  in(state: WorkerState): readonly Worker[] {
    return [...this.#workers].filter((worker) => worker.state === state);
  }

  byPid(pid: number): Worker | undefined {
    return [...this.#workers].find(({ child }) => child.pid === pid);
  }

  kill(worker: Worker): void {
    clearTimeout(worker.thawing);
    worker.state = "killed";
    // One that is frozen can be killed like any other.
    worker.child.signal("SIGKILL");
  }

  freeze(worker: Worker, forMs: number, onThaw: () => void): void {
    worker.state = "frozen";
    worker.frozenAtMs = performance.now();
    worker.child.signal("SIGSTOP");
    worker.thawing = setTimeout(() => {
      this.#thaw(worker);
      onThaw();
    }, forMs);
  }

  thawAll(): void {
    for (const worker of this.in("frozen")) {
      clearTimeout(worker.thawing);
      this.#thaw(worker);
    }
  }

  /** Resolves when this many work. */
  async working(count: number): Promise<void> {
    await this.#until(() => this.in("working").length >= count);
  }

  /** Sends all workers home; resolves when none is left. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const worker of this.in("working")) worker.child.send({ kind: "stop" });
    await this.#until(() => this.#workers.size === 0);
  }

  /** Kills all workers that are left, at once. */
  killAll(): void {
    this.#isStopping = true;
    for (const worker of this.#workers) this.kill(worker);
  }

  /** Resolves when those that were killed are gone. */
  async gone(): Promise<void> {
    await Promise.all([...this.#workers].map(({ child }) => child.exited));
  }

  #thaw(worker: Worker): void {
    if (worker.state !== "frozen") return;
    worker.state = "working";
    worker.frozenAtMs = performance.now();
    worker.child.signal("SIGCONT");
  }

  #start(): void {
    const { common, folder, random, guard, unguard, ways } = this.#settings;
    const way = ways[this.#started % ways.length];
    this.#started += 1;
    const name = `w${this.#started}`;
    const journalPath = join(folder, `${name}.journal`);
    const settings = { ...common, ...way, name, seed: random.integer(0, 2 ** 32), journalPath };
    const worker = new Worker(name, settings, (from, message) => this.#receive(from, message));
    this.#workers.add(worker);
    guard(worker.child.pid);
    void worker.child.exited.then((how) => {
      unguard(worker.child.pid);
      this.#buried(worker, how);
    });
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (message.kind === "ready") {
      if (worker.state === "starting") worker.state = "working";
      // It was still starting when the others were told.
      if (this.#isStopping) worker.child.send({ kind: "stop" });
      this.#changed();
    } else {
      this.#settings.message(worker, message);
    }
  }

  #buried(worker: Worker, how: string): void {
    const wasKilled = worker.state === "killed";
    worker.state = "gone";
    clearTimeout(worker.thawing);
    this.#workers.delete(worker);
    if (!(wasKilled || (this.#isStopping && how === "exit code 0"))) {
      this.#settings.failed(new Error(`${worker.name} ended unexpectedly (${how}): ${worker.child.stderr}`));
    } else if (!this.#isStopping) {
      this.#start();
    }
    this.#changed();
  }

  /** Waits until the condition holds; one wait at a time. */
  async #until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#changed = () => {
        if (condition()) resolve();
      };
      this.#changed();
    });
  }
}
