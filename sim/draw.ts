import type { ClockFaults } from "../src/testing/virtual/process.js";
import type { Random } from "../src/testing/virtual/random.js";
import { TURNS } from "./actors/registry.js";
import { datePlanOf, datesOf } from "./plan/dates.js";
import { withEdges, withSmallRecords } from "./plan/edges.js";
import { isPossible, PROCESS_FAULTS, REQUEST_FAULTS, type RequestFault, SPELLS } from "./plan/fault-kinds.js";
import type { ClientPlan, Edits, Plan } from "./plan/plan.js";
import { STEPS, type Step } from "./plan/steps.js";

const EXACT: ClockFaults = { wallOffsetMs: 0, drift: 0 };

/** Pairs that are brought about on purpose, one a seed. */
const PAIRS = [...REQUEST_FAULTS, ...PROCESS_FAULTS].flatMap((fault) =>
  STEPS.filter((step) => step !== "between" && isPossible(fault, step)).map((step) => ({ fault, step })),
);

export function planOf(seed: number, random: Random, edits: Edits = {}): Plan {
  const keepsAssumptions = random.chance(0.74);
  const focus = PAIRS[seed % PAIRS.length];
  const hasExactClocks = random.chance(0.3) && focus?.fault !== "wall-step";
  const toleranceMs = 1000;
  const needs1x = focus?.step === "1.x" || focus?.step === "adopt";
  const hasClientOf1x = random.chance(0.15) || needs1x;
  const outage = outageOf(seed, random);
  const count = random.integer(3, 5);
  const clients = Array.from({ length: count }, (_, index): ClientPlan => {
    const kind = hasClientOf1x && index === count - 1 ? "1.x" : "current";
    const clocks = hasExactClocks ? EXACT : clocksOf(random, { keepsAssumptions, is1x: kind === "1.x" }, toleranceMs);
    const restMs = random.pick([50, 300, 1000]);
    const context = random.chance(0.7) ? "own" : random.pick(["shared", "under a lock"] as const);
    const tasks = Math.max(random.pick([1, 1, 1, 2, 3]), focus?.step === "transfer" ? 2 : 1);
    return {
      name: `c${index}`,
      kind,
      clocks,
      context,
      hasLoops: index === 0 && (outage !== undefined || random.chance(0.05)),
      tasks,
      restMs,
      weights: weightsOf(random, focus?.step),
      troubles: troublesOf(random, { keepsAssumptions, hasExactClocks }, focus?.fault),
    };
  });
  const isCached = random.chance(0.04) || focus?.fault === "stale";
  const plan: Plan = {
    clients,
    locks: Array.from({ length: random.integer(1, 3) }, (_, index) => `lock${index}`),
    keepsAssumptions,
    hasExactClocks: hasExactClocks && keepsAssumptions,
    leaseMs: random.pick([800, 1500, 3000, 6000]),
    toleranceMs,
    takeover: !hasClientOf1x && random.chance(0.1) ? "observed" : "store-time",
    verify: seed % 5 === 3 ? "auto" : "never",
    roundTripMs: random.pick([
      [2, 10],
      [10, 60],
      [40, 120],
    ]),
    faultRates: faultRatesOf(random, isCached),
    focus,
    gatewaySpreadMs: keepsAssumptions ? random.pick([0, 0, 100]) : random.pick([0, 500, 5000]),
    // Where a store sends no `Date`, 1.x and its successor have nothing in common but their wall clocks.
    hasDate: random.chance(0.95) || hasClientOf1x,
    dates: undefined,
    isCached,
    outage,
    removes: random.chance(0.8) || focus?.step === "remove",
    hasEvening: random.chance(0.1) || focus?.step === "remove" || focus?.step === "sweep",
    closesBusy: random.chance(0.4),
    grants: 30,
    capacity: undefined,
    edits,
  };
  const edged = withSmallRecords(seed, withEdges(seed, plan));
  const dates = edits.dates ? datePlanOf(edits.dates) : datesOf(seed, { ...edged, hasClientOf1x });
  return edited({ ...edged, dates }, edits);
}

function edited(plan: Plan, edits: Edits): Plan {
  const clients = plan.clients
    .filter(({ name }) => edits.clients?.includes(name) ?? true)
    .map((client) => ({
      ...client,
      tasks: Math.min(client.tasks, edits.tasks ?? client.tasks),
      clocks: edits.exactClocks ? EXACT : client.clocks,
      weights: Object.fromEntries(
        Object.entries(client.weights).map(([name, weight]) => [name, edits.withoutTurns?.includes(name) ? 0 : weight]),
      ),
    }));
  return { ...plan, clients, grants: edits.grants ?? plan.grants };
}

/** Draws it right to two fifths of the tolerance, or so wrong that the store's answers show it; what lies between breaks the assumption. */
export function wallOffsetOf(random: Random, keepsAssumptions: boolean, toleranceMs: number, isSmall = false): number {
  const small = random.between(-toleranceMs / 2.5, toleranceMs / 2.5);
  const large = random.pick([-1, 1]) * random.pick([5000, 300_000, 18_000_000]);
  const between = random.between(-3000, 3000);
  if (keepsAssumptions) return Math.round(random.chance(0.7) || isSmall ? small : large);
  return Math.round(isSmall ? between : random.pick([small, large, between]));
}

/** Draws clocks. 1.x believes its wall clock, however wrong: where that is hours ahead, so is the end of what it leaves behind. */
function clocksOf(
  random: Random,
  { keepsAssumptions, is1x }: { readonly keepsAssumptions: boolean; readonly is1x: boolean },
  toleranceMs: number,
): ClockFaults {
  const drift = random.pick([0, 0, 1e-4, -1e-4]);
  return {
    wallOffsetMs: wallOffsetOf(random, keepsAssumptions, toleranceMs, is1x),
    drift: keepsAssumptions ? drift : random.pick([drift, 0.01, -0.01]),
    wallDrift: random.pick([0, 0, 5e-5, -5e-5]),
  };
}

/** Draws an outage for few seeds, since it takes long: a minute and a half, longer than any caller waits for a store, or an hour. */
function outageOf(seed: number, random: Random): Plan["outage"] {
  const forMs = seed % 401 === 9 ? 3_600_000 : seed % 41 === 9 ? 90_000 : 0;
  if (forMs === 0) return undefined;
  return { afterMs: random.between(500, 5000), forMs, isSilent: random.chance(0.5) };
}

function faultRatesOf(random: Random, isCached: boolean): Plan["faultRates"] {
  const total = random.pick([0.03, 0.08, 0.15]);
  const isOut = (kind: RequestFault) => random.chance(0.35) || (kind === "stale" && !isCached);
  const weights = REQUEST_FAULTS.map((kind) => [kind, isOut(kind) ? 0 : random.number()] as const);
  const sum = weights.reduce((all, [, weight]) => all + weight, 0) || 1;
  const scale = ([kind, weight]: readonly [RequestFault, number]) =>
    [kind, ((SPELLS.has(kind) ? 0.02 : 1) * total * weight) / sum] as const;
  return Object.fromEntries(weights.map(scale)) as Plan["faultRates"];
}

function weightsOf(random: Random, focus: Step | undefined): Record<string, number> {
  return Object.fromEntries(
    TURNS.map(({ name, chance, weight, steps }) => {
      const drawn = random.number();
      const isDue = random.chance(chance);
      const isFocused = focus !== undefined && steps?.includes(focus);
      return [name, isFocused ? Math.max(weight, 0.3) : isDue ? weight * (chance === 1 ? 1 : drawn) : 0];
    }),
  );
}

/**
 * Draws troubles. A wall clock that is set while the monotonic one stands still can hide the suspension from a process; that no clock does
 * so is an assumption.
 */
function troublesOf(
  random: Random,
  { keepsAssumptions, hasExactClocks }: Pick<Plan, "keepsAssumptions" | "hasExactClocks">,
  focus: string | undefined,
): ClientPlan["troubles"] {
  const some = (probability: number, perSecond: number) =>
    random.chance(probability) ? perSecond * random.number() : 0;
  const drawn = {
    freeze: some(0.3, 0.07),
    suspend: some(0.2, 0.04),
    crash: some(0.3, 0.04),
    "wall-step": some(0.25, 0.05),
    restart: some(0.15, 0.03),
  };
  if (!keepsAssumptions) return drawn;
  if (hasExactClocks) return { ...drawn, "wall-step": 0 };
  const mayStep = focus === "wall-step" || (focus !== "suspend" && drawn.suspend === 0);
  return mayStep ? { ...drawn, suspend: 0 } : { ...drawn, "wall-step": 0 };
}
