import type { ClockReading } from "../core/store-time.js";
import type { WriteCondition } from "../store/object-store.js";

/** What a compare-and-swap reports about the writes that it sends. */
export interface AttemptLog {
  /** A write is about to be sent: until it is answered, it may land at any time. */
  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void;
  /** The write was answered: it has landed, or it never will. */
  answered(writeId: string): void;
  /** The object was seen with this ETag; undefined: there was none. */
  seen(etag: string | undefined): void;
}

/**
 * What one acquisition has sent: the clock reading of each write, from which a lease counts, and which writes may still
 * land although nobody waits for them any more.
 */
export class Attempts implements AttemptLog {
  readonly #readings = new Map<string, ClockReading>();
  readonly #unresolved = new Map<string, WriteCondition>();

  begin(writeId: string, condition: WriteCondition, reading: ClockReading): void {
    this.#readings.set(writeId, reading);
    this.#unresolved.set(writeId, condition);
    if (this.#readings.size > MAX_READINGS) this.#readings.delete(this.#readings.keys().next().value as string);
  }

  answered(writeId: string): void {
    this.#unresolved.delete(writeId);
  }

  /** A write conditioned on any other version of a present object is dead; where there is no object nothing is. */
  seen(etag: string | undefined): void {
    if (etag === undefined) return;
    for (const [writeId, condition] of this.#unresolved) {
      if (condition.kind === "if-absent" || condition.etag !== etag) this.#unresolved.delete(writeId);
    }
  }

  /** The clocks as they were when this write's transition was computed. */
  readingOf(writeId: string): ClockReading | undefined {
    return this.#readings.get(writeId);
  }

  get haveUnresolved(): boolean {
    return this.#unresolved.size > 0;
  }
}

/** Far more writes than one lease has time for; readings older than that cannot matter. */
const MAX_READINGS = 64;
