/**
 * What the dashboard's server tells its pages. Times are epoch milliseconds of store time. Everything that came from a lock
 * (names, labels, owners, hosts) was written by clients that may write to the bucket: text to show, never markup.
 */

export interface PartyView {
  /** The acquisition's id: the same while it waits and when it holds. */
  readonly id: string;
  readonly owner: string;
  readonly host?: string;
  readonly pid?: number;
  readonly label?: string;
}

export interface HolderView extends PartyView {
  readonly mode: "exclusive" | "shared";
  readonly token: number;
  readonly priority: number;
  readonly leaseMs: number;
  readonly sinceMs: number;
  readonly expiresAtMs: number;
}

export interface WaiterView extends PartyView {
  readonly mode: "exclusive" | "shared";
  readonly priority: number;
  readonly sinceMs: number;
  /** What it holds meanwhile. */
  readonly holds: readonly HoldView[];
}

export interface HoldView {
  readonly lockName: string;
  readonly token: number;
}

/** A hold that has ended. */
export interface TurnView extends PartyView {
  readonly token: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly ended: string;
}

export interface LockView {
  readonly name: string;
  /** The highest fencing token that was granted. */
  readonly token: number;
  readonly limit: number;
  readonly holders: readonly HolderView[];
  /** In the order in which they are served. */
  readonly queue: readonly WaiterView[];
  /** The last few, newest first. */
  readonly turns: readonly TurnView[];
  /** Why the object cannot be read as a lock. */
  readonly problem?: string;
}

/** How the reading goes. */
export interface Status {
  /** Store time, when this was sent. */
  readonly nowMs: number;
  /** What all viewers together cost the store. */
  readonly requestsPerSecond: number;
  readonly viewers: number;
  /** How long the last poll of the store took. */
  readonly tookMs: number;
  /** Whether a poll has succeeded yet. */
  readonly isRead: boolean;
  /** Why the last poll failed; the locks are those of the poll before. */
  readonly error?: string;
}

/** The event `snapshot`: the first one, and again whenever a viewer fell behind. */
export interface Snapshot {
  readonly storeName: string;
  readonly isReadOnly: boolean;
  readonly locks: readonly LockView[];
  readonly status: Status;
}

/** The event `delta`: after each poll. */
export interface Delta {
  readonly changed: readonly LockView[];
  readonly removed: readonly string[];
  readonly status: Status;
}

/** What a page posts to `/release`: whom its viewer saw holding the lock when they confirmed. */
export interface ReleaseRequest {
  readonly lockName: string;
  readonly tokens: readonly number[];
}

/** `changed`: others hold it by now, and nothing was done. */
export type ReleaseOutcome = "released" | "free" | "changed";
