import { type LostRace, paceOf, pollDelayMs, raceDelayMs } from "../core/polling.js";
import { areCompatible, type Claim, type LockRecord } from "../core/record.js";
import { type Context, jitter } from "./context.js";

/** How long a waiter leaves the store alone, by the plan in `core/polling.ts`. */
export function delayBeforeLookMs(
  context: Context,
  record: LockRecord | undefined,
  turnsAhead: number,
  isEnqueued: boolean,
): number {
  const { clock, toleranceMs } = context;
  const now = clock.now();
  const holders = record?.holders ?? [];
  const ends = holders.map((holder) => holder.expiresAtMs + toleranceMs);
  const starts = holders.map((holder) => holder.acquiredAtMs);
  return pollDelayMs({
    position: turnsAhead,
    holdAgeMs: now === undefined || holders.length === 0 ? 0 : Math.max(0, now.latestMs - Math.min(...starts)),
    untilTakeoverMs: now === undefined ? 0 : Math.min(...ends) - now.earliestMs,
    roundTripMs: clock.roundTripMs,
    pace: record === undefined ? undefined : paceOf(record),
    isEnqueued,
    random: jitter(context),
  });
}

function sightOf(record: LockRecord | undefined, claim: Claim): LostRace["sight"] {
  if (record === undefined) return "absent";
  const { holders, limit } = record;
  if (areCompatible([...holders, claim, claim], limit)) return "open";
  return areCompatible([...holders, claim], limit) ? "free" : "held";
}

/** How long a waiter steps back after somebody else wrote first. */
export function delayAfterRaceMs(
  context: Context,
  record: LockRecord | undefined,
  claim: Claim,
  races: number,
  isEnqueued: boolean,
): number {
  return raceDelayMs({
    races,
    sight: sightOf(record, claim),
    hasPace: record !== undefined && paceOf(record) !== undefined,
    queueLength: record?.queue.length ?? 0,
    isEnqueued,
    roundTripMs: context.clock.roundTripMs,
    random: jitter(context),
  });
}
