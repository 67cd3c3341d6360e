import type { GoneReason, RenewReply } from "../transition/renew.js";
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

/** That of a grant which was handed out. */
export const HELD: HoldState = { isOver: false, isLeft: false, isLost: false };

/** What happens to it. `Reason`: what its driver calls an end of which the record says nothing. */
export type HoldHappening<Reason> =
  /** A renewal was answered; `isTimed`: it is known from when the lease counts. */
  | { readonly kind: "renewal-answered"; readonly reply: RenewReply; readonly isTimed: boolean }
  /** Its own clocks, or the end of what it nests in, say that it is lost. */
  | { readonly kind: "ended"; readonly reason: Reason }
  /** Its mutex has closed before its work has ended. */
  | { readonly kind: "left" }
  /** It goes on elsewhere, as another handle. */
  | { readonly kind: "handed-over" }
  /** Its holder gives it back; `whyOver`: why it is over by its own clocks, where it is. */
  | { readonly kind: "releasing"; readonly whyOver: Reason | undefined }
  | { readonly kind: "given-back" }
  /** It was gone before it was given back; `isListed`: the record shows an entry of it all the same. */
  | { readonly kind: "gone"; readonly reason: GoneReason; readonly isListed: boolean }
  /** Its release was not answered in time. */
  | { readonly kind: "release-failed" };

/** What follows from that. */
export type HoldEffect<Reason> =
  /** Count on the lease of the renewal. */
  | { readonly do: "count-on" }
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

/** What a record says of a hold that its holder has not given back. */
export type HolderLoss = Exclude<GoneReason, "released">;

interface Reaction<Reason> {
  readonly state: HoldState;
  readonly effects: readonly HoldEffect<Reason>[];
}

/** Says what follows from what happens to a hold. */
export function reactHold<Reason>(state: HoldState, happening: HoldHappening<Reason>): Reaction<Reason> {
  switch (happening.kind) {
    case "renewal-answered":
      return renewalAnswered(state, happening.reply, happening.isTimed);
    case "ended":
      return lost(state, happening.reason);
    case "left":
      return { state: { ...state, isLeft: true }, effects: [] };
    case "handed-over":
      return { state: { ...state, isOver: true }, effects: [{ do: "stop" }, { do: "tell-end" }] };
    case "releasing":
      return releasing(state, happening.whyOver);
    case "given-back":
      // One that had run out and was not taken over is given back, but its holder was told that it is lost.
      return { state, effects: state.isLost ? [] : [{ do: "tell-released" }] };
    case "gone": {
      // While its grant was on its way and ended by force, it may have asked again and have taken a place in the queue.
      const entry = happening.isListed ? "possible" : "none";
      const told = toldOf<Reason>(state, holderLoss(happening.reason));
      return { state: told.state, effects: [...told.effects, { do: "clear-up", entry }] };
    }
    case "release-failed":
      return { state, effects: [{ do: "clear-up", entry: "possible" }] };
  }
}

/** Names what a record says to the holder: a hold that was released, and not by its holder, was ended by another client. */
export function holderLoss(reason: GoneReason): HolderLoss {
  return reason === "released" ? "force-released" : reason;
}

function renewalAnswered<Reason>(state: HoldState, reply: RenewReply, isTimed: boolean): Reaction<Reason> {
  if (reply.kind === "gone") return lost<Reason>(state, holderLoss(reply.reason));
  return { state, effects: state.isOver || !isTimed ? [] : [{ do: "count-on" }] };
}

/** Ends it. What was left to run out is not cleared up: nothing is sent for it. */
function lost<Reason>(state: HoldState, reason: Reason | HolderLoss): Reaction<Reason> {
  if (state.isLost) return { state, effects: [] };
  const told = toldOf<Reason>(state, reason);
  const cleared = state.isLeft ? [] : ([{ do: "clear-up", entry: "possible" }] as const);
  return { state: told.state, effects: [...told.effects, { do: "stop" }, ...cleared, { do: "tell-end" }] };
}

/** Gives it back. Once it is lost, what it has left behind is being cleared up already. */
function releasing<Reason>(state: HoldState, whyOver: Reason | undefined): Reaction<Reason> {
  const told = whyOver === undefined ? { state, effects: [] } : toldOf(state, whyOver);
  const isSent = !state.isLost && !state.isLeft;
  const sent = isSent ? ([{ do: "give-back" }] as const) : [];
  return { state: { ...told.state, isOver: true }, effects: [...told.effects, { do: "stop" }, ...sent] };
}

/** Lets its holder know, once. */
function toldOf<Reason>(state: HoldState, reason: Reason | HolderLoss): Reaction<Reason> {
  if (state.isLost) return { state, effects: [] };
  return { state: { ...state, isOver: true, isLost: true }, effects: [{ do: "tell-loss", reason }] };
}
