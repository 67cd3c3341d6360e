import type { Mode } from "../src/core/record.js";
import type { Clock } from "./clocks.js";
import type { Budget } from "./state.js";

/** One client or operator, and what it may know of the time. */
export interface ClientPlan {
  readonly kind: "client" | "operator";
  readonly acquisitions: number;
  readonly priority: number;
  /** Callers of one process have the same: they pass the lock on to each other. */
  readonly process: number | undefined;
  /** What it knows of store time: the first of these at the beginning; `Budget.clock` says how often that changes. */
  readonly clocks: readonly Clock[];
  readonly mode: Mode;
  /** It renews as `refreshLock` does: a lease that has ended stays ended. */
  readonly onlyUnexpired: boolean;
}

/** One bounded world: who acts, with which clocks, and how often what may go wrong. */
export interface Configuration {
  readonly name: string;
  readonly says: string;
  readonly clients: readonly ClientPlan[];
  readonly leaseMs: number;
  readonly toleranceMs: number;
  /** How long a queue entry lives; undefined: no client queues. */
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
  clock: 0,
  close: 0,
  force: 0,
  delete: 0,
  cleanup: 0,
};

/** Describes the bound of a configuration, as people read it. */
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
  clock: "change of what is known of the time",
  close: "close",
  force: "force-release",
  delete: "delete",
  cleanup: "cleanup",
};
