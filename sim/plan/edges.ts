import { Random } from "../../src/testing/virtual/random.js";
import type { ClientPlan, Plan } from "./plan.js";

/**
 * Makes wall clocks right to half of the tolerance and no better, in a share of the seeds. Mostly the store's answers soon show that, and
 * the clock is not believed any more; where requests are slow as well, the bounds stay so wide that it is. Drawn apart from the rest, so
 * that all other seeds are as they were.
 */
export function withEdges(seed: number, plan: Plan): Plan {
  const random = new Random(seed * SALT + 1);
  const isSlow = random.chance(0.06);
  if (!plan.keepsAssumptions || plan.hasExactClocks || !(isSlow || random.chance(0.25))) return plan;
  const clients = plan.clients.map((client) => ({ ...client, clocks: atEdge(client, plan, random) }));
  return isSlow ? { ...plan, clients, leaseMs: SLOW_LEASE_MS, roundTripMs: SLOW_ROUND_TRIP_MS } : { ...plan, clients };
}

/**
 * Gives records so little room, in a few seeds, that the one semaphore of a run has several, and it is what most turns are about. Nothing
 * is drawn for it, so that all other seeds are as they were.
 */
export function withSmallRecords(seed: number, plan: Plan): Plan {
  if (seed % SMALL_RECORDS_EVERY !== SMALL_RECORDS_AT) return plan;
  const clients = plan.clients.map((client) => ({ ...client, weights: { ...client.weights, permits: MANY_PERMITS } }));
  const share = (seed - SMALL_RECORDS_AT) % (3 * SMALL_RECORDS_EVERY) === 0 ? 1 : 2;
  return { ...plan, clients, capacity: { inOne: share, share, records: 4 } };
}

const SMALL_RECORDS_EVERY = 23;
const SMALL_RECORDS_AT = 7;
/** Compared with other turns: most of those are no more than one. */
const MANY_PERMITS = 4;

/** Moves a clock to its edge. Where it is so wrong that answers show it, it stays so; and none is steered away from its edge. */
function atEdge({ clocks }: ClientPlan, { toleranceMs }: Plan, random: Random): ClientPlan["clocks"] {
  const edgeMs = random.pick([-1, 1]) * (toleranceMs / 2 - random.integer(0, 5));
  if (Math.abs(clocks.wallOffsetMs) > toleranceMs / 2) return clocks;
  return { wallOffsetMs: edgeMs, drift: clocks.drift, wallDrift: -clocks.drift };
}

const SALT = 7919;
/** One request may take a sixth of the lease. */
const SLOW_LEASE_MS = 9000;
const SLOW_ROUND_TRIP_MS = [1000, 1400] as const;
