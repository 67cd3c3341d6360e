import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";
import type { LeaseClock } from "./lease-clock.js";
import type { Standing } from "./standing.js";

/** What is doubted: a lease. */
interface Doubted {
  readonly isHeld: boolean;
  readonly standing: Standing;
  renew(): Promise<boolean>;
  lose(reason: "store-unavailable"): void;
}

/** The doubt about one lease whose clocks disagree: it is not known to be held, nor to be over, and the store has to say. */
export class Doubt {
  readonly #context: Context;
  readonly #lease: Doubted;
  readonly #clock: LeaseClock;

  constructor(context: Context, lease: Doubted, clock: LeaseClock) {
    this.#context = context;
    this.#lease = lease;
    this.#clock = clock;
  }

  /** Whether there is one at this very moment. */
  get exists(): boolean {
    const { isHeld, standing } = this.#lease;
    return !isHeld && !standing.isOver && !standing.isLeft && !this.#clock.isOver;
  }

  /** Asks the store for as long as there is one: what is to begin under the lease waits for the answer. */
  async settled(): Promise<void> {
    while (this.exists) {
      if (this.#clock.untilLostMs <= 0) return this.#lease.lose("store-unavailable");
      await this.#lease.renew().catch(() => {});
      if (!this.exists) return;
      const pauseMs = Math.max(1, this.#clock.untilRetryMs);
      await sleep(this.#context.effects, pauseMs, { keepAlive: true, signal: this.#lease.standing.quietSignal });
    }
  }
}
