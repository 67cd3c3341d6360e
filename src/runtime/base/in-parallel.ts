import type { Effects } from "./effects.js";
import { settledWithin } from "./timing.js";

/** Does something about each of them, so many at a time. After a failure nothing more is begun; it is thrown when all has ended. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (let next = queue.next(); !next.done && failure === undefined; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
}

/**
 * The callers of one process who have one attempt each ask one after the other: of writes that are sent at once all but one are
 * refused, and 250 of them would take 12,000 requests. Where nothing comes of that for a while, as with a request that hangs, those
 * who wait ask side by side.
 */
export class OneAfterAnother {
  readonly #effects: Effects;
  #last: Promise<unknown> | undefined;
  #size = 0;
  #progressAtMs = 0;

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  /** Asks when all who came before have been answered, or none of them was for so many milliseconds. */
  async inTurn<Result>(stuckAfterMs: () => number, ask: () => Promise<Result>): Promise<Result> {
    const before = this.#last;
    if (this.#size === 0) this.#progressAtMs = this.#effects.monotonicMs();
    this.#size += 1;
    const asking = this.#askAfter(before, stuckAfterMs, ask);
    // Who goes ahead of one that hangs must not let all others go ahead of it.
    this.#last = Promise.allSettled([before, asking]);
    try {
      return await asking;
    } finally {
      this.#size -= 1;
      this.#progressAtMs = this.#effects.monotonicMs();
      if (this.#size === 0) this.#last = undefined;
    }
  }

  async #askAfter<Result>(
    before: Promise<unknown> | undefined,
    stuckAfterMs: () => number,
    ask: () => Promise<Result>,
  ): Promise<Result> {
    while (before !== undefined) {
      const leftMs = this.#progressAtMs + stuckAfterMs() - this.#effects.monotonicMs();
      if (leftMs <= 0 || (await settledWithin(this.#effects, before, leftMs))) break;
    }
    return ask();
  }
}
