import {
  type ClockReading,
  haveParted,
  type OffsetBounds,
  observe,
  type StoreTime,
  storeTimeAt,
} from "../../core/store-time.js";
import type { AnswerTiming } from "../../store/object-store.js";
import type { Effects } from "./effects.js";
import { readClocks } from "./timing.js";

/** What one client knows of its store's clock; shared by everything that talks through that client. */
export class StoreClock {
  readonly #effects: Effects;
  #bounds: OffsetBounds | undefined;
  #lastReading: ClockReading;
  #steadySinceMs: number;
  /** How many dated answers in a row have not contradicted what the bounds were before them. */
  #witnesses = 0;
  /** How many answers in a row had no `Date`. */
  #datelessInARow = 0;
  /** When the last answer came that said otherwise than those before. */
  #contradictedAtMs = Number.NEGATIVE_INFINITY;
  #roundTripMs = 0;
  #quickestMs = 0;

  constructor(effects: Effects) {
    this.#effects = effects;
    this.#lastReading = readClocks(effects);
    this.#steadySinceMs = this.#lastReading.monotonicMs;
  }

  /** Tells store time now; undefined when an answer is needed first: at the start, and after a suspension or a clock step. */
  now(reading: ClockReading = readClocks(this.#effects)): StoreTime | undefined {
    this.#noteReading(reading);
    if (this.#bounds !== undefined) return storeTimeAt(this.#bounds, reading);
    return this.isDateless ? { earliestMs: reading.wallMs, latestMs: reading.wallMs } : undefined;
  }

  /**
   * Tells store time at this moment of the monotonic clock, lately: when something was asked whose answer was heard later, or much
   * later where the process stood still. What had not ended by then may have been renewed since, and what had ended stays so. For questions:
   * where one answer alone has told the time, and no second one does, the wall clock is as good.
   */
  when(monotonicMs: number): StoreTime | undefined {
    const reading = readClocks(this.#effects);
    const { wallMs } = reading;
    const now = this.isSilent && this.hasOneWitness ? { earliestMs: wallMs, latestMs: wallMs } : this.now(reading);
    const agoMs = reading.monotonicMs - monotonicMs;
    return now && { earliestMs: now.earliestMs - agoMs, latestMs: now.latestMs - agoMs };
  }

  /**
   * The store sends no `Date`, so leases of others can only be watched (`takeover: "observed"`). One answer without says
   * little: a proxy may have lost it.
   */
  get isDateless(): boolean {
    return this.isSilent && this.#bounds === undefined;
  }

  /** All that is known rests on one answer. That the wall clock agrees says nothing about it: both may be wrong by the same hour. */
  get hasOneWitness(): boolean {
    return this.#bounds !== undefined && this.#witnesses < 2;
  }

  /** The same, and the wall clock says otherwise: one of them is wrong, and a second answer tells. */
  get needsWitness(): boolean {
    const now = this.hasOneWitness ? this.now() : undefined;
    return now !== undefined && now.earliestMs < now.latestMs;
  }

  /** All that is known rests on one answer or none, or on answers that contradict each other. */
  get isDoubted(): boolean {
    return this.#witnesses < 2 || this.#bounds?.agreement !== undefined;
  }

  /** There is no store time that a lease can be published by: none is told, or one that is doubted. */
  get lacksStoreTime(): boolean {
    return this.isSilent && this.isDoubted;
  }

  /** The latest answers told no time: one more would hardly do. */
  get isSilent(): boolean {
    return this.#datelessInARow >= DATELESS_ANSWERS;
  }

  /** A smoothed round trip, in milliseconds; 0 before the first answer. For waits that have to be long enough. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /**
   * The same for plans, which have to be about right: a process that has just started, whose first answers take ten times
   * as long as the others, does not keep back as if the store were slow.
   */
  get usualRoundTripMs(): number {
    return Math.min(this.#roundTripMs, USUAL_FACTOR * this.#quickestMs);
  }

  /** About the quickest of late, in milliseconds; one slow answer, or a process that stood still, does not change it much. */
  get quickestRoundTripMs(): number {
    return this.#quickestMs;
  }

  /**
   * Says whether what was known at that moment of the monotonic clock has turned out not to be trusted: the `Date` of any answer since has
   * contradicted it, or the process was suspended while one was under way, so that it is not known when within that time it was written.
   */
  isContradictedSince(monotonicMs: number): boolean {
    return this.#contradictedAtMs > monotonicMs;
  }

  /** Takes note of an answer, whatever it was asked for. */
  observe(timing: AnswerTiming | undefined): void {
    if (timing === undefined) return;
    const reading = readClocks(this.#effects);
    this.#noteReading(reading);
    if (timing.sentAtMs < this.#steadySinceMs) {
      this.#contradictedAtMs = reading.monotonicMs;
      return;
    }
    this.#noteRoundTrip(timing.receivedAtMs - timing.sentAtMs);
    const { dateMs, aged } = timing;
    if (aged) return;
    this.#datelessInARow = dateMs === undefined ? this.#datelessInARow + 1 : 0;
    if (dateMs === undefined) return;
    const { bounds, contradicted } = observe(this.#bounds, { ...timing, dateMs }, reading);
    this.#bounds = bounds;
    // Two that are wrong by different amounts are not two witnesses, and the truth may lie beside both.
    this.#witnesses = contradicted ? 1 : this.#witnesses + 1;
    if (contradicted) this.#contradictedAtMs = reading.monotonicMs;
  }

  /** Voids whatever was learnt before the two clocks parted. */
  #noteReading(reading: ClockReading): void {
    if (haveParted(this.#lastReading, reading)) {
      this.#steadySinceMs = reading.monotonicMs;
      // A store that has told the time is not one without, because of answers from before that told none.
      if (this.#bounds !== undefined) this.#datelessInARow = 0;
      this.#bounds = undefined;
      this.#witnesses = 0;
    }
    this.#lastReading = reading;
  }

  #noteRoundTrip(elapsedMs: number): void {
    this.#quickestMs = this.#quickestMs === 0 ? elapsedMs : Math.min(elapsedMs, this.#quickestMs * 1.1);
    this.#roundTripMs = this.#roundTripMs === 0 ? elapsedMs : this.#roundTripMs * 0.8 + elapsedMs * 0.2;
  }
}

/** Answers of S3 vary; the usual one takes about this many times as long as the quickest. */
const USUAL_FACTOR = 1.25;
/** So many answers without a `Date`, one after the other, are how the store answers. */
const DATELESS_ANSWERS = 3;
