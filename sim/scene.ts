import type { SimProcess } from "../src/testing/virtual/process.js";
import type { SimBucket } from "../src/testing/virtual/store.js";
import { isRecordKey } from "../testkit/record-key.js";
import type { AtLeastChecker } from "./checkers/at-least.js";
import type { BeliefChecker } from "./checkers/beliefs.js";
import type { ChainChecker } from "./checkers/chain.js";
import type { DeadlockChecker } from "./checkers/deadlocks.js";
import type { Findings } from "./checkers/findings.js";
import type { HistoryChecker } from "./checkers/history.js";
import type { InsideChecker } from "./checkers/inside.js";
import type { LeftBehind, LeftoverChecker } from "./checkers/leftovers.js";
import type { OnceChecker } from "./checkers/once.js";
import type { OrderChecker } from "./checkers/order.js";
import type { FencedCounter } from "./checkers/resource.js";
import type { Closing } from "./closing.js";
import type { Plan } from "./plan/plan.js";
import type { Step } from "./plan/steps.js";

/** What all clients of a run share: the store, the checkers, and when to stop. `Task`: what a line of work is, of participants that do turns. */
export interface Scene<Task = unknown> {
  readonly plan: Plan;
  readonly bucket: SimBucket<Step>;
  readonly findings: Findings;
  readonly beliefs: BeliefChecker;
  readonly inside: InsideChecker;
  readonly leftovers: LeftoverChecker;
  readonly history: HistoryChecker;
  /** Undefined where clocks are not exact: arrivals are compared in store time. */
  readonly order: OrderChecker | undefined;
  readonly deadlocks: DeadlockChecker;
  /** Whether all clients see each other's places in a queue: expiry is a matter of store time, or of wall clocks that agree. */
  readonly canSeeCycles: boolean;
  /** Whether conflicts that nothing explains, or reads of what was, may make the store look unsafe. */
  readonly mayContradictItself: boolean;
  readonly chain: ChainChecker;
  readonly once: OnceChecker;
  readonly atLeast: AtLeastChecker;
  /** When a store that is away for a long time is back. */
  readonly backAtMs: number | undefined;
  /** Until when the holds last that the record of a lock names, by the store's clock. */
  readonly leaseEndsMs: (lock: string) => readonly number[];
  readonly counters: ReadonlyMap<string, FencedCounter>;
  /** The lines of work of all clients there have been. */
  readonly tasks: () => readonly Task[];
  /** No task begins a new turn any more. */
  readonly isOver: () => boolean;
  /** A participant has left of its own accord; what it has left behind. */
  readonly onClosed: (participant: Participant, leftBehind: readonly LeftBehind[]) => void;
}

/** A user of the locks, whatever program it runs. */
export interface Participant {
  readonly name: string;
  readonly process: SimProcess;
  /** Spends its turns until the run is over or it is dead. */
  play(): Promise<void>;
  /** Asks, once no faults happen any more, for one lock that it waits for without a time-out. Each has to get it. */
  lastWish(): Promise<void>;
  /** Closes it: nothing is sent after this. */
  close(closing?: Closing): Promise<void>;
}

const LOCKS = "locks/";
const SEMAPHORES = `semaphores/${LOCKS}`;

export const keyOf = (lock: string) => `${LOCKS}${lock}.json`;
/** What a semaphore is called among locks, whose names are others. */
export const semaphoreOf = (name: string) => `semaphore ${name}`;

/** Names the lock or semaphore of a key; undefined for keys of other objects. */
export function lockOf(key: string): string | undefined {
  if (!isRecordKey(key)) return undefined;
  const nameAfter = (prefix: string) => key.slice(prefix.length, -".json".length);
  if (key.startsWith(LOCKS)) return nameAfter(LOCKS);
  // A semaphore may have several records.
  return key.startsWith(SEMAPHORES) ? semaphoreOf(nameAfter(SEMAPHORES).replace(/\.part\d+$/, "")) : undefined;
}
