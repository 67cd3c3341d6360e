/**
 * One compare-and-swap on an object, from one answer to the next, until its change is known to have been made: when the object is read,
 * which decision counts, and what follows from each answer. Its driver does what is said here, and comes back with what came of it.
 */

/** What one compare-and-swap goes by. */
export interface SwapState<Version> {
  /** The version that the next decision is about; undefined: one has to be read. */
  readonly base: Version | undefined;
  /** Whether that was read for this call, so that a decision to change nothing counts. */
  readonly isFresh: boolean;
}

interface Asked {
  /** The monotonic time at which the request that showed it left. */
  readonly askedAtMs: number;
}

/**
 * Begins a swap. `latest`: what was seen last, by any caller. `from`: what this caller has read, which counts as
 * long as nothing newer is known; `"store"`: whatever is known, it reads first.
 */
export function begunSwap<Version extends Asked>(
  latest: Version | undefined,
  from: Asked | "store" | undefined,
): SwapState<Version> {
  if (from === "store" || latest === undefined) return { base: undefined, isFresh: false };
  return { base: latest, isFresh: from !== undefined && latest.askedAtMs >= from.askedAtMs };
}

/**
 * Gives the version to decide on; undefined: to be read first, as is whatever is known while it is not known what
 * time it is. That is asked only where there is a version: to ask is to read the clocks.
 */
export function baseOf<Version>({ base }: SwapState<Version>, isTimeUnknown: () => boolean): Version | undefined {
  return base === undefined || isTimeUnknown() ? undefined : base;
}

/** Goes on from its read, or from a newer version that came to its hands where a write was refused; undefined: it has to be read. */
export function nowAt<Version>(base: Version | undefined): SwapState<Version> {
  return { base, isFresh: base !== undefined };
}

/**
 * Says what a decision comes to. To change nothing is done where it was read for this call; by an older version it
 * is read first. `isDoubted`: another answer is to tell the time before either counts.
 */
export function afterDecision(
  { isFresh }: Pick<SwapState<unknown>, "isFresh">,
  { changes, isDoubted }: { readonly changes: boolean; readonly isDoubted: boolean },
): "done" | "read" | "write" {
  if (isDoubted) return "read";
  if (changes) return "write";
  return isFresh ? "done" : "read";
}
