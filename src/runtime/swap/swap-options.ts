import type { Attempt } from "../../core/expiry.js";
import type { Decision } from "../../core/transition/decision.js";
import type { RetryOptions } from "./retry-budget.js";
import type { Snapshot } from "./snapshot.js";
import type { WriteRecorder } from "./write-log.js";

export interface SwapOptions<Reply = never> extends RetryOptions {
  readonly writeLog: WriteRecorder;
  /** Begin with a read, whatever was seen before: for commands that act on whatever holder they find. */
  readonly fromStore?: boolean;
  /** A version that was asked for since this monotonic time need not be read again to be believed. */
  readonly freshFromMs?: number;
  /** What to do where the body is corrupt; without it that is an error. */
  readonly applyToUnreadable?: (attempt: Attempt) => Decision<Reply>;
}

export interface Swapped<Reply> {
  readonly reply: Reply;
  readonly snapshot: Snapshot;
  /** The store's `Date` contradicted the time that the transition was computed with. */
  readonly contradicted: boolean;
}
