import type { ProbeOutcome } from "./probe-answer.js";

/** Writes that the store has not answered: each of them may land after its object was removed. */
export class UnansweredWrites {
  readonly #underWay = new Map<Promise<boolean>, string>();
  readonly #givenUp = new Set<string>();

  /** Notes a write. `isAnswered`: what it came to, once nothing is waited for any more. */
  note(key: string, isAnswered: Promise<boolean>): void {
    this.#underWay.set(isAnswered, key);
    const end = (isOver: boolean) => {
      this.#underWay.delete(isAnswered);
      if (!isOver) this.#givenUp.add(key);
    };
    isAnswered.then(end, () => end(false));
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
}

/** Says whether nothing of it can follow; one that has not left this process is over, too. */
export function isOver(outcome: ProbeOutcome): boolean {
  return outcome.kind !== "unknown" || outcome.timing !== undefined || !outcome.sent;
}
