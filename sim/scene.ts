import type { BeliefChecker } from "./checkers/beliefs.js";
import type { DeadlockChecker } from "./checkers/deadlocks.js";
import type { Findings } from "./checkers/findings.js";
import type { HistoryChecker } from "./checkers/history.js";
import type { OrderChecker } from "./checkers/order.js";
import type { FencedCounter } from "./checkers/resource.js";
import type { Plan } from "./plan.js";
import type { SimProcess } from "./process.js";
import type { SimBucket } from "./store.js";

/** What all clients of a run share: the store, the checkers, and when to stop. */
export interface Scene {
  readonly plan: Plan;
  readonly bucket: SimBucket;
  readonly findings: Findings;
  readonly beliefs: BeliefChecker;
  readonly history: HistoryChecker;
  /** Undefined where clocks are not exact: arrivals are compared in store time. */
  readonly order: OrderChecker | undefined;
  readonly deadlocks: DeadlockChecker;
  readonly counters: ReadonlyMap<string, FencedCounter>;
  /** Nobody begins a new turn any more. */
  readonly isOver: () => boolean;
}

/** One of those who use the locks, whatever program it runs. */
export interface Participant {
  readonly name: string;
  readonly process: SimProcess;
  /** Spends its turns until the run is over or it is dead. */
  play(): Promise<void>;
  /** Once no faults happen any more: one lock that it waits for without a time-out. Everybody has to get it. */
  lastWish(): Promise<void>;
  /** Nothing is sent after this. */
  close(): Promise<void>;
}

export const keyOf = (lock: string) => `locks/${lock}.json`;
