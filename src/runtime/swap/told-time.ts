import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import { isByTime, publishesLease } from "../../core/transition/by-time.js";
import type { Change } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import type { AnswerTiming, UnknownOutcome } from "../../store/object-store.js";
import type { StoreClock } from "../base/store-clock.js";
import type { SwapOptions } from "./swap-options.js";

/** Says when the store answered: an error may come from a proxy on the way there, with another clock. */
export function timingByStore(outcome: {
  readonly kind: string;
  readonly timing?: AnswerTiming;
}): AnswerTiming | undefined {
  return outcome.kind === "unknown" || outcome.kind === "refused" ? undefined : outcome.timing;
}

/** Refuses what a cache kept: without a single answer of the store there is no store time, and that is not such an answer. */
export function outOfCache(key: string, timing: AnswerTiming): UnknownOutcome {
  const what = "the answer came out of a cache (it has an Age), and none of the store has told the time yet";
  const error = new S3MutexError("store-unavailable", `${key}: ${what}. Let reads of locks pass the cache.`);
  return { kind: "unknown", error, throttled: false, sent: true, timing };
}

/** Whatever was answered came too late to be believed: the clocks parted while it was under way. */
export const CLOCKS_UNSTEADY: UnknownOutcome = {
  kind: "unknown",
  error: new S3MutexError("store-unavailable", "this process was suspended, or its clock was set, during each request"),
  throttled: false,
  sent: true,
};

/**
 * On how many answers the time of one call rests. No client judges others by one answer, also where its own wall clock agrees with it:
 * both may be wrong by the same hour. It asks once more, and where no second answer tells the time, it goes by none. Nor is anything
 * written by one, since all that a version says is dated: when a waiter came, since when the lock is free, the first token. Only a lease that is
 * confirmed before it is handed out is: the answer to that write is the second, and what it was told by one is put right.
 */
export class Witnesses {
  readonly #clock: StoreClock;
  readonly #options: Pick<SwapOptions, "role" | "isConfirmedLater">;
  #asked = 0;

  constructor(clock: StoreClock, options: Pick<SwapOptions, "role" | "isConfirmedLater">) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Whether to read, whatever the call is about: no time is known, or one that the wall clock contradicts. */
  get isTimeUnknown(): boolean {
    const isDoubted = this.#options.role === "contender" && this.#clock.needsWitness && !this.#clock.isSilent;
    return this.#clock.now() === undefined || isDoubted;
  }

  /** It was asked often enough, and one answer is all that tells the time. */
  get areTooFew(): boolean {
    return this.#asked >= MOST_ASKED && this.#clock.hasOneWitness;
  }

  /** Says whether to read once more before that change is made, or it is told that none is to be. */
  needAnother(record: LockRecord | undefined, change: Change | undefined, attempt: Attempt): boolean {
    if (attempt.lacksStoreTime || !this.#clock.hasOneWitness) return false;
    const isConfirmed = this.#options.isConfirmedLater && change !== undefined && publishesLease(change, attempt);
    const isPublished = change !== undefined && !isConfirmed;
    if (!isPublished && !isByTime(record, change, attempt)) return false;
    this.#asked += 1;
    return true;
  }
}

/** Answers out of a cache tell no time. */
const MOST_ASKED = 3;
