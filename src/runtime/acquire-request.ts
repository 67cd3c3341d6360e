import type { LockRef } from "../core/deadlock.js";
import type { Hold } from "../core/record.js";
import type { AcquireCommand } from "../core/transition/acquire.js";
import { S3MutexError } from "../errors.js";
import type { LeaseTiming } from "./lease-clock.js";
import type { LockObject } from "./lock-object.js";

/** What one call asks for. */
export interface AcquireRequest
  extends Pick<Required<AcquireCommand>, "via" | "mode" | "permits" | "limit" | "priority" | "leaseMs"> {
  readonly label: string | undefined;
  /** How long to wait, in milliseconds; `Infinity` for ever. However short, one full attempt is made. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
  /** When to renew and when to step down, where not as usual. */
  readonly timing?: LeaseTiming | undefined;
  /** However long the lock has been held, the first in line looks at least this often, in milliseconds. */
  readonly longestPollMs?: number | undefined;
  /** What the caller's scope holds besides this lock: asked anew each time, since it may change meanwhile. */
  readonly holds: () => readonly Hold[];
  /** Other locks of the same mutex, for the walk along who waits for whom. */
  readonly objectOf: (ref: LockRef) => LockObject;
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

/** What of it is asked of the record, as it is. */
export function claimOf({ via, mode, permits, limit, priority, leaseMs }: AcquireRequest) {
  return { via, mode, permits, limit, priority, leaseMs };
}

/** The processes that share a semaphore have to agree about it. */
export function limitDiffers(
  { name: lockName }: LockObject,
  { limit }: { readonly limit: number },
  actual: number,
): S3MutexError {
  const message = `${JSON.stringify(lockName)} has ${actual} permits, and this caller says ${limit}: use the same number everywhere, or change it with resize().`;
  return new S3MutexError("permits-differ", message, { lockName });
}
