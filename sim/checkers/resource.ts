import type { Findings } from "./findings.js";

/**
 * What a lock protects: a counter that is read and then written one higher. It checks tokens: once it has seen one, it
 * refuses lower ones. Whatever clocks do, no accepted update may be lost.
 */
export class FencedCounter {
  readonly #lock: string;
  readonly #findings: Findings;
  #value = 0;
  #accepted = 0;
  #highest = 0;
  refused = 0;

  constructor(lock: string, findings: Findings) {
    this.#lock = lock;
    this.#findings = findings;
  }

  read(token: number): number | undefined {
    if (token < this.#highest) return undefined;
    this.#highest = token;
    return this.#value;
  }

  write(token: number, value: number): boolean {
    if (token < this.#highest) {
      this.refused += 1;
      return false;
    }
    this.#highest = token;
    this.#value = value;
    this.#accepted += 1;
    if (this.#value !== this.#accepted) {
      this.#findings.report("lost-update", `${this.#lock}: ${this.#accepted} accepted updates, counter ${this.#value}`);
      this.#value = this.#accepted;
    }
    return true;
  }
}
