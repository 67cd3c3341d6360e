import type { Holder } from "../record.js";

/** What is known of a grant before it is handed out; times are durations in milliseconds. */
export interface ConfirmationSight {
  readonly holder: Pick<Holder, "leaseMs" | "undated">;
  /** The lease that was asked for; what was written may be shorter until the store is known to be safe. */
  readonly leaseMs: number;
  /** How long after a renewal its holder stops believing, where that is not as usual. */
  readonly renewalDeadlineMs: number | undefined;
  /** What is left of it by its holder's clocks; undefined where it is forgotten since when it counts. */
  readonly leftMs: number | undefined;
  /** Whether an answer says that the store's clock is not where its end assumed it. */
  readonly isContradicted: boolean;
  /** The same of the first write, where that made the record: its token may be one that was given out before. */
  readonly isTokenDoubted: boolean;
  /** Whether the store tells no time at all. */
  readonly lacksStoreTime: boolean;
  /** Whether one answer only has told the time. */
  readonly hasOneWitness: boolean;
  /** How often it was renewed for this. */
  readonly renewals: number;
  /** Whether there is no time left for another renewal. */
  readonly isUp: boolean;
}

/**
 * Decides whether to hand it out: with at least half of what its holder uses of it left, and only if its end is where the clock says.
 * Otherwise it is renewed first; or given back, since the next one has a token above that of this record and of any time that was told.
 */
export function confirmation(sight: ConfirmationSight): "hand-out" | "renew" | "give-back" | "too-short" {
  const { holder, leaseMs, renewalDeadlineMs = leaseMs, leftMs = 0, isTokenDoubted, renewals, isUp } = sight;
  if (isTokenDoubted) return "give-back";
  const isLast = renewals >= MAX_RENEWALS;
  const enoughMs = isLast || isUp ? 0 : Math.min(leaseMs, renewalDeadlineMs) / 2;
  if (leftMs > enoughMs && isTimed(sight) && holder.leaseMs >= leaseMs) return "hand-out";
  return isLast ? "too-short" : "renew";
}

/**
 * Says whether its end is where the clock says that it is: two answers at least have told the time, and none since
 * says otherwise; or the record says that it was not told, and there still are not two.
 */
function isTimed({ holder: { undated }, isContradicted, lacksStoreTime, hasOneWitness }: ConfirmationSight): boolean {
  if (isContradicted) return false;
  return undated ? lacksStoreTime || hasOneWitness : !hasOneWitness;
}

/** A lease that is over again after this many renewals is too short for the store. */
const MAX_RENEWALS = 3;
