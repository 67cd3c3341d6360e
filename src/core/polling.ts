import { headPollMs } from "./queue.js";

/** What a waiter knows when it decides when to look again; all in milliseconds. */
export interface Outlook {
  /** Live waiters ahead. */
  readonly position: number;
  /** How long the present holder has had the lock; 0 while nobody has it. */
  readonly holdAgeMs: number;
  /** Until the present lease could be taken over. */
  readonly untilTakeoverMs: number;
  readonly roundTripMs: number;
  /** Whether the record has an entry of ours, so that others keep our place. */
  readonly isEnqueued: boolean;
  /** A number in [0, 1). */
  readonly random: number;
}

/**
 * How long to wait before looking again: quickly at first, at most about a tenth of the hold's age later, less often the
 * further back; and just when the lease of a holder that does not renew could be taken over.
 */
export function pollDelayMs(outlook: Outlook): number {
  const base = headPollMs(outlook.holdAgeMs) * (1 + outlook.position / 2) * (outlook.isEnqueued ? 1 : 2);
  const jittered = Math.max(base, outlook.roundTripMs / 2) * (0.8 + 0.2 * outlook.random);
  return Math.max(1, Math.min(jittered, Math.max(outlook.untilTakeoverMs, 0) + 1));
}
