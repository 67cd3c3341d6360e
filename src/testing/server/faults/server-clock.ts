/** The clock that the server shows to the world: this machine's, shifted. */
export class ServerClock {
  #offsetMs: number;

  constructor(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }

  /** Tells the server's time in epoch milliseconds. */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }
}

/** Tells the time for durations: it never goes backwards and is not shifted. */
export function monotonicMs(): number {
  return performance.now();
}

/** Timers that can all be cancelled, so that nothing outlives the server. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();
  #closed = false;

  after(delayMs: number, callback: () => void): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      callback();
    }, delayMs);
    this.#pending.add(timer);
  }

  /** Resolves after a time; never when the server is closed first. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
