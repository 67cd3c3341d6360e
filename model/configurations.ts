import { type ClientPlan, type Configuration, NO_TROUBLE } from "./configuration.js";
import { TICK_MS } from "./state.js";

const LEASE_MS = 2 * TICK_MS;
const TOLERANCE_MS = TICK_MS;
/**
 * How far a wall clock that is believed may be off: half the tolerance, and as much again as the holder's guard (a fiftieth
 * of the lease) is there to absorb in drift, less a millisecond. So whole seconds are enough to meet the edge.
 */
const OFF_MS = TOLERANCE_MS / 2 + LEASE_MS / 100 - 1;

const FAST = clientOff(OFF_MS, OFF_MS);
const SLOW = clientOff(-OFF_MS, -OFF_MS);
const EXACT = clientOff(0, 0);
/** Nothing is known but bounds, a second to either side. */
const BOUNDED = clientOff(-TICK_MS, TICK_MS);
const OPERATOR: ClientPlan = { ...EXACT, kind: "operator" };

function clientOff(earliestMs: number, latestMs: number): ClientPlan {
  return { kind: "client", acquisitions: 1, priority: 0, earliestMs, latestMs };
}

function times(acquisitions: number, plan: ClientPlan): ClientPlan {
  return { ...plan, acquisitions };
}

const BASE = {
  leaseMs: LEASE_MS,
  toleranceMs: TOLERANCE_MS,
  entryLifeMs: undefined,
  removal: undefined,
  promises: "all",
  symmetric: false,
  depth: 60,
} as const;

/** A request lives for less than two seconds, and an object is removed after two at rest. */
const REMOVAL = { restMs: 2 * TICK_MS, requestLifeTicks: 2 };

export const CONFIGURATIONS: readonly Configuration[] = [
  { ...BASE, name: "1 alone", says: "", clients: [SLOW], budget: { ...NO_TROUBLE} },
  { ...BASE, name: "1 alone lost", says: "", clients: [SLOW], budget: { ...NO_TROUBLE, lost: 1} },
  { ...BASE, name: "1x1 no trouble", says: "", clients: [SLOW, FAST], budget: { ...NO_TROUBLE } },
  { ...BASE, name: "1x1 lost1", says: "", clients: [SLOW, FAST], budget: { ...NO_TROUBLE, lost: 1 } },
  { ...BASE, name: "1x1 lost1 crash give", says: "", clients: [SLOW, FAST], budget: { ...NO_TROUBLE, lost: 1, crash: 1, giveUp: 1 } },
];
