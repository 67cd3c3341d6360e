import { type Holder, isListed, type LockRecord } from "../record.js";
import type { ClockReading } from "../store-time.js";
import { type GoneReason, type HolderLoss, holderLoss, type RenewReply, reasonOfLoss } from "../transition/renew.js";
import type { Remains } from "./leftovers.js";

/**
 * A lock that its process holds, from its grant to its end: what follows from each answer of the store and from its own clocks. Its driver
 * does what is said here, in this order. When to renew, and for how long to believe, is for its clocks to say (`core/lease.ts`).
 */
export interface HoldState {
  /** Whether it is not held any longer, or is being given back. */
  readonly isOver: boolean;
  /** Whether it is neither renewed nor given back, and runs out. */
  readonly isLeft: boolean;
  /** Whether its holder knows that it is lost. */
  readonly isLost: boolean;
}

/** What happens to it. `Reason`: what its driver calls an end of which the record says nothing. */
export type HoldHappening<Reason> =
  /** A renewal was answered; `reading`: from which the lease counts, undefined where that is forgotten. */
  | { readonly kind: "renewal-answered"; readonly reply: RenewReply; readonly reading: ClockReading | undefined }
  /** Its own clocks, or the end of what it nests in, say that it is lost. */
  | { readonly kind: "ended"; readonly reason: Reason }
  /** Its holder gives it back; `whyOver`: why it is over by its own clocks, where it is. */
  | { readonly kind: "releasing"; readonly whyOver: Reason | undefined }
  | { readonly kind: "given-back" }
  /** It was gone before it was given back; `isListed`: the record shows an entry of it all the same. */
  | { readonly kind: "gone"; readonly reason: GoneReason; readonly isListed: boolean }
  /** Its release was not answered in time. */
  | { readonly kind: "release-failed" };

/** What follows from that. */
export type HoldEffect<Reason> =
  /** Count on the lease that was renewed. */
  | { readonly do: "count-on"; readonly holder: Holder; readonly reading: ClockReading }
  /** Let its holder know that it is lost. */
  | { readonly do: "tell-loss"; readonly reason: Reason | HolderLoss }
  | { readonly do: "tell-released" }
  /** Renew it no more. */
  | { readonly do: "stop" }
  | { readonly do: "give-back" }
  /** Leave nothing behind. */
  | { readonly do: "clear-up"; readonly entry: Exclude<Remains["entry"], "listed"> }
  /** Let the rest of its process know that it has ended. */
  | { readonly do: "tell-end" };

type Effects<Reason> = readonly HoldEffect<Reason>[];

/** Says what follows for a hold from what happens to it. */
export function followUp<Reason>(state: HoldState, happening: HoldHappening<Reason>): Effects<Reason> {
  switch (happening.kind) {
    case "renewal-answered":
      return renewalAnswered(state, happening.reply, happening.reading);
    case "ended":
      return lost(state, happening.reason);
    case "releasing":
      return releasing(state, happening.whyOver);
    case "given-back":
      // One that had run out and was not taken over is given back, but its holder was told that it is lost.
      return state.isLost ? [] : [{ do: "tell-released" }];
    case "gone": {
      // While its grant was on its way and ended by force, it may have asked again and have taken a place in the queue.
      const entry = happening.isListed ? "possible" : "none";
      return [...told(state, holderLoss(happening.reason)), { do: "clear-up", entry }];
    }
    case "release-failed":
      return [{ do: "clear-up", entry: "possible" }];
  }
}

/** Says what has happened to a hold that was not there any more when it was to be given back. */
export function goneBefore({ id, token }: Pick<Holder, "id" | "token">, record: LockRecord | undefined) {
  return { kind: "gone", reason: reasonOfLoss(record, token), isListed: isListed(record, id) } as const;
}

function renewalAnswered<Reason>(
  state: HoldState,
  reply: RenewReply,
  reading: ClockReading | undefined,
): Effects<Reason> {
  if (reply.kind === "gone") return lost<Reason>(state, holderLoss(reply.reason));
  return state.isOver || reading === undefined ? [] : [{ do: "count-on", holder: reply.holder, reading }];
}

/** Ends it. What was left to run out is not cleared up: nothing is sent for it. */
function lost<Reason>(state: HoldState, reason: Reason | HolderLoss): Effects<Reason> {
  if (state.isLost) return [];
  const cleared = state.isLeft ? [] : ([{ do: "clear-up", entry: "possible" }] as const);
  return [{ do: "tell-loss", reason }, { do: "stop" }, ...cleared, { do: "tell-end" }];
}

/** Gives it back. Once it is lost, what it has left behind is being cleared up already. */
function releasing<Reason>(state: HoldState, whyOver: Reason | undefined): Effects<Reason> {
  const isSent = !state.isLost && !state.isLeft;
  const sent = isSent ? ([{ do: "give-back" }] as const) : [];
  return [...(whyOver === undefined ? [] : told(state, whyOver)), { do: "stop" }, ...sent];
}

/** Lets its holder know, once. */
function told<Reason>({ isLost }: HoldState, reason: Reason): readonly { do: "tell-loss"; reason: Reason }[] {
  return isLost ? [] : [{ do: "tell-loss", reason }];
}
