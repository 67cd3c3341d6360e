/** Counts what is under way, so that a test can wait until the server has come to rest. */
export class Pending {
  #count = 0;
  #isOver = false;
  #waiters: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count === 0) this.#release();
  }

  settled(): Promise<void> {
    return this.#count === 0 || this.#isOver
      ? Promise.resolve()
      : new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Lets all waiting requests go, for when the server is closed and nothing more will happen. */
  close(): void {
    this.#isOver = true;
    this.#release();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
