const KEPT = 400;
/** Show everything as it happens. */
const IS_SHOWN = process.env["CHAOS_LOG"] === "1";

/** What happened and when; the last of it is what one wants to see when something went wrong. */
export class EventLog {
  readonly #startedMs = performance.now();
  readonly #lines: string[] = [];

  add(text: string): void {
    const line = `${this.clock()}  ${text}`;
    if (IS_SHOWN) console.error(line);
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }

  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Tells the seconds since the start, as they stand in front of every line. */
  clock(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(2).padStart(7)} s`;
  }
}
