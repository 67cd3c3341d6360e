import { isByTime, publishesLease } from "../../core/by-time.js";
import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import type { Change } from "../../core/transition/decision.js";
import type { StoreClock } from "../base/store-clock.js";
import type { SwapOptions } from "./swap-options.js";

/**
 * On how many answers the time of one call rests. No client judges others by one answer, also where its own wall clock agrees with it:
 * both may be wrong by the same hour. It asks once more, and where no second answer tells the time, it goes by none. Nor does a holder
 * publish its lease by one; a contender may, since the answer to its write is the second, and nothing is handed out before that.
 */
export class Witnesses {
  readonly #clock: StoreClock;
  readonly #role: SwapOptions["role"];
  #asked = 0;

  constructor(clock: StoreClock, role: SwapOptions["role"]) {
    this.#clock = clock;
    this.#role = role;
  }

  /** Whether to read, whatever the call is about: no time is known, or one that the wall clock contradicts. */
  get isTimeUnknown(): boolean {
    const isDoubted = this.#role === "contender" && this.#clock.needsWitness && !this.#clock.isSilent;
    return this.#clock.now() === undefined || isDoubted;
  }

  /** It was asked often enough, and one answer is all that tells the time. */
  get areTooFew(): boolean {
    return this.#asked >= MOST_ASKED && this.#clock.hasOneWitness;
  }

  /** Whether to read once more before that change is made. */
  needAnother(record: LockRecord | undefined, change: Change, attempt: Attempt): boolean {
    if (attempt.lacksStoreTime || !this.#clock.hasOneWitness) return false;
    const isPublished = this.#role === "holder" && publishesLease(change, attempt);
    if (!isPublished && !isByTime(record, change, attempt)) return false;
    this.#asked += 1;
    return true;
  }
}

/** Answers out of a cache tell no time. */
const MOST_ASKED = 3;
