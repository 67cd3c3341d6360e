import type { ClockFaults } from "./process.js";
import type { Random } from "./random.js";

/** All that a seed decides before a run begins. Options are drawn per run, so that some runs have many of a fault and some none. */
export interface Plan {
  readonly clients: readonly ClientPlan[];
  readonly locks: readonly string[];
  /** Whether clocks keep what the documentation assumes of them; otherwise only tokens and liveness are judged. */
  readonly keepsAssumptions: boolean;
  readonly hasExactClocks: boolean;
  readonly leaseMs: number;
  readonly toleranceMs: number;
  readonly takeover: "store-time" | "observed";
  readonly roundTripMs: readonly [number, number];
  /** Per request, by kind of fault. */
  readonly faultRates: Readonly<Record<FaultKind, number>>;
  /** How far the store's front ends are apart, in milliseconds. */
  readonly gatewaySpreadMs: number;
  readonly hasDate: boolean;
  readonly removes: boolean;
  readonly grants: number;
}

export interface ClientPlan {
  readonly name: string;
  readonly clocks: ClockFaults;
  readonly kind: "current" | "1.x";
  readonly habits: Habits;
}

/** How a client spends its turns; weights. */
export interface Habits {
  readonly handle: number;
  readonly attempt: number;
  readonly named: number;
  readonly withLock: number;
  readonly nested: number;
  readonly all: number;
  readonly forceRelease: number;
  readonly cleanup: number;
  readonly remove: number;
  /** Per turn. */
  readonly freezes: number;
  readonly crashes: number;
  readonly clockSteps: number;
}

export const FAULT_KINDS = [
  "lost",
  "answer-lost",
  "late",
  "twice",
  "409",
  "429",
  "500",
  "500-applied",
  "503",
  "partition",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export function planOf(random: Random): Plan {
  const keepsAssumptions = random.chance(0.72);
  const hasExactClocks = random.chance(0.3);
  const toleranceMs = 1000;
  const count = random.integer(3, 5);
  const hasClientOf1x = random.chance(0.15);
  const clients = Array.from({ length: count }, (_, index): ClientPlan => {
    const kind = hasClientOf1x && index === count - 1 ? "1.x" : "current";
    const isExact = hasExactClocks || kind === "1.x";
    const clocks = isExact ? { wallOffsetMs: 0, drift: 0 } : clocksOf(random, keepsAssumptions, toleranceMs);
    return { name: `c${index}`, kind, clocks, habits: habitsOf(random) };
  });
  return {
    clients,
    locks: Array.from({ length: random.integer(1, 3) }, (_, index) => `lock${index}`),
    keepsAssumptions,
    hasExactClocks: hasExactClocks && keepsAssumptions,
    leaseMs: random.pick([1000, 2000, 5000, 10_000]),
    toleranceMs,
    takeover: !hasClientOf1x && random.chance(0.1) ? "observed" : "store-time",
    roundTripMs: random.pick([
      [2, 10],
      [10, 60],
      [40, 120],
    ]),
    faultRates: faultRatesOf(random),
    gatewaySpreadMs: keepsAssumptions ? random.pick([0, 0, 100]) : random.pick([0, 500, 5000]),
    hasDate: random.chance(0.95),
    removes: random.chance(0.8),
    grants: 30,
  };
}

/** Right to half the tolerance, or so wrong that the store's answers show it; what lies between breaks the assumption. */
function clocksOf(random: Random, keepsAssumptions: boolean, toleranceMs: number): ClockFaults {
  const small = random.between(-toleranceMs / 2.2, toleranceMs / 2.2);
  const large = random.pick([-1, 1]) * random.pick([5000, 300_000, 18_000_000]);
  const drift = random.pick([0, 0, 1e-4, -1e-4]);
  if (keepsAssumptions) return { wallOffsetMs: Math.round(random.chance(0.7) ? small : large), drift };
  return {
    wallOffsetMs: Math.round(random.pick([small, large, random.between(-3000, 3000)])),
    drift: random.pick([drift, 0.01, -0.01]),
  };
}

function faultRatesOf(random: Random): Plan["faultRates"] {
  const total = random.pick([0.03, 0.08, 0.15]);
  const weights = FAULT_KINDS.map((kind) => [kind, random.chance(0.35) ? 0 : random.number()] as const);
  const sum = weights.reduce((all, [, weight]) => all + weight, 0) || 1;
  const scale = ([kind, weight]: readonly [FaultKind, number]) =>
    [kind, ((kind === "partition" ? 0.02 : 1) * total * weight) / sum] as const;
  return Object.fromEntries(weights.map(scale)) as Plan["faultRates"];
}

function habitsOf(random: Random): Habits {
  const some = (probability: number, weight: number) => (random.chance(probability) ? weight * random.number() : 0);
  return {
    handle: 1,
    attempt: some(0.5, 0.5),
    named: some(0.5, 1),
    withLock: some(0.5, 1),
    nested: some(0.35, 1),
    all: some(0.3, 1),
    forceRelease: some(0.1, 0.3),
    cleanup: some(0.2, 0.3),
    remove: some(0.1, 0.3),
    freezes: some(0.3, 0.1),
    crashes: some(0.3, 0.04),
    clockSteps: some(0.2, 0.05),
  };
}
