import type { ReleaseCommand, ReleaseReply } from "../../core/transition/release.js";
import type { RenewReply } from "../../core/transition/renew.js";
import type { LockObject } from "../swap/lock-object.js";
import type { Snapshot } from "../swap/snapshot.js";
import type { SwapOptions, Swapped } from "../swap/swap-options.js";
import type { Renewal } from "./renewals.js";

/** What became of a hold that was given back, and the version that says so. */
export interface GivenBack {
  readonly reply: ReleaseReply;
  readonly snapshot: Snapshot;
}

/** What a lease needs of the local queue that it belongs to. */
export interface HoldingQueue {
  readonly object: LockObject;
  /** Gives a hold back, to the next in the queue where that is one of us. */
  giveBack(command: ReleaseCommand, options: SwapOptions): Promise<GivenBack>;
  renew(renewal: Renewal): Promise<Swapped<RenewReply>>;
  /** Notes that a hold has become smaller: a waiter may fit beside it now. */
  holdChanged(): void;
}
