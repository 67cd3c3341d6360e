import type { Findings } from "./findings.js";

/** What is done once is done once: as soon as a task was told its result, none begins it again or is told another one. */
export class OnceChecker {
  readonly #findings: Findings;
  readonly #results = new Map<string, unknown>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Checks, when the function is called for this key, that it was not done before. */
  begun(key: string, who: string): void {
    if (this.#results.has(key)) this.#findings.report("once", `${who} does ${key} again`);
  }

  told(key: string, who: string, result: unknown): void {
    if (this.#results.has(key) && this.#results.get(key) !== result) {
      this.#findings.report("once", `${who} is told ${result} of ${key}, others ${this.#results.get(key)}`);
    }
    this.#results.set(key, result);
  }
}
