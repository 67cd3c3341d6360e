import type { Budget } from "./state.js";

/** One client or operator, and how far its idea of store time may be off. */
export interface ClientPlan {
  readonly kind: "client" | "operator";
  readonly acquisitions: number;
  readonly priority: number;
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
  /** Paths of at most this many events. */
  readonly depth: number;
  /** `tokens`: the clocks break the assumptions, so exclusion is not promised. */
  readonly promises: "all" | "tokens";
  /** Clients are interchangeable: states that differ only in who is who count once. */
  readonly symmetric: boolean;
}

export const NO_TROUBLE: Budget = {
  seconds: Number.POSITIVE_INFINITY,
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
