import type { Effects } from "./effects.js";
import { MAX_REQUEST_MS, settledWithin } from "./timing.js";

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
 * refused, and 250 of them would take 12,000 requests. A turn that takes long, as with a slow answer, is over for those behind it
 * after a while: then the next one asks beside it, and no more than that one. Only where nothing at all is answered, so that no
 * write is in the way of another, all ask side by side.
 */
export class OneAfterAnother {
  readonly #effects: Effects;
  /** That of the caller who came last. */
  #last: Turn | undefined;
  #size = 0;
  #answeredAtMs = 0;

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  /** Asks when the caller before has been answered, or has had its turn for so many milliseconds. */
  async inTurn<Result>(stuckAfterMs: () => number, ask: () => Promise<Result>): Promise<Result> {
    const before = this.#last;
    if (this.#size === 0) this.#answeredAtMs = this.#effects.monotonicMs();
    this.#size += 1;
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const asking = this.#askAfter(before, stuckAfterMs, () => {
      begin();
      return ask();
    });
    this.#last = { begun, asking };
    try {
      const result = await asking;
      // That a request has failed is not an answer.
      this.#answeredAtMs = this.#effects.monotonicMs();
      return result;
    } finally {
      this.#size -= 1;
      if (this.#size === 0) this.#last = undefined;
    }
  }

  async #askAfter<Result>(
    before: Turn | undefined,
    stuckAfterMs: () => number,
    ask: () => Promise<Result>,
  ): Promise<Result> {
    if (before === undefined) return ask();
    await before.begun;
    const begunAtMs = this.#effects.monotonicMs();
    // What the others are answered meanwhile may show how long one answer takes.
    const leftMs = () => {
      const stuckMs = stuckAfterMs();
      const silentMs = Math.max(MAX_REQUEST_MS, stuckMs);
      return Math.min(begunAtMs + stuckMs, this.#answeredAtMs + silentMs) - this.#effects.monotonicMs();
    };
    for (let waitMs = leftMs(); waitMs > 0; waitMs = leftMs()) {
      if (await settledWithin(this.#effects, before.asking, waitMs)) break;
    }
    return ask();
  }
}

interface Turn {
  readonly begun: Promise<void>;
  readonly asking: Promise<unknown>;
}
