import type { S3MutexError } from "../../errors.js";
import type { Effects } from "../base/effects.js";

/** So long without any answer, and a call about many objects ends: each of the others would take as long. */
const SILENCE_MS = 20_000;

/** Tells an object that cannot be read from a store that is away, for calls that go through many objects. */
export class Outage {
  readonly #effects: Effects;
  #answeredAtMs: number;

  constructor(effects: Effects) {
    this.#effects = effects;
    this.#answeredAtMs = effects.monotonicMs();
  }

  answered(): void {
    this.#answeredAtMs = this.#effects.monotonicMs();
  }

  /** Notes that one object could not be read. @throws the error, when nothing has been answered for long */
  failed(error: S3MutexError): void {
    if (error.code !== "store-unavailable") return this.answered();
    if (this.#effects.monotonicMs() - this.#answeredAtMs >= SILENCE_MS) throw error;
  }
}
