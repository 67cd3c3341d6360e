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
  /** Set since answers contradicted each other: front ends disagree, or one answer was wrong, and bounds only widen. */
  readonly agreement?: Agreement;
}

/** The latest answers in a row that do not contradict each other by much, and the bounds that they leave. */
export interface Agreement {
  readonly lowMs: number;
  readonly highMs: number;
  readonly sinceMs: number;
  readonly answers: number;
  /** Some of them contradict each other by no more than late text explains: then the bounds are all that any of them leaves. */
  readonly isLoose?: boolean;
}

/** The store's clock lies between these; equal when the local wall clock is believed. Epoch milliseconds. */
export interface StoreTime {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** `Date` has whole seconds, and is written a little before the answer leaves: mostly the true time is less than this later. */
const DATE_RESOLUTION_MS = 1000 + 50;
/**
 * Servers that keep the header's text for up to a second send it up to two seconds late. The upper bound allows for that where it
 * is all there is to publish by; a wall clock has to fit the narrower one, or more of those that are wrong would be believed.
 */
const LATE_TEXT_MS = 1000 - 50;
/** How fast the wall clock may part from the monotonic one unsuspected: NTP slews it by 500 ppm, and twice that is not a suspension. */
const PARTING_PER_MS = 1000e-6;
/** How far a monotonic clock may run from the store's: 200 ppm, twice what quartz oscillators are sold with. */
const DRIFT_PER_MS = 200e-6;
/**
 * After a contradiction bounds only widen until so many answers in a row have agreed, for so long: a second front end would have
 * been met again, and one answer that was wrong does not keep a process from taking over.
 */
const AGREED_ANSWERS = 5;
/** The answers of a moment may all come from one front end, over connections that are kept for some seconds. */
const AGREED_MS = 10_000;
/** Wall and monotonic clock may part by this much (plus drift) before it counts as a step or a suspension. */
const STEP_MS = 100;

/** Says what is known after one more answer, and whether that answer contradicts what was known before. */
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
  const { atMs } = seen;
  const known = widened(bounds, bounds.atMs, atMs);
  const contradicted = areApart(seen, known);
  if (!contradicted && bounds.agreement === undefined)
    return { bounds: { ...intersection(known, seen), atMs }, contradicted };
  const agreement = agreementWith(seen, bounds);
  if (agreement.answers >= AGREED_ANSWERS && atMs - agreement.sinceMs >= AGREED_MS) {
    const { lowMs, highMs } = agreement;
    const next = agreement.isLoose ? { agreement: firstOf(seen) } : {};
    return { bounds: { lowMs, highMs, atMs, ...next }, contradicted };
  }
  return { bounds: { ...hull(known, seen), atMs, agreement }, contradicted };
}

/** Adds one more answer to what the latest ones agree on: it joins them, or is the first of others. */
function agreementWith(seen: Seen, { agreement, atMs }: OffsetBounds): Agreement {
  if (agreement === undefined) return firstOf(seen);
  const former = widened(agreement, atMs, seen.atMs);
  if (areApart(seen, former, LATE_TEXT_MS)) return firstOf(seen);
  const { sinceMs, answers } = agreement;
  if (agreement.isLoose || areApart(seen, former)) {
    return { ...hull(former, seen), sinceMs, answers: answers + 1, isLoose: true };
  }
  return { ...intersection(former, seen), sinceMs, answers: answers + 1 };
}

function firstOf({ lowMs, highMs, atMs }: Seen): Agreement {
  return { lowMs, highMs, sinceMs: atMs, answers: 1 };
}

/**
 * Says whether the local clocks moved differently between two readings: the machine was suspended or a clock was
 * set. Bounds from before are of no use then; a read brings new ones.
 */
export function haveParted(from: ClockReading, to: ClockReading): boolean {
  const monotonicElapsed = to.monotonicMs - from.monotonicMs;
  const wallElapsed = to.wallMs - from.wallMs;
  return Math.abs(wallElapsed - monotonicElapsed) > STEP_MS + Math.abs(monotonicElapsed) * PARTING_PER_MS;
}

/**
 * Tells store time at a moment. The wall clock is used as it is while it lies inside the bounds (it is assumed right to
 * half the tolerance then); outside of them it is not believed at all, and never clamped to the nearer one. Nor is it
 * while front ends are known to disagree: between their clocks, it is not known which wall clock is right.
 */
export function storeTimeAt(bounds: OffsetBounds, reading: ClockReading): StoreTime {
  const known = widened(bounds, bounds.atMs, reading.monotonicMs);
  const earliestMs = reading.monotonicMs + known.lowMs;
  const latestMs = reading.monotonicMs + known.highMs;
  const isTrusted = bounds.agreement === undefined;
  if (isTrusted && earliestMs <= reading.wallMs && reading.wallMs <= latestMs) {
    return { earliestMs: reading.wallMs, latestMs: reading.wallMs };
  }
  return { earliestMs: Math.floor(earliestMs), latestMs: Math.ceil(latestMs) + LATE_TEXT_MS };
}

/** Counts milliseconds that have passed between two readings, as a holder does: the larger of both clocks. */
export function elapsedForHolder(from: ClockReading, to: ClockReading): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}

/** Counts the same as an observer of another client's lease does: the smaller of both clocks. */
export function elapsedForObserver(from: ClockReading, to: ClockReading): number {
  return Math.min(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs);
}

interface Interval {
  readonly lowMs: number;
  readonly highMs: number;
}

interface Seen extends Interval {
  readonly atMs: number;
}

/** Says whether two intervals are further apart than that. */
function areApart(one: Interval, other: Interval, byMs = 0): boolean {
  return one.lowMs > other.highMs + byMs || one.highMs + byMs < other.lowMs;
}

function hull(one: Interval, other: Interval): Interval {
  return { lowMs: Math.min(one.lowMs, other.lowMs), highMs: Math.max(one.highMs, other.highMs) };
}

function intersection(one: Interval, other: Interval): Interval {
  return { lowMs: Math.max(one.lowMs, other.lowMs), highMs: Math.min(one.highMs, other.highMs) };
}

/** Widens bounds that were right at one time to what is left of them at another: clocks drift. */
function widened({ lowMs, highMs }: Interval, fromMs: number, atMs: number): Interval {
  const drift = Math.abs(atMs - fromMs) * DRIFT_PER_MS;
  return { lowMs: lowMs - drift, highMs: highMs + drift };
}
