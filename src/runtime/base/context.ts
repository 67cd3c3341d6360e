import type { Identity } from "../../core/record.js";
import type { Capacity } from "../../core/shares.js";
import type { ObjectStore } from "../../store/object-store.js";
import type { Activity } from "./activity.js";
import type { Diagnostics } from "./diagnostics.js";
import type { Effects } from "./effects.js";
import type { S3MutexEvents } from "./events.js";
import type { GrantCheck } from "./grant-check.js";
import type { Holdings } from "./holdings.js";
import type { Log } from "./logger.js";
import type { StoreClock } from "./store-clock.js";

/** `store-time`: a lease ends by the store's clock; `observed`: only when it was watched, unrenewed, for its whole length. */
export type Takeover = "store-time" | "observed";

export type Emit = <Name extends keyof S3MutexEvents>(name: Name, event: S3MutexEvents[Name][0]) => void;

/** What everything that one mutex does shares. */
export interface Context {
  readonly store: ObjectStore;
  /** Whether the store is known to honour conditions, which every first grant waits for. */
  readonly check: GrantCheck;
  /** The bucket of the locks. */
  readonly bucketName: string;
  /** Which URL the client was given in place of AWS's, as soon as that is known: for what operators are told. */
  readonly endpoint: { readonly url?: string | undefined };
  /** The store of fenced objects in a bucket: larger bodies, through the same client. */
  readonly contentStore: (bucketName: string) => ObjectStore;
  readonly effects: Effects;
  readonly clock: StoreClock;
  readonly logger: Log;
  readonly background: Background;
  /** Aborted when the mutex begins to close: no caller waits for a lock any longer. */
  readonly closing: AbortSignal;
  /** Aborted when the mutex is closed and has waited long enough: no further request. */
  readonly closed: AbortSignal;
  readonly ownerId: string;
  readonly identity: Identity;
  readonly toleranceMs: number;
  readonly takeover: Takeover;
  readonly useJitter: boolean;
  /** How many permits of a semaphore go into how many records. */
  readonly capacity: Capacity;
  /** Tells listeners in the process what else happens; events go there by themselves. */
  readonly diagnostics: Diagnostics;
  /** What is held and waited for. */
  readonly activity: Activity;
  /** What has to end before a close is over. */
  readonly holdings: Holdings;
  /** Tells listeners on the mutex and in the process; a listener that throws is reported to the logger. */
  readonly emit: Emit;
}

/** Work that no caller waits for (cancels of what was given up), kept so that closing can wait for it. */
export class Background {
  /** With the lock that it takes something out of the record of, where it does that. */
  readonly #tasks = new Map<Promise<void>, string | undefined>();

  run(task: Promise<void>, clearsUp?: string): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.set(tracked, clearsUp);
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks.keys());
  }

  /** The locks in whose records something may be left if all of it ends now. */
  get unclear(): ReadonlySet<string> {
    return new Set([...this.#tasks.values()].filter((lockName) => lockName !== undefined));
  }
}

/** Draws a number in [0, 1) for delays; always gives the same one where jitter was switched off. */
export function jitter(context: Context): number {
  return context.useJitter ? context.effects.random() : 1;
}
