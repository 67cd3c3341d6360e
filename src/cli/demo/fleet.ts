import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CommandError } from "../base/usage-error.js";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.js";

export type WorkerState = "starting" | "waiting" | "holding" | "working" | "idle" | "killed" | "frozen" | "zombie";

/** One process of the demo, as the parent sees it. */
export class Worker {
  readonly name: string;
  readonly #process: ChildProcess;
  state: WorkerState = "starting";
  token: number | undefined;
  updates = 0;
  #isGone = false;

  constructor(name: string, settings: WorkerSettings) {
    this.name = name;
    this.#process = fork(fileURLToPath(new URL("worker.js", import.meta.url)), [JSON.stringify(settings)], {
      execArgv: [],
      // The SDK's notices about Node versions are of no interest here; errors of a worker are.
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.once("exit", () => {
      this.#isGone = true;
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  send(message: ToWorker): void {
    // One that was killed has no ears left; its exit is reported elsewhere.
    if (!this.#isGone) this.#process.send(message, () => {});
  }

  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#process.on("message", (message) => listener(message as FromWorker));
  }

  /** Resolves when the process is gone. */
  gone(): Promise<void> {
    return new Promise((resolve) => (this.#isGone ? resolve() : this.#process.once("exit", () => resolve())));
  }

  onExit(listener: (description: string) => void): void {
    this.#process.once("exit", (exitCode, signal) => listener(signal ?? `exit code ${exitCode}`));
  }
}

export interface FleetEvents {
  message(worker: Worker, message: FromWorker): void;
  /** Learns that a worker ended that was neither killed nor sent home. */
  failed(error: Error): void;
}

/** All workers. Whatever happens, none of them outlives the parent. */
export class Fleet {
  readonly workers: readonly Worker[];
  #isLeaving = false;
  readonly #killAll = () => {
    // A frozen process can be killed like any other.
    for (const worker of this.workers) if (!worker.isGone) worker.signal("SIGKILL");
  };

  constructor(count: number, settings: WorkerSettings, events: FleetEvents) {
    process.once("exit", this.#killAll);
    this.workers = Array.from({ length: count }, (_, index) => new Worker(`worker ${index + 1}`, settings));
    for (const worker of this.workers) {
      worker.onMessage((message) => events.message(worker, message));
      worker.onExit((description) => {
        if (worker.state === "killed" || this.#isLeaving) return;
        events.failed(new CommandError(`${worker.name} ended unexpectedly (${description}).`));
      });
    }
  }

  /** Those that were not killed. */
  get alive(): readonly Worker[] {
    return this.workers.filter((worker) => worker.state !== "killed");
  }

  /** Sends all workers home; resolves when none is left. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    for (const worker of this.alive) worker.send({ kind: "exit" });
    await this.#gone();
  }

  /** Ends all workers at once; resolves when none is left, which is some time after a signal was sent. */
  async end(): Promise<void> {
    this.#isLeaving = true;
    this.#killAll();
    await this.#gone();
    process.off("exit", this.#killAll);
  }

  async #gone(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.gone()));
  }
}
