import type { Budget } from "./state.js";

/** One client or operator, and how far its idea of store time may be off. */
export interface ClientPlan {
  readonly kind: "client" | "operator";
  readonly acquisitions: number;
  readonly priority: number;
  /** Callers of one process have the same: they pass the lock on to each other. */
  readonly process: number | undefined;
  /** Added to the true store time: what it takes for the earliest and the latest time that it can be. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** One bounded world: who acts, with which clocks, and how often what may go wrong. */
export interface Configuration {
  readonly name: string;
  readonly says: string;
  readonly clients: readonly ClientPlan[];
  readonly leaseMs: number;
  readonly toleranceMs: number;
  /** How long a queue entry lives; undefined: nobody queues. */
  readonly entryLifeMs: number | undefined;
  /** How long an object is at rest before it may be removed, and for how many ticks a request can live; undefined: no removals. */
  readonly removal: { readonly restMs: number; readonly requestLifeTicks: number } | undefined;
  readonly budget: Budget;
  /** `tokens`: the clocks break the assumptions, so exclusion is not promised. */
  readonly promises: "all" | "tokens";
  /** Clients with the same plan are interchangeable: states that differ only in who is who count once. */
  readonly symmetric: boolean;
}

export const NO_TROUBLE: Budget = {
  seconds: 0,
  slow: 0,
  lost: 0,
  twice: 0,
  refused: 0,
  crash: 0,
  giveUp: 0,
  pause: 0,
  force: 0,
  delete: 0,
  cleanup: 0,
};

/** The bound of a configuration, as people read it. */
export function boundOf({ clients, budget }: Configuration): string {
  const acquisitions = clients.reduce((sum, plan) => sum + (plan.kind === "client" ? plan.acquisitions : 0), 0);
  const { seconds, ...troubles } = budget;
  const parts = Object.entries(troubles)
    .filter(([, times]) => times > 0)
    .map(([trouble, times]) => `${times} ${NAMES[trouble as keyof typeof NAMES]}`);
  return [`${acquisitions} acquisitions`, `${seconds} s`, ...parts].join(", ");
}

const NAMES: Readonly<Record<Exclude<keyof Budget, "seconds">, string>> = {
  slow: "slow read",
  lost: "lost or late",
  twice: "twice",
  refused: "409",
  crash: "crash",
  giveUp: "give-up",
  pause: "suspension",
  force: "force-release",
  delete: "delete",
  cleanup: "cleanup",
};
