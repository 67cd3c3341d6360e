import type { Holder } from "./record.js";
import { type ClockReading, elapsedForHolder, type StoreTime } from "./store-time.js";

/**
 * Gives the part of a lease that its holder does not use: what the clocks of holder and store may run apart while
 * it lasts. A fiftieth is a hundred times what quartz does; half a second is enough for any length.
 */
export function guardMs(leaseMs: number): number {
  return Math.min(leaseMs * GUARD_SHARE, GUARD_MAX_MS);
}

/** A hundred times what quartz does, which drifts by 200 parts in a million at worst. */
const GUARD_SHARE = 1 / 50;
/** 42 minutes of such a drift: clocks are put right more often than that. */
const GUARD_MAX_MS = 500;

/**
 * Says how long a holder may still believe in its lease. It counts on its own clocks from the reading that went into the
 * published expiry, before the request was sent; the larger of both clocks, since one may have stood still.
 */
export function remainingMs(leaseMs: number, from: ClockReading, now: ClockReading): number {
  return usableMs(leaseMs) - elapsedForHolder(from, now);
}

/**
 * Says how much of a lease is left by the monotonic clock alone. Where that is more than {@link remainingMs}, the wall
 * clock was set forward, or the monotonic clock stood still while the machine slept: from here it cannot be told.
 */
export function monotonicRemainingMs(leaseMs: number, from: ClockReading, now: ClockReading): number {
  return usableMs(leaseMs) - (now.monotonicMs - from.monotonicMs);
}

/**
 * Says since when a lease counts whose published end assumed the store's clock where it is not: this process was suspended
 * unnoticed, or front ends disagree. What the new bounds leave of the published end is all that may be believed.
 */
export function countedFrom(
  { leaseMs, expiresAtMs }: Pick<Holder, "leaseMs" | "expiresAtMs">,
  reading: ClockReading,
  { clocks, now }: { readonly clocks: ClockReading; readonly now: StoreTime },
): ClockReading {
  const usedMs = leaseMs - (expiresAtMs - now.latestMs);
  const from = { monotonicMs: clocks.monotonicMs - usedMs, wallMs: clocks.wallMs - usedMs };
  return from.monotonicMs < reading.monotonicMs ? from : reading;
}

/**
 * Says how long a holder whose clocks disagree about the end of its lease waits for the store to say whether it
 * still holds: two requests without an answer. It believes nothing meanwhile.
 */
export function longestDoubtMs(leaseMs: number): number {
  return Math.min(leaseMs / 3, DOUBT_MAX_MS);
}

/** Two requests of the longest that one may take (runtime/base/timing.ts). */
const DOUBT_MAX_MS = 10_000;

/** Gives what a holder has of a lease at most. */
export function usableMs(leaseMs: number): number {
  return leaseMs - guardMs(leaseMs);
}

/** Says when to renew, in milliseconds from that reading: two renewals may be lost, and the third still comes in time. */
export function renewAfterMs(leaseMs: number): number {
  return leaseMs / 3;
}
