/** What a run did wrong: the property, and what was seen. */
export interface Violation {
  readonly property: string;
  readonly detail: string;
  readonly atMs: number;
}

/** Collects violations; the first one is the one to look at, so only a few are kept. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  report(property: string, detail: string): void {
    if (this.violations.length < 5) this.violations.push({ property, detail, atMs: this.#now() });
  }
}
