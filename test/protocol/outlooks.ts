import fc from "fast-check";
import { type Outlook, type Pace, paceOf, pollDelayMs } from "../../src/core/schedule/polling.js";
import { recordOf, T0, turnOf } from "./samples.js";

export const NEVER = Number.POSITIVE_INFINITY;

/** Makes what a waiter knows, by default at the head of a queue, a second into a hold, 20 ms from the store. */
export function outlookOf(changes: Partial<Outlook> = {}): Outlook {
  const usual = { position: 0, followers: 0, holdAgeMs: 1000, lastHoldMs: 0, takeoverPollMs: NEVER, pace: undefined };
  return { ...usual, roundTripMs: 20, isEnqueued: true, random: 0, ...changes };
}

/** Gives the pace of turns that took so long. */
export function paceOfHolds(...holds: readonly number[]): Pace | undefined {
  return paceOf(recordOf({ recent: holds.map((ms) => turnOf({ fromMs: T0, toMs: T0 + ms })) }));
}

const DAY_MS = 86_400_000;
const duration = (max: number) => fc.double({ min: 0, max, noNaN: true });
const anyPace = fc.option(
  fc.array(duration(DAY_MS), { minLength: 1, maxLength: 8 }).map((holds) => paceOfHolds(...holds)),
  { nil: undefined },
);
/** Anything that a waiter may be looking at. */
export const anyOutlook = fc.record({
  position: fc.nat({ max: 100 }),
  followers: fc.nat({ max: 63 }),
  holdAgeMs: duration(DAY_MS),
  lastHoldMs: duration(DAY_MS),
  takeoverPollMs: fc.oneof(fc.double({ min: 1, max: 1e9, noNaN: true }), fc.constant(NEVER)),
  roundTripMs: duration(5000),
  pace: anyPace,
  isEnqueued: fc.boolean(),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

/** Lists the ages of a hold at which a waiter at this position asks for it, until it has that age. */
export function pollsOf(changes: Partial<Outlook>, untilMs: number): number[] {
  const ages: number[] = [];
  // Each comes at some other moment.
  let ageMs = changes.holdAgeMs ?? 0;
  while (ageMs < untilMs) {
    ageMs += pollDelayMs(outlookOf({ ...changes, holdAgeMs: ageMs }));
    ages.push(ageMs);
  }
  return ages;
}
