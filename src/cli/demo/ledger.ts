import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

/**
 * The thing to protect: a file in which every line has to say the number of the line before it plus one. A worker that adds a
 * line reads the last one first, so two that read the same line overwrite each other's work: the count falls behind.
 *
 * It also does what every protected resource should: it remembers the highest fencing token it has seen, in reads as well
 * as in writes, and refuses a write with a lower one. Check and write are one step, since nothing else runs in between.
 */
export class Ledger {
  readonly #path: string;
  #last = 0;
  #highestToken = 0;

  constructor(path: string) {
    this.#path = path;
    writeFileSync(path, "");
  }

  get highestToken(): number {
    return this.#highestToken;
  }

  /** Gives the number in the last line. */
  read(token: number | undefined): number {
    this.#highestToken = Math.max(this.#highestToken, token ?? 0);
    return this.#last;
  }

  /** Appends a line; false when a worker with a newer token has been here; without a token, every worker is believed. */
  append(number: number, token: number | undefined): boolean {
    if (token !== undefined && token < this.#highestToken) return false;
    this.#highestToken = Math.max(this.#highestToken, token ?? 0);
    appendFileSync(this.#path, `${number}\n`);
    this.#last = number;
    return true;
  }

  /** Counts in the file itself: it has as many lines as there were updates, and its last line says how many survived. */
  tally(): Tally {
    const lines = readFileSync(this.#path, "utf8").trimEnd().split("\n").filter(Boolean);
    const updates = lines.length;
    return { updates, lost: updates - Number(lines.at(-1) ?? 0) };
  }
}

export interface Tally {
  readonly updates: number;
  readonly lost: number;
}
