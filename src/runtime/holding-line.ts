import type { ReleaseReply } from "../core/transition/release.js";
import type { RenewReply } from "../core/transition/renew.js";
import type { LockObject, SwapOptions, Swapped } from "./lock-object.js";
import type { Renewal } from "./renewals.js";
import type { Snapshot } from "./snapshot.js";

/** What a lease needs of the line of callers that it belongs to. */
export interface HoldingLine {
  readonly object: LockObject;
  /** Gives a hold back, to the next in line where that is one of us. */
  giveBack(id: string, options: SwapOptions): Promise<{ readonly reply: ReleaseReply; readonly snapshot: Snapshot }>;
  renew(renewal: Renewal): Promise<Swapped<RenewReply>>;
  /** A hold has become smaller: somebody may fit beside it now. */
  holdChanged(): void;
}
