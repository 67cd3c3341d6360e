import type { LockRecord } from "../../core/record.js";
import { paceOf, pollDelayMs, takeoverPollMs } from "../../core/schedule/polling.js";
import { type Context, jitter } from "../base/context.js";

/** Tells what a record says about the present hold, by this process's clocks. */
export function presentHold({ clock, toleranceMs }: Context, record: LockRecord | undefined) {
  const now = clock.now();
  const holders = record?.holders ?? [];
  const ends = holders.map((holder) => holder.expiresAtMs + toleranceMs);
  const starts = holders.map((holder) => holder.acquiredAtMs);
  return {
    holdAgeMs: now === undefined || holders.length === 0 ? 0 : Math.max(0, now.latestMs - Math.min(...starts)),
    takeoverPollMs: now === undefined ? 1 : takeoverPollMs(ends.map((endMs) => endMs - now.earliestMs)),
  };
}

/** Says how long a waiter leaves the store alone, by the plan in `core/schedule/polling.ts`. */
export function delayBeforePollMs(
  context: Context,
  record: LockRecord | undefined,
  turnsAhead: number,
  isEnqueued: boolean,
): number {
  const last = record?.recent[0];
  return pollDelayMs({
    position: turnsAhead,
    followers: Math.max(0, (record?.queue.length ?? 0) - turnsAhead - 1),
    ...presentHold(context, record),
    lastHoldMs: last === undefined ? 0 : Math.max(0, last.toMs - last.fromMs),
    roundTripMs: context.clock.usualRoundTripMs,
    pace: record === undefined ? undefined : paceOf(record),
    isEnqueued,
    random: jitter(context),
  });
}

/** How often a resting waiter asks itself whether it still may; that costs no request. */
export const RECONSIDER_MS = 500;
