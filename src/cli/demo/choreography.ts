import type { Worker } from "./fleet.js";

/** What the demo makes happen to its workers, in this order; each step waits for the one before, never for a time alone. */
export type Step =
  | "warm-up"
  /** The next who has read is killed while it holds the lock. */
  | "kill-next"
  /** Until another worker has written with a higher token. */
  | "await-heir"
  | "calm"
  /** The next who has read is frozen before the answer reaches it. */
  | "freeze-next"
  /** Until another worker has written with a higher token. */
  | "await-takeover"
  /** Until the thawed one has written, and was refused. */
  | "await-zombie"
  | "finish"
  | "done";

export interface Story {
  killed(worker: Worker, token: number): void;
  inherited(worker: Worker, token: number, afterMs: number): void;
  frozen(worker: Worker, token: number): void;
  thawed(zombie: Worker, successor: Worker, token: number, afterMs: number): void;
  refused(zombie: Worker, zombieToken: number): void;
  done(): void;
}

/** A quiet stretch lasts at least this many updates and this long. */
export interface Pace {
  readonly updates: number;
  readonly ms: number;
}

export class Choreography {
  readonly #pace: Pace;
  readonly #story: Story;
  #step: Step = "warm-up";
  #since = performance.now();
  #updates = 0;
  #victim: { readonly worker: Worker; readonly token: number; readonly answer: () => void } | undefined;

  constructor(pace: Pace, story: Story) {
    this.#pace = pace;
    this.#story = story;
  }

  get step(): Step {
    return this.#step;
  }

  /** Learns that a holder has read the ledger, and may kill or freeze it; `answer` gives it what stood there. */
  read(worker: Worker, token: number, answer: () => void): void {
    if (this.#step === "kill-next") {
      worker.state = "killed";
      worker.signal("SIGKILL");
      this.#victim = { worker, token, answer };
      this.#enter("await-heir");
      this.#story.killed(worker, token);
    } else if (this.#step === "freeze-next") {
      worker.state = "frozen";
      worker.signal("SIGSTOP");
      this.#victim = { worker, token, answer };
      this.#enter("await-takeover");
      this.#story.frozen(worker, token);
    } else {
      answer();
    }
  }

  /** Learns that a write was accepted or refused. */
  wrote(worker: Worker, token: number, accepted: boolean): void {
    const victim = this.#victim;
    if (!accepted) {
      if (this.#step !== "await-zombie" || worker !== victim?.worker) return;
      this.#enter("finish");
      this.#story.refused(worker, token);
      return;
    }
    this.#updates += 1;
    const afterMs = performance.now() - this.#since;
    if (this.#step === "await-heir" && victim !== undefined && token > victim.token) {
      this.#enter("calm");
      this.#story.inherited(worker, token, afterMs);
    } else if (this.#step === "await-takeover" && victim !== undefined && token > victim.token) {
      this.#enter("await-zombie");
      this.#story.thawed(victim.worker, worker, token, afterMs);
      victim.worker.state = "zombie";
      // What it read before it was frozen is what it finds when it wakes up.
      victim.answer();
      victim.worker.signal("SIGCONT");
    } else if (afterMs >= this.#pace.ms && this.#updates >= this.#pace.updates) {
      this.#endQuietStretch();
    }
  }

  #endQuietStretch(): void {
    if (this.#step === "warm-up") this.#enter("kill-next");
    else if (this.#step === "calm") this.#enter("freeze-next");
    else if (this.#step === "finish") {
      this.#enter("done");
      this.#story.done();
    }
  }

  #enter(step: Step): void {
    this.#step = step;
    this.#since = performance.now();
    this.#updates = 0;
  }
}
