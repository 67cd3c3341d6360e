import type { ProbeOutcome } from "./probe-answer.js";

/** What came of a write: `open` where that was given up without an answer, so that it may be done later. */
export type WriteEnd = "done" | "not done" | "open";

/** All writes of the examination: what they may have left in the bucket, and what may still land after that was removed. */
export class Writes {
  readonly #underWay = new Map<Promise<WriteEnd>, string>();
  readonly #givenUp = new Set<string>();
  readonly #done = new Set<string>();

  /** Notes a write, and what comes of it once nothing is waited for any more. */
  note(key: string, ending: Promise<WriteEnd>): void {
    this.#underWay.set(ending, key);
    const end = (what: WriteEnd) => {
      this.#underWay.delete(ending);
      if (what === "open") this.#givenUp.add(key);
      if (what === "done") this.#done.add(key);
    };
    ending.then(end, () => end("open"));
  }

  /** Waits until those under way are over, each within its time-out. */
  async over(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.keys());
  }

  /** Of those under way. */
  get pending(): ReadonlySet<string> {
    return new Set(this.#underWay.values());
  }

  /** Of those that were given up without an answer. */
  get givenUp(): ReadonlySet<string> {
    return this.#givenUp;
  }

  /** Tells which of these keys an object may be under: a write of it was done, or its answer does not say that it was not. */
  mayHold(keys: Iterable<string>): string[] {
    const { pending } = this;
    return [...keys].filter((key) => this.#done.has(key) || this.#givenUp.has(key) || pending.has(key));
  }
}

/**
 * Tells what came of a write by its answer. One that has not left this process is not done, nor is one that was turned away; 412 may be the
 * answer to a request that was sent a second time on the way, and an error or a page says nothing.
 */
export function endOf(outcome: ProbeOutcome): WriteEnd {
  if (outcome.kind === "refused" || (outcome.kind === "unknown" && !outcome.sent)) return "not done";
  return outcome.kind === "unknown" && outcome.timing === undefined ? "open" : "done";
}
