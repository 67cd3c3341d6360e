import { appendFileSync } from "node:fs";
import type { Counts, FromWorker } from "../messages.js";

const REPORT_EVERY_MS = 250;

/** What a worker tells the conductor, a little at a time, since it may be dead the next moment; and what it writes down. */
export class Diary {
  readonly #journalPath: string;
  #counts: Counts = {};

  constructor(journalPath: string) {
    this.#journalPath = journalPath;
    setInterval(() => this.flush(), REPORT_EVERY_MS).unref();
  }

  count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  /** Keeps the longest. The conductor tells these from sums by their first word. */
  countLongest(name: `longest ${string}`, ms: number): void {
    this.#counts[name] = Math.max(this.#counts[name] ?? 0, Math.round(ms));
  }

  /** Tells a text for the event log. */
  note(text: string): void {
    this.tell({ kind: "note", text });
  }

  /** Appends synchronously, so that it is in the file before anything else happens; the file outlives SIGKILL. */
  acknowledged(lockName: string, value: number, token: number): void {
    appendFileSync(this.#journalPath, `${lockName} ${value} ${token}\n`);
  }

  flush(): void {
    if (Object.keys(this.#counts).length > 0) this.tell({ kind: "counts", counts: this.#counts });
    this.#counts = {};
  }

  tell(message: FromWorker): void {
    if (process.connected) process.send?.(message);
  }
}
