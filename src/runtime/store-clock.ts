import {
  type ClockReading,
  isDisturbed,
  type OffsetBounds,
  observe,
  type StoreTime,
  storeTimeAt,
} from "../core/store-time.js";
import type { AnswerTiming } from "../store/object-store.js";
import type { Effects } from "./effects.js";
import { readClocks } from "./timing.js";

/** What one client knows of its store's clock; shared by everything that talks through that client. */
export class StoreClock {
  readonly #effects: Effects;
  #bounds: OffsetBounds | undefined;
  #dateless = false;
  #roundTripMs = 0;

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  /** Store time now; undefined when an answer is needed first: at the start, and after a suspension or a clock step. */
  now(reading: ClockReading = readClocks(this.#effects)): StoreTime | undefined {
    if (this.#bounds !== undefined && !isDisturbed(this.#bounds, reading)) return storeTimeAt(this.#bounds, reading);
    this.#bounds = undefined;
    return this.#dateless ? { earliestMs: reading.wallMs, latestMs: reading.wallMs } : undefined;
  }

  /** The store sends no `Date`, so leases of others can only be watched (`takeover: "observed"`). */
  get isDateless(): boolean {
    return this.#dateless && this.#bounds === undefined;
  }

  /** A smoothed round trip, in milliseconds; 0 before the first answer. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** Takes note of an answer; true if its `Date` contradicts what was known, so that a reading before it may be wrong. */
  observe(timing: AnswerTiming | undefined): boolean {
    if (timing === undefined) return false;
    this.#noteRoundTrip(timing.receivedAtMs - timing.sentAtMs);
    const { dateMs } = timing;
    if (dateMs === undefined) {
      this.#dateless = true;
      return false;
    }
    this.#dateless = false;
    const { bounds, contradicted } = observe(this.#bounds, { ...timing, dateMs }, readClocks(this.#effects));
    this.#bounds = bounds;
    return contradicted;
  }

  #noteRoundTrip(elapsedMs: number): void {
    this.#roundTripMs = this.#roundTripMs === 0 ? elapsedMs : this.#roundTripMs * 0.8 + elapsedMs * 0.2;
  }
}
