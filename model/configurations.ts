import { type ClientPlan, type Configuration, NO_TROUBLE } from "./configuration.js";
import {
  AT_ONE_EDGE,
  AT_THE_OTHER,
  BOUNDED,
  EARLY,
  EDGE_LEASE_MS,
  ENTRY_LIFE_MS,
  EXACT,
  FAST,
  FAST_OPERATOR,
  LATE,
  LEASE_MS,
  LOCAL,
  OPERATOR,
  SLOW,
  TOLERANCE_MS,
  twice,
  URGENT,
  URGENT_LOCAL,
  WRONG,
} from "./plans.js";
import { type Budget, TICK_MS } from "./state.js";

/** A configuration, and how much may go wrong in the short form and in the long one. */
interface Study extends Partial<Omit<Configuration, "budget">> {
  readonly name: string;
  readonly says: string;
  readonly clients: readonly ClientPlan[];
  readonly short: Partial<Budget>;
  readonly long: Partial<Budget>;
}

const QUEUE = { entryLifeMs: ENTRY_LIFE_MS, symmetric: false } as const;
/** A request lives for less than a second, and an object is removed after one at rest. */
const REMOVAL = { removal: { restMs: TICK_MS, requestLifeTicks: 1 } } as const;

const STUDIES: readonly Study[] = [
  {
    name: "one",
    says: "one client, with every trouble that there is",
    clients: [EXACT],
    short: { seconds: 2, slow: 1, lost: 1, twice: 1, refused: 1, crash: 1, giveUp: 1, pause: 1 },
    long: { seconds: 4, slow: 1, lost: 2, twice: 1, refused: 1, crash: 1, giveUp: 1, pause: 1 },
  },
  {
    name: "two",
    says: "two clients, one clock as slow and the other as fast as the tolerance allows",
    clients: [SLOW, FAST],
    short: { seconds: 2, lost: 1 },
    long: { seconds: 4, lost: 2, giveUp: 1 },
  },
  {
    name: "two, crash",
    says: "the same, and a process dies or its caller gives up",
    clients: [SLOW, FAST],
    short: { seconds: 2, crash: 1, giveUp: 1 },
    long: { seconds: 4, lost: 1, crash: 1, giveUp: 1 },
  },
  {
    name: "two, lied to",
    says: "refusals that say nothing (409), 412 after success, answers to reads that are outdated when they come",
    clients: [SLOW, FAST],
    short: { seconds: 1, twice: 1, refused: 1, slow: 1 },
    long: { seconds: 3, twice: 1, refused: 1, slow: 1, giveUp: 1 },
  },
  {
    name: "two, again",
    says: "each client acquires twice",
    clients: [twice(SLOW), twice(FAST)],
    short: { seconds: 2 },
    long: { seconds: 4, lost: 1 },
  },
  {
    name: "two, bounds",
    says: "store time is known exactly to one and within bounds to the other, and there is no tolerance",
    clients: [EXACT, BOUNDED],
    toleranceMs: 0,
    short: { seconds: 5 },
    long: { seconds: 5, lost: 1, crash: 1, giveUp: 1 },
  },
  {
    name: "two, edge",
    says: "wall clocks right at half of the tolerance, and leases that end shortly after a second",
    clients: [AT_ONE_EDGE, AT_THE_OTHER],
    leaseMs: EDGE_LEASE_MS,
    short: { seconds: 2 },
    long: { seconds: 4, lost: 1, giveUp: 1 },
  },
  {
    name: "two, readers",
    says: "the same, and the one whose lease ends shares the lock",
    clients: [{ ...AT_ONE_EDGE, mode: "shared" }, AT_THE_OTHER],
    leaseMs: EDGE_LEASE_MS,
    short: { seconds: 2 },
    long: { seconds: 4, crash: 1, lost: 1 },
  },
  {
    name: "two, what is known",
    says: "store time is known by the wall clock, within narrow bounds, or within wide ones, and that changes; one of them refreshes by name",
    clients: [{ ...LATE, onlyUnexpired: true }, EARLY],
    leaseMs: EDGE_LEASE_MS,
    short: { seconds: 3, clock: 1 },
    long: { seconds: 5, clock: 2, crash: 1 },
  },
  {
    name: "two, swept within bounds",
    says: "the same, and an operator frees what is stale",
    clients: [LATE, EARLY, { ...EARLY, kind: "operator" }],
    leaseMs: EDGE_LEASE_MS,
    short: { seconds: 2, clock: 1, cleanup: 1 },
    long: { seconds: 4, clock: 2, cleanup: 1 },
  },
  {
    ...REMOVAL,
    name: "one, deleted within bounds",
    says: "an operator who knows store time within bounds deletes the lock",
    clients: [twice(EARLY), { ...LATE, kind: "operator" }],
    short: { seconds: 4, clock: 1, delete: 2 },
    long: { seconds: 6, clock: 2, delete: 2, lost: 1 },
  },
  {
    ...QUEUE,
    name: "three, graces",
    says: "the lock comes free, and one of the waiters knows store time within wide bounds",
    clients: [EXACT, EXACT, BOUNDED],
    entryLifeMs: TICK_MS,
    short: {},
    long: { seconds: 2, crash: 1 },
  },
  {
    name: "two, closing",
    says: "a client is closed while it waits, while a grant is under way, or while its function runs, which may outlast the grace",
    clients: [AT_ONE_EDGE, AT_THE_OTHER],
    leaseMs: EDGE_LEASE_MS,
    short: { seconds: 2, close: 1 },
    long: { seconds: 4, close: 2, lost: 1 },
  },
  {
    ...QUEUE,
    name: "three, closing",
    says: "two callers of one process that is closed, and one of another",
    clients: [LOCAL, LOCAL, EXACT],
    short: { close: 1 },
    long: { seconds: 2, close: 1, lost: 1 },
  },
  {
    name: "two, suspended",
    says: "processes are suspended while their monotonic clocks stand still",
    clients: [SLOW, FAST],
    short: { seconds: 3, pause: 1 },
    long: { seconds: 4, pause: 2, lost: 1 },
  },
  {
    name: "two, cleanup",
    says: "an operator frees what is stale",
    clients: [SLOW, FAST, FAST_OPERATOR],
    short: { seconds: 2, cleanup: 1 },
    long: { seconds: 4, cleanup: 1, lost: 1 },
  },
  {
    name: "two, force",
    says: "an operator releases by force: only tokens, and what is left, are promised to the victim",
    clients: [EXACT, EXACT, OPERATOR],
    short: { seconds: 1, force: 1 },
    long: { seconds: 4, force: 2, lost: 1 },
  },
  {
    ...REMOVAL,
    name: "two, deleting",
    says: "the lock is deleted while creates may land late",
    clients: [EXACT, EXACT, OPERATOR],
    short: { seconds: 2, delete: 1 },
    long: { seconds: 4, delete: 1, lost: 1 },
  },
  {
    ...REMOVAL,
    name: "one, deleted twice",
    says: "creates that come twice, tombstones, and two deletions",
    clients: [EXACT, OPERATOR],
    short: { seconds: 3, delete: 2 },
    long: { seconds: 6, delete: 2, lost: 1, twice: 1, giveUp: 1 },
  },
  {
    name: "two, broken clocks",
    says: "clocks are off by more than a lease: nothing but tokens is promised",
    clients: [WRONG, EXACT],
    promises: "tokens",
    short: { seconds: 2, lost: 1 },
    long: { seconds: 4, lost: 1, giveUp: 1 },
  },
  {
    ...QUEUE,
    name: "two, queue",
    says: "waiters have entries in the record",
    clients: [EXACT, EXACT],
    short: { seconds: 1, lost: 1 },
    long: { seconds: 4, lost: 1, giveUp: 1 },
  },
  {
    ...QUEUE,
    name: "two, dead waiter",
    says: "a process dies while it waits, and its entry, which lives for a second, runs out",
    clients: [EXACT, EXACT],
    entryLifeMs: TICK_MS,
    short: { seconds: 2, crash: 1 },
    long: { seconds: 4, crash: 1, lost: 1 },
  },
  {
    ...QUEUE,
    name: "two, transfer",
    says: "two callers of one process pass the lock on to each other",
    clients: [LOCAL, LOCAL],
    short: { lost: 1, giveUp: 1 },
    long: { seconds: 3, lost: 2, giveUp: 1 },
  },
  {
    ...QUEUE,
    name: "three, transfer",
    says: "three callers of one process, one of a higher priority",
    clients: [LOCAL, LOCAL, URGENT_LOCAL],
    short: { lost: 1 },
    long: { seconds: 2, lost: 1, giveUp: 1 },
  },
  {
    name: "three",
    says: "three clients, without a queue; the lease of one expires",
    clients: [SLOW, FAST, FAST],
    short: { seconds: 2 },
    long: { seconds: 4, crash: 1 },
  },
  {
    name: "three, late",
    says: "the same, with writes that are lost or land late, and a client that gives up or dies",
    clients: [SLOW, FAST, FAST],
    short: { lost: 1, giveUp: 1 },
    long: { seconds: 3, lost: 1, giveUp: 1 },
  },
  {
    ...QUEUE,
    name: "three, queue",
    says: "three clients with entries in the record, one of them of a higher priority",
    clients: [EXACT, EXACT, URGENT],
    short: { giveUp: 1 },
    long: { seconds: 2, lost: 1 },
  },
];

export type Form = "short" | "long";

export function configurations(form: Form): readonly Configuration[] {
  return STUDIES.map((study) => configurationOf(study, form));
}

export function configurationNamed(name: string, form: Form = "short"): Configuration {
  const study = STUDIES.find((one) => one.name === name);
  if (study === undefined) throw new Error(`There is no configuration ${JSON.stringify(name)}.`);
  return configurationOf(study, form);
}

function configurationOf({ short, long, ...study }: Study, form: Form): Configuration {
  return {
    leaseMs: LEASE_MS,
    toleranceMs: TOLERANCE_MS,
    entryLifeMs: undefined,
    removal: undefined,
    promises: "all",
    symmetric: true,
    ...study,
    budget: { ...NO_TROUBLE, ...(form === "short" ? short : long) },
  };
}
