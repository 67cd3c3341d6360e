import type { StoreTime } from "../src/core/store-time.js";
import { type Client, TICK_MS, type World } from "./state.js";
import type { Subject } from "./subject.js";

/** What a client knows of the store's clock, and how far its own is off. */
export interface Clock {
  readonly says: string;
  /** How far the wall clock is ahead. */
  readonly wallMs: number;
  /** How far the bounds that the store's answers have left reach before and after the true time. */
  readonly earlyMs: number;
  readonly lateMs: number;
  /** Answers have contradicted each other: only the bounds of all of them are left, and no wall clock is believed. */
  readonly disputed?: true;
}

/** Tells store time now, as the real core takes it from these bounds and this wall clock. */
export function storeTimeOf({ storeTimeAt }: Subject, clock: Clock, { now }: World, { lagMs }: Client): StoreTime {
  const trueMs = now * TICK_MS;
  const monotonicMs = trueMs - lagMs;
  const offsetMs = trueMs - monotonicMs;
  const bounds = { lowMs: offsetMs - clock.earlyMs, highMs: offsetMs + clock.lateMs, atMs: monotonicMs };
  const agreement = { lowMs: bounds.lowMs, highMs: bounds.highMs, sinceMs: monotonicMs, answers: 1 };
  const reading = { monotonicMs, wallMs: trueMs + clock.wallMs };
  return storeTimeAt(clock.disputed ? { ...bounds, agreement } : bounds, reading);
}

/**
 * Tells it relative to the true time, as the documentation has it, for checkers, which ask nothing of core: where the wall clock lies
 * within the bounds it is believed, and otherwise the bounds are, up to a second later for a `Date` that is late.
 */
export function rangeOf({ wallMs, earlyMs, lateMs, disputed }: Clock): StoreTime {
  if (!disputed && -earlyMs <= wallMs && wallMs <= lateMs) return { earliestMs: wallMs, latestMs: wallMs };
  return { earliestMs: -earlyMs, latestMs: lateMs + LATE_MS };
}

/** Says what it takes for store time at the earliest and at the latest, whichever of these it knows. */
export function widestOf(clocks: readonly Clock[]): StoreTime {
  const ranges = clocks.map(rangeOf);
  return {
    earliestMs: Math.min(...ranges.map(({ earliestMs }) => earliestMs)),
    latestMs: Math.max(...ranges.map(({ latestMs }) => latestMs)),
  };
}

/** Says how far what it publishes by may be behind the true time, whichever of these it knows. */
export function behindMs(clocks: readonly Clock[]): number {
  return Math.max(0, ...clocks.map((clock) => -rangeOf(clock).latestMs));
}

/** Says how far what it judges others by may be ahead of the true time. */
export function aheadMs(clocks: readonly Clock[]): number {
  return Math.max(0, ...clocks.map((clock) => rangeOf(clock).earliestMs));
}

const LATE_MS = 1000;
