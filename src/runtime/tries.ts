import { contentionDelayMs, eagerDelayMs, throttledDelayMs } from "../core/backoff.js";
import { S3MutexError } from "../errors.js";
import type { UnknownOutcome } from "../store/object-store.js";
import { type Context, jitter } from "./context.js";
import { sleep } from "./timing.js";

/** Holders step back only after losing this often: what they lose to is usually somebody joining the queue. */
const EAGER_RACES = 5;

/** A few lost answers are nothing that anybody has to know about. */
const MENTION_AFTER_MS = 3000;

/** How long and how eagerly to try. */
export interface TryOptions {
  /** Until when (monotonic) a store that does not answer is asked again; it is asked at least twice. */
  readonly untilMs: number;
  /** Gives up before that when for so long nothing has changed in the store either. Default: never. */
  readonly unreachableMs?: number;
  /** Holders try again at once, contenders step back. */
  readonly role: "holder" | "contender";
  /** How long to wait after losing a race, where the role's own delays will not do. */
  readonly afterRaceMs?: () => number;
  /** Told of each try that nobody answered. */
  readonly onFailure?: (error: S3MutexError) => void;
  /** Aborted: no further request; the swap rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** Counts the tries of one swap, waits between them, and says when to give up. */
export class Tries {
  readonly #context: Context;
  readonly #options: TryOptions;
  readonly #contenders: () => number;
  #failures = 0;
  #races = 0;
  #failingSinceMs: number | undefined;
  #isMentioned = false;
  #seenEtag: string | undefined;
  #seenAtMs: number;

  /** `contenders`: how many want to change the object, as far as is known. */
  constructor(context: Context, options: TryOptions, contenders: () => number = () => 1) {
    this.#context = context;
    this.#options = options;
    this.#contenders = contenders;
    this.#seenAtMs = context.effects.monotonicMs();
  }

  /** A version was read: where others get through, a store that turns us away (429) is not out of reach. */
  saw(etag: string | undefined): void {
    if (etag === this.#seenEtag) return;
    this.#seenEtag = etag;
    this.#seenAtMs = this.#context.effects.monotonicMs();
  }

  /** Nobody answered, or nobody knows what the write did. */
  async failed(outcome: UnknownOutcome, lockName: string): Promise<void> {
    this.#failures += 1;
    this.#options.onFailure?.(outcome.error);
    const { untilMs, unreachableMs = Number.POSITIVE_INFINITY } = this.#options;
    const leftMs = Math.min(untilMs, this.#seenAtMs + unreachableMs) - this.#context.effects.monotonicMs();
    if (this.#failures >= 2 && leftMs <= 0) {
      throw new S3MutexError(
        "store-unavailable",
        `The store did not answer for the lock ${JSON.stringify(lockName)}: ${outcome.error.message}`,
        { cause: outcome.error, lockName },
      );
    }
    this.#mention(outcome.error, lockName);
    const delayMs = this.#delayAfterFailureMs(outcome.throttled, leftMs);
    await this.#pause(this.#failures >= 2 ? Math.min(delayMs, leftMs) : delayMs);
  }

  /** Once, when nobody has answered for a while: whoever waits without limit would never learn why. */
  #mention(error: S3MutexError, lockName: string): void {
    const nowMs = this.#context.effects.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    if (this.#isMentioned || nowMs - this.#failingSinceMs < MENTION_AFTER_MS) return;
    this.#isMentioned = true;
    this.#context.logger.warn?.(`s3-mutex: the store does not answer for ${JSON.stringify(lockName)}`, error);
  }

  /** Somebody else changed the object first: that is progress, just not ours. True if it waited a while. */
  async lostRace(): Promise<boolean> {
    this.#races += 1;
    const isHolder = this.#options.role === "holder";
    const delayMs = isHolder && this.#races <= EAGER_RACES ? 0 : this.#delayMs(this.#races);
    // One of its own whose answer was lost may have been first: then it has what it wants.
    const mayBeOwn = this.#failures > 0;
    return this.#pause(mayBeOwn ? this.#delayMs(1) : (this.#options.afterRaceMs?.() ?? delayMs));
  }

  #delayAfterFailureMs(throttled: boolean, leftMs: number): number {
    if (!throttled || this.#options.role === "holder") return this.#delayMs(this.#failures, throttled);
    const random = jitter(this.#context);
    // Whoever has no time for that makes its second try no later than if nobody else were there.
    return Math.min(throttledDelayMs(this.#contenders(), random), Math.max(leftMs, throttledDelayMs(1, random)));
  }

  #delayMs(tries: number, throttled = false): number {
    const { clock } = this.#context;
    return this.#options.role === "holder"
      ? eagerDelayMs(tries, throttled, jitter(this.#context))
      : contentionDelayMs(tries - 1, clock.usualRoundTripMs, jitter(this.#context));
  }

  async #pause(delayMs: number): Promise<boolean> {
    if (delayMs <= 0) return false;
    await sleep(this.#context.effects, delayMs, { keepAlive: true, signal: this.#options.signal });
    return true;
  }
}
