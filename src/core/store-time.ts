/**
 * Store time: what is known here about the clock that the store's `Date` header shows.
 *
 * Each answer bounds the offset between that clock and the local monotonic one: the store wrote `Date` (whole seconds,
 * rounded down) after the request left and before the answer came, so
 * `date - received < offset < date + 1 s - sent`. Bounds of several answers are intersected and narrow to about a round
 * trip. Rules 9.1 and 9.2 of the design are here.
 */

/** What one answer showed; all in milliseconds, `sentAtMs` and `receivedAtMs` on the monotonic clock. */
export interface Observation {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly dateMs: number;
}

/** Both local clocks, read at one moment. */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Bounds of `store clock - monotonic clock`, as they were when the monotonic clock showed `atMs`. */
export interface OffsetBounds {
  readonly lowMs: number;
  readonly highMs: number;
  readonly atMs: number;
  /** Set when answers contradicted each other: until then bounds only widen, since front ends disagree. */
  readonly hullUntilMs?: number;
}

/** The store's clock lies between these; equal when the local wall clock is believed. Epoch milliseconds. */
export interface StoreTime {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** `Date` has whole seconds, and servers that cache its text renew it a little late: the true time is less than this later. */
const DATE_RESOLUTION_MS = 1000 + 50;
/** How far a monotonic clock may run from the store's: 200 ppm, twice what quartz oscillators are sold with. */
const DRIFT_PER_MS = 200e-6;
/** After a contradiction bounds only widen for this long: a second front end will be met again. */
const HULL_MS = 10 * 60 * 1000;
/** Wall and monotonic clock may part by this much (plus drift) before it counts as a step or a suspension. */
const STEP_MS = 100;

/** What is known after one more answer, and whether that answer contradicts what was known before. */
export function observe(
  bounds: OffsetBounds | undefined,
  observation: Observation,
  reading: ClockReading,
): { readonly bounds: OffsetBounds; readonly contradicted: boolean } {
  const seen = {
    lowMs: observation.dateMs - observation.receivedAtMs,
    highMs: observation.dateMs + DATE_RESOLUTION_MS - observation.sentAtMs,
    atMs: reading.monotonicMs,
  };
  if (bounds === undefined) return { bounds: seen, contradicted: false };
  const known = widened(bounds, reading.monotonicMs);
  const contradicted = seen.lowMs > known.highMs || seen.highMs < known.lowMs;
  const hullUntilMs = contradicted ? reading.monotonicMs + HULL_MS : bounds.hullUntilMs;
  if (hullUntilMs === undefined || hullUntilMs < reading.monotonicMs) {
    const lowMs = Math.max(known.lowMs, seen.lowMs);
    const highMs = Math.min(known.highMs, seen.highMs);
    return { bounds: { ...seen, lowMs, highMs }, contradicted };
  }
  const lowMs = Math.min(known.lowMs, seen.lowMs);
  const highMs = Math.max(known.highMs, seen.highMs);
  return { bounds: { ...seen, lowMs, highMs, hullUntilMs }, contradicted };
}

/**
 * Whether the local clocks moved differently between two readings: the machine was suspended or a clock was set. Bounds from
 * before are of no use then; a read brings new ones.
 */
export function haveParted(from: ClockReading, to: ClockReading): boolean {
  const monotonicElapsed = to.monotonicMs - from.monotonicMs;
  const wallElapsed = to.wallMs - from.wallMs;
  return Math.abs(wallElapsed - monotonicElapsed) > STEP_MS + Math.abs(monotonicElapsed) * DRIFT_PER_MS * 5;
}

/**
 * Store time at a moment. The wall clock is used as it is while it lies inside the bounds (it is assumed right to half the
 * tolerance then); outside of them it is not believed at all, and never clamped to the nearer one. Nor is it while front ends
 * are known to disagree: between their clocks, nobody knows which wall clock is right.
 */
export function storeTimeAt(bounds: OffsetBounds, reading: ClockReading): StoreTime {
  const known = widened(bounds, reading.monotonicMs);
  const earliestMs = reading.monotonicMs + known.lowMs;
  const latestMs = reading.monotonicMs + known.highMs;
  const isTrusted = bounds.hullUntilMs === undefined;
  if (isTrusted && earliestMs <= reading.wallMs && reading.wallMs <= latestMs) {
    return { earliestMs: reading.wallMs, latestMs: reading.wallMs };
  }
  return { earliestMs: Math.floor(earliestMs), latestMs: Math.ceil(latestMs) };
}

/** Milliseconds that have passed between two readings, as a holder counts them: the larger of both clocks. */
export function elapsedForHolder(from: ClockReading, to: ClockReading): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}

/** The same as an observer of somebody else's lease counts them: the smaller of both clocks. */
export function elapsedForObserver(from: ClockReading, to: ClockReading): number {
  return Math.min(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}

function widened(bounds: OffsetBounds, atMs: number): { lowMs: number; highMs: number } {
  const drift = Math.abs(atMs - bounds.atMs) * DRIFT_PER_MS;
  return { lowMs: bounds.lowMs - drift, highMs: bounds.highMs + drift };
}
