import type { Counts } from "../messages.js";

/** Adds up what all processes count, those that were killed included. */
export class Figures {
  readonly #counts: Counts = {};

  add(counts: Counts): void {
    for (const [name, value] of Object.entries(counts)) {
      const before = this.get(name);
      this.#counts[name] = name.startsWith("longest ") ? Math.max(before, value) : before + value;
    }
  }

  count(name: string): void {
    this.add({ [name]: 1 });
  }

  get(name: string): number {
    return this.#counts[name] ?? 0;
  }

  /** Lists those whose name starts like this, without that part of it. */
  startingWith(prefix: string): readonly (readonly [string, number])[] {
    return Object.entries(this.#counts)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value] as const)
      .sort(([, one], [, other]) => other - one);
  }
}
