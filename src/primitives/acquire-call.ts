import type { Holder } from "../core/record.js";
import type { Share } from "../core/shares.js";
import type { LeaseTiming } from "../runtime/hold/lease-clock.js";
import type { Scope } from "../runtime/hold/scope.js";
import type { AcquireOptions } from "./call-options.js";

/** What a call asks for, besides what its caller's options say. */
export interface AcquireCall {
  readonly options: AcquireOptions;
  /** How long to wait without a `timeoutMs`, in milliseconds. */
  readonly patienceMs: number;
  readonly scope: Scope;
  /** @default "handle" */
  readonly via?: Holder["via"];
  /** How many permits. @default 1 */
  readonly permits?: number;
  /** How many there are, where it is a semaphore: see `AcquireCommand`. */
  readonly limit?: number | "stored";
  /** Of a semaphore with several records: what the one that is asked has of the number. */
  readonly share?: Share;
  /** See `AcquireRequest`. */
  readonly waitedBeforeMs?: number;
  readonly onAsking?: (isUnderWay: boolean) => void;
  readonly timing?: LeaseTiming;
  readonly longestPollMs?: number;
  /** For callers that wait without a limit: see `AcquireRequest`. */
  readonly unreachableMs?: number;
  /** One of several: see `AcquireRequest`. */
  readonly attemptUntilMs?: number;
  /** Whether it is one attempt, to which a lock that its caller holds itself is one that is not to be had. @default false */
  readonly isAttempt?: boolean;
}
