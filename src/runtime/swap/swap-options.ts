import type { Attempt } from "../../core/expiry.js";
import type { Decision } from "../../core/transition/decision.js";
import type { RetryOptions } from "./retry-budget.js";
import type { Snapshot } from "./snapshot.js";
import type { WriteRecorder } from "./write-log.js";

export interface SwapOptions<Reply = never> extends RetryOptions {
  readonly writeLog: WriteRecorder;
  /**
   * A version that the caller has just read: as long as no newer one is known, nothing is read before a decision by it counts.
   * `"store"`: a read comes first, for commands that act on whatever holder they find. Without it, what this process saw last is tried
   * with a write, and read again where there is nothing to write.
   */
  readonly from?: Snapshot | "store" | undefined;
  /** A lease that this publishes is not handed out before the answer to its write has been judged, too (`confirmGrant`). */
  readonly isConfirmedLater?: boolean;
  /** What to do where the body is corrupt; without it that is an error. */
  readonly applyToUnreadable?: (attempt: Attempt) => Decision<Reply>;
}

export interface Swapped<Reply> {
  readonly reply: Reply;
  readonly snapshot: Snapshot;
}
