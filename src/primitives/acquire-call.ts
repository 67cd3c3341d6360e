import type { AcquireRequest } from "../runtime/acquire/acquire-request.js";
import type { Scope } from "../runtime/scopes/scope.js";
import type { AcquireOptions } from "./call-options.js";

/** What a call asks for besides what its caller's options say: parts of the request that it becomes. */
export interface AcquireCall
  extends Partial<
    Pick<
      AcquireRequest,
      | "via"
      | "permits"
      | "limit"
      | "share"
      | "waitedBeforeMs"
      | "onAsking"
      | "timing"
      | "longestPollMs"
      | "unreachableMs"
      | "attemptUntilMs"
    >
  > {
  readonly options: AcquireOptions;
  /** How long to wait without a `timeoutMs`, in milliseconds. */
  readonly patienceMs: number;
  readonly scope: Scope;
  /** Whether it is one attempt, to which a lock that its caller holds itself is one that is not to be had. @default false */
  readonly isAttempt?: boolean;
  /** Whether its caller has options to nest it in what it holds. @default true */
  readonly mayNest?: boolean;
}
