import type { Holder } from "../../core/record.js";

/** What the end of a mutex needs of something that it holds. */
export interface Held {
  readonly holder: Holder;
  readonly standing: {
    readonly lockName: string;
    readonly isOver: boolean;
    readonly isLeft: boolean;
    readonly isGuarding: boolean;
    readonly isBrief: boolean;
    askToStop(reason: "closed"): void;
    guard(): () => void;
  };
  /** Makes sure that from now on it is neither renewed nor given back. */
  leaveToRunOut(): void;
  release(): Promise<boolean>;
}

/** What one mutex holds, and what it is about to hold: a close waits for the end of both. */
export class Holdings {
  readonly #leases = new Set<Held>();
  #arriving = 0;
  #waiting: (() => void)[] = [];

  /** What has not ended yet. */
  get leases(): readonly Held[] {
    return [...this.#leases];
  }

  /** Whether a call that acquires or restores has not come to its end. */
  get areArriving(): boolean {
    return this.#arriving > 0;
  }

  add(lease: Held): void {
    this.#leases.add(lease);
  }

  delete(lease: Held): void {
    this.#leases.delete(lease);
    this.noteChange();
  }

  /** Runs a call that may bring a lease. */
  async arriving<T>(call: () => Promise<T>): Promise<T> {
    this.#arriving += 1;
    try {
      return await call();
    } finally {
      this.#arriving -= 1;
      this.noteChange();
    }
  }

  /** Notes that something has ended, or is being given back. */
  noteChange(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const checkAgain of waiting) checkAgain();
  }

  /** Resolves when the condition is true. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
