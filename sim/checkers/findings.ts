/** What a run did wrong: the property, and what was seen. */
export interface Finding {
  readonly property: string;
  readonly detail: string;
  /** Virtual seconds since the run began. */
  readonly atSeconds: number;
}

/** Collects findings; the first one is the one to look at, so only a few are kept. */
export class Findings {
  readonly found: Finding[] = [];
  readonly #now: () => number;
  readonly #startedAtMs: number;
  /** Called for each, kept or not. */
  onFinding: (finding: Finding) => void = () => {};

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  report(property: string, detail: string): void {
    const atSeconds = Math.round(this.#now() - this.#startedAtMs) / 1000;
    const finding = { property, detail, atSeconds };
    this.onFinding(finding);
    if (this.found.length < KEPT) this.found.push(finding);
  }
}

const KEPT = 5;
