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
/** Nothing is known but bounds: two seconds to either side, as after front ends that contradict each other. */
const BOUNDED = clientOff(-2 * TICK_MS, 2 * TICK_MS);
/** Far beyond what is assumed. */
const WRONG = clientOff(-4 * TICK_MS, 5 * TICK_MS);
const URGENT: ClientPlan = { ...EXACT, priority: 1 };
const OPERATOR: ClientPlan = { ...EXACT, kind: "operator" };
const FAST_OPERATOR: ClientPlan = { ...FAST, kind: "operator" };

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
  symmetric: true,
} as const;

/** A request lives for less than two seconds, and an object is removed after two at rest. */
const REMOVAL = { restMs: 2 * TICK_MS, requestLifeTicks: 2 };

/** Just enough to show one thing. */
function small(
  name: string,
  changes: Partial<Configuration> & Pick<Configuration, "clients" | "budget">,
): Configuration {
  return { ...BASE, name, says: "small, for mutants", depth: 60, ...changes };
}

export const SMALL = {
  queue: small("small queue", {
    clients: [EXACT, EXACT],
    entryLifeMs: 3 * TICK_MS,
    symmetric: false,
    budget: { ...NO_TROUBLE, seconds: 2, lost: 1, giveUp: 1 },
  }),
  deleting: small("small deleting", {
    clients: [EXACT, EXACT, OPERATOR],
    removal: REMOVAL,
    budget: { ...NO_TROUBLE, seconds: 4, delete: 1 },
  }),
  deletingTwice: small("small deleting twice", {
    clients: [EXACT, OPERATOR],
    removal: REMOVAL,
    budget: { ...NO_TROUBLE, seconds: 4, delete: 2 },
  }),
  overtaking: small("small overtaking", {
    clients: [times(2, EXACT), EXACT],
    entryLifeMs: 3 * TICK_MS,
    symmetric: false,
    budget: { ...NO_TROUBLE, seconds: 1 },
  }),
  slow: small("small slow", {
    clients: [EXACT, EXACT],
    budget: { ...NO_TROUBLE, seconds: 3, slow: 1, lost: 1 },
  }),
  alone: small("one alone", { clients: [EXACT], budget: { ...NO_TROUBLE, lost: 1, refused: 1, giveUp: 1 } }),
  late: small("small late", { clients: [SLOW, FAST], budget: { ...NO_TROUBLE, seconds: 5, lost: 1 } }),
  operator: small("small operator", {
    clients: [SLOW, FAST, FAST_OPERATOR],
    budget: { ...NO_TROUBLE, seconds: 2, cleanup: 1 },
  }),
} as const;

export const CONFIGURATIONS: readonly Configuration[] = [
  {
    ...BASE,
    name: "one",
    says: "one client, twice, with every trouble that there is",
    clients: [times(2, EXACT)],
    budget: { ...NO_TROUBLE, slow: 1, lost: 2, twice: 1, refused: 1, crash: 1, giveUp: 1, pause: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two",
    says: "two clients, one clock as slow and the other as fast as the tolerance allows",
    clients: [SLOW, FAST],
    budget: { ...NO_TROUBLE, seconds: 3, lost: 1, crash: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, lost twice",
    says: "the same, with two answers or requests lost or late",
    clients: [SLOW, FAST],
    budget: { ...NO_TROUBLE, seconds: 3, lost: 2 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, lied to",
    says: "refusals that say nothing (409), 412 after success, answers to reads that are outdated when they come",
    clients: [SLOW, FAST],
    budget: { ...NO_TROUBLE, seconds: 3, twice: 1, refused: 1, slow: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, again",
    says: "each client acquires twice",
    clients: [times(2, SLOW), times(2, FAST)],
    budget: { ...NO_TROUBLE, seconds: 3, lost: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, bounds",
    says: "store time is known exactly to one and within bounds to the other, and there is no tolerance",
    clients: [EXACT, BOUNDED],
    toleranceMs: 0,
    budget: { ...NO_TROUBLE, seconds: 3, lost: 1, crash: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, suspended",
    says: "processes are suspended while their monotonic clocks stand still",
    clients: [SLOW, FAST],
    budget: { ...NO_TROUBLE, seconds: 4, pause: 1, lost: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, operator",
    says: "an operator releases by force and cleans up",
    clients: [SLOW, FAST, FAST_OPERATOR],
    budget: { ...NO_TROUBLE, seconds: 3, force: 1, cleanup: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, deleting",
    says: "the lock is deleted while creates may land late",
    clients: [EXACT, EXACT, OPERATOR],
    removal: REMOVAL,
    budget: { ...NO_TROUBLE, seconds: 4, delete: 1, lost: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "one, deleted twice",
    says: "creates that come twice, tombstones, and two deletions",
    clients: [EXACT, OPERATOR],
    removal: REMOVAL,
    budget: { ...NO_TROUBLE, seconds: 6, delete: 2, lost: 1, twice: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, broken clocks",
    says: "clocks are off by more than a lease: nothing but tokens is promised",
    clients: [WRONG, EXACT],
    promises: "tokens",
    budget: { ...NO_TROUBLE, seconds: 4, lost: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "two, queue",
    says: "waiters have entries in the record",
    clients: [EXACT, EXACT],
    entryLifeMs: 3 * TICK_MS,
    symmetric: false,
    budget: { ...NO_TROUBLE, seconds: 3, lost: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "three",
    says: "three clients, without a queue",
    clients: [SLOW, FAST, FAST],
    budget: { ...NO_TROUBLE, seconds: 3 },
    depth: 60,
  },
  {
    ...BASE,
    name: "three, late",
    says: "three clients, without a queue",
    clients: [SLOW, FAST, FAST],
    budget: { ...NO_TROUBLE, seconds: 3, lost: 1, giveUp: 1 },
    depth: 60,
  },
  {
    ...BASE,
    name: "three, queue",
    says: "three clients with entries in the record, one of them of a higher priority",
    clients: [EXACT, EXACT, URGENT],
    entryLifeMs: 3 * TICK_MS,
    symmetric: false,
    budget: { ...NO_TROUBLE, seconds: 2 },
    depth: 60,
  },
];
