import type { Clock } from "./clocks.js";
import type { ClientPlan } from "./configuration.js";
import { TICK_MS } from "./state.js";

/** Clients and operators by what they know of the time, and the lengths that go with it. */

export const LEASE_MS = 2 * TICK_MS;
export const TOLERANCE_MS = TICK_MS;
export const ENTRY_LIFE_MS = 3 * TICK_MS;
/**
 * How far a wall clock that is believed may be off: half the tolerance, and as much again as the holder's guard (a fiftieth
 * of the lease) is there to absorb in drift, less a millisecond. So whole seconds are enough to meet the edge.
 */
const OFF_MS = TOLERANCE_MS / 2 + LEASE_MS / 100 - 1;

/** Wall clocks that are as far off as they may be to be right. */
const EDGE_MS = TOLERANCE_MS / 2;
/** A second look after two seconds comes after nine tenths of the tolerance, and before the holder's deadline. */
export const EDGE_LEASE_MS = 2 * TICK_MS + 50;
/** What is added to the later bound, for a `Date` that is late. */
const LATE_TEXT_MS = 950;
const HOUR_MS = 3_600_000;

export const FAST = withClocks(wallOff(OFF_MS));
export const SLOW = withClocks(wallOff(-OFF_MS));
export const EXACT = withClocks(wallOff(0));
/** Nothing is known but bounds: two seconds to either side, as after front ends that contradict each other. */
export const BOUNDED = withClocks(bounds(2 * TICK_MS, 2 * TICK_MS - LATE_TEXT_MS, HOUR_MS));
/** Far beyond what is assumed: it lies within the bounds, and is wrong all the same. */
export const WRONG = withClocks(wallOff(5 * TICK_MS));
export const AT_ONE_EDGE = withClocks(wallOff(-EDGE_MS));
export const AT_THE_OTHER = withClocks(wallOff(EDGE_MS));
/** Right to half of the tolerance where it is believed; at other times only wide bounds are known, and the time is at one end of them. */
export const EARLY = withClocks(wallOff(EDGE_MS), bounds(0, 2 * TICK_MS, 2.5 * TICK_MS), disputed(1.5 * TICK_MS));
export const LATE = withClocks(wallOff(-EDGE_MS), bounds(2 * TICK_MS, 0, -2.5 * TICK_MS), disputed(-1.5 * TICK_MS));
export const URGENT: ClientPlan = { ...EXACT, priority: 1 };
export const OPERATOR: ClientPlan = { ...EXACT, kind: "operator" };
export const FAST_OPERATOR: ClientPlan = { ...FAST, kind: "operator" };
export const LOCAL: ClientPlan = { ...EXACT, process: 1 };
export const URGENT_LOCAL: ClientPlan = { ...LOCAL, priority: 1 };

function withClocks(...clocks: readonly Clock[]): ClientPlan {
  const plain = { kind: "client", mode: "exclusive", onlyUnexpired: false } as const;
  return { ...plain, acquisitions: 1, priority: 0, process: undefined, clocks };
}

/** Makes a clock whose wall clock lies within the bounds, and is believed. */
function wallOff(wallMs: number): Clock {
  const widthMs = Math.max(TICK_MS, Math.abs(wallMs));
  return { says: `the wall clock, ${wallMs} ms ahead`, wallMs, earlyMs: widthMs, lateMs: widthMs };
}

/** Makes one whose wall clock lies beyond the bounds, and is not believed. */
function bounds(earlyMs: number, lateMs: number, wallMs: number): Clock {
  return { says: `bounds of ${-earlyMs} and ${lateMs} ms`, wallMs, earlyMs, lateMs };
}

/** Makes one whose wall clock lies within the bounds, but answers have contradicted each other. */
function disputed(wallMs: number): Clock {
  return { ...bounds(2 * TICK_MS, 2 * TICK_MS, wallMs), says: "disputed bounds of two seconds", disputed: true };
}

export function twice(plan: ClientPlan): ClientPlan {
  return { ...plan, acquisitions: 2 };
}
