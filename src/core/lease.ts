import { type ClockReading, elapsedForHolder } from "./store-time.js";

/**
 * The part of a lease that its holder does not use: what the clocks of holder and store may run apart while it lasts. A
 * fiftieth is a hundred times what quartz does; half a second is enough for any length.
 */
export function guardMs(leaseMs: number): number {
  return Math.min(leaseMs / 50, 500);
}

/**
 * How long a holder may still believe in its lease. It counts on its own clocks from the reading that went into the
 * published expiry, before the request was sent; the larger of both clocks, since one may have stood still.
 */
export function remainingMs(leaseMs: number, from: ClockReading, now: ClockReading): number {
  return usableMs(leaseMs) - elapsedForHolder(from, now);
}

/** What a holder has of a lease at most. */
export function usableMs(leaseMs: number): number {
  return leaseMs - guardMs(leaseMs);
}

/** When to renew, in milliseconds from that reading. */
export function renewAfterMs(leaseMs: number): number {
  return leaseMs / 3;
}
