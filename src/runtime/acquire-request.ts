import type { Hold } from "../core/record.js";
import type { AcquireCommand } from "../core/transition/acquire.js";
import type { LockObject } from "./lock-object.js";

/** What one call asks for. */
export interface AcquireRequest extends Pick<AcquireCommand, "via" | "mode" | "priority" | "leaseMs"> {
  readonly label: string | undefined;
  /** How long to wait, in milliseconds; `Infinity` for ever. However short, one full attempt is made. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
  /** What the caller's scope holds besides this lock: asked anew each time, since it may change meanwhile. */
  readonly holds: () => readonly Hold[];
  /** Other locks of the same mutex, for the walk along who waits for whom. */
  readonly objectOf: (lockName: string) => LockObject;
}

/** What an acquisition needs of the line of callers that it stands in. */
export interface WaitingLine<Caller> {
  readonly object: LockObject;
  /** How long it may leave the store alone; 0: it has to ask. */
  restMs(acquisition: Caller): number;
  /** Whether a caller of this process has the lock as far as is known here. */
  readonly isHeldHere: boolean;
  /** The store has answered one of us. */
  reportAnswer(): void;
}
