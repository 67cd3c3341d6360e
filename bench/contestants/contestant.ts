import type { Arrival } from "../server/request-rate.js";

/** A lock that is held. */
export interface Held {
  renew(): Promise<void>;
  release(): Promise<void>;
}

/** One instance, with a client of its own: what a process would have. */
export interface Contender {
  /** Waits as long as it takes; rejects once the signal is aborted, which is how a run that takes too long is ended. */
  acquire(lockName: string, signal: AbortSignal): Promise<Held>;
  close(): Promise<void>;
}

/** One of those that are compared: the library, its ancestor, and a store that is able to push. */
export interface Contestant {
  readonly name: "library" | "ancestor" | "limit";
  contender(): Contender;
  reset(): Promise<void>;
  /** Lists what the store was asked since the last reset. */
  requests(): Promise<readonly Arrival[]>;
}
