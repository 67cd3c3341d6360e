import { contentionDelayMs, eagerDelayMs, throttledDelayMs } from "../../core/schedule/backoff.js";
import { S3MutexError } from "../../errors.js";
import type { RequestOptions, UnknownOutcome } from "../../store/object-store.js";
import { onAbort } from "../base/abort.js";
import { type Context, jitter } from "../base/context.js";
import { sleep } from "../base/timing.js";
import { isSameVersion, type Version } from "./snapshot.js";
import {
  givenUp,
  hasAnswered,
  type Place,
  stalledError,
  stillContested,
  unanswered,
  wordsOfSilence,
} from "./stalled.js";

/** Holders step back only after losing this often: what they lose to is a waiter that joins, and those let none lose twice in a row. */
const EAGER_RACES = 5;

/** A lost answer is not worth a message: that takes 2.5 s where the lease is 15 s. */
const MENTION_AFTER_MS = 3000;

/** So often in a row, for longer than a store is busy with a key: one that refuses to change what it shows unchanged is unsafe. */
const UNSAFE_STALLS = 5;
const UNSAFE_AFTER_MS = 2000;
/** So that the stalls that make a store unsafe take as long as they have to. */
const STALL_PAUSE_MS = UNSAFE_AFTER_MS / UNSAFE_STALLS;
/** The same where no caller waits: a request a second costs the store nothing. */
const QUIET_STALL_PAUSE_MS = 1000;

/** A read and a write. */
const FULL_ATTEMPT = 2;

/** So much later than any pause of ours would end: the process stood still. A busy event loop is late by tens of milliseconds. */
const OVERSLEPT_MS = 500;

/** A request that was not answered for this long, in milliseconds, tells more than that the time was up: a store that works takes tens of them. */
const TELLING_MS = 1000;

/** Where the caller's time has no end, a request that hangs is given up after this long all the same: the usual lease. */
const LONGEST_ANSWER_MS = 60_000;

/** How long and how eagerly to try. */
export interface RetryOptions {
  /** Until when (monotonic) a store that does not answer is asked again. */
  readonly untilMs: number;
  /** For each request, in milliseconds. However soon `untilMs` is, there is time for two of them. */
  readonly timeoutMs: number;
  /** When (monotonic) the caller's time began, where it had to wait for its turn. Default: now. */
  readonly startedAtMs?: number;
  /** Gives up before `untilMs` when for so long nothing has changed in the store either. Default: never. */
  readonly unreachableMs?: number;
  /** Holders try again at once, contenders step back. */
  readonly role: "holder" | "contender";
  /** Conflicts that nothing explains are ridden out until the time is up: no caller waits for this, and it has to be done. */
  readonly outlastsStalls?: boolean;
  /** How long to wait after losing a race, where the role's own delays will not do. */
  readonly afterRaceMs?: () => number;
  /** Told of each race that seems to be lost: `onFailure` follows where it turns out that the object was not changed. */
  readonly onLostRace?: () => void;
  /** Told where the store has turned a write away that came too soon, and the time is up before the next try. */
  readonly onTooSoon?: () => void;
  /** Told of each try that has not come to anything, and whether there was an answer to it. */
  readonly onFailure?: (error: S3MutexError, isAnswered: boolean) => void;
  /** Told as a request is (`RequestOptions`). */
  readonly onRefusal?: RequestOptions["onRefusal"];
  /** Whether what is asked is not the lock's object, but whether the store may be locked on. */
  readonly isOfCheck?: boolean;
  /** Aborted: no further request; the swap rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** What a request is told of the time that there is for it. */
export type TimeLeft = Required<Pick<RequestOptions, "timeoutMs" | "giveUpAtMs">> & Pick<RequestOptions, "onRefusal">;

/**
 * Counts the tries of one call, waits between them, and says when to give up. Three things keep a call from its end: the store
 * does not answer; another client always changes the object first, which is progress; and conflicts after which the object is what it
 * was before, which is a fault. All of them end with the caller's time.
 */
export class RetryBudget {
  readonly #context: Context;
  readonly #lockName: string | undefined;
  readonly #options: RetryOptions;
  readonly #contenders: () => number;
  readonly #startedAtMs: number;
  #failures = 0;
  #races = 0;
  #failingSinceMs: number | undefined;
  #isMentioned = false;
  #lastError: S3MutexError | undefined;
  /** Whether that was an answer, of the store or of something before it, which was reached then. */
  #isAnswered: boolean | undefined;
  /** Whether reads were answered, so that what does not get through are writes. */
  #hasRead = false;
  #seen: Version = { etag: undefined };
  #seenAtMs: number;
  /** The version that a write was conditioned on and refused for, until the next read shows which one there is. */
  #refused: { readonly version: Version; readonly failures: number } | undefined;
  #stalls = 0;
  #stallingSinceMs = 0;
  /** What the store was seen to do, as long as nothing has come of it. */
  #stall: S3MutexError | undefined;
  /** Whether a request was given up because the time was up. */
  #hasGivenUp = false;
  /** Whether the last request was given up so soon that nothing follows from it. */
  #wasCutShort = false;
  /** A caller that comes too late for its next request, since the process stood still, makes a last attempt all the same. */
  #lastUntilMs: number | undefined;

  /** Without a name it is a listing. `contenders`: how many want to change the object, as far as is known. */
  constructor(
    context: Context,
    lockName: string | undefined,
    options: RetryOptions,
    contenders: () => number = () => 1,
  ) {
    this.#context = context;
    this.#lockName = lockName;
    this.#options = options;
    this.#contenders = contenders;
    this.#seenAtMs = this.#nowMs();
    this.#startedAtMs = options.startedAtMs ?? this.#seenAtMs;
  }

  /**
   * Waits for the answer to a request; `unknown` where there is none when the time is up. Before a request leaves and its own time-out
   * begins, it may have to wait: for credentials, for its turn, for an examination of the store. What only reads is not waited for once
   * the signal is aborted.
   */
  answer<Outcome>(
    ask: (left: TimeLeft) => Promise<Outcome>,
    { isRead = false } = {},
  ): Promise<Outcome | UnknownOutcome> {
    const { timeoutMs, signal } = this.#options;
    const nowMs = this.#nowMs();
    if (nowMs > this.#endMs + OVERSLEPT_MS) this.#lastUntilMs ??= nowMs + FULL_ATTEMPT * timeoutMs;
    const leftMs = Math.min(this.#endMs - nowMs, LONGEST_ANSWER_MS);
    // A caller that was aborted is told so by the request, which checks that before anything is sent.
    if (signal?.aborted) return ask({ timeoutMs, giveUpAtMs: nowMs });
    if (leftMs <= 0) return Promise.resolve(this.#giveUp(0));
    let refusal: S3MutexError | undefined;
    const onRefusal = (error?: S3MutexError) => {
      refusal = error;
      this.#options.onRefusal?.(error);
    };
    const asking = ask({ timeoutMs, giveUpAtMs: nowMs + leftMs, onRefusal });
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        const outcome = this.#giveUp(leftMs);
        // As it would be thrown if the search for other credentials had come to its end.
        if (refusal !== undefined && this.#hasGivenUp) reject(refusal);
        else resolve(outcome);
      };
      const cancelTimer = this.#context.effects.setTimer(leftMs, giveUp, { keepAlive: true });
      const stop = () => resolve(unanswered("the caller has stopped waiting", true));
      const forget = isRead && signal !== undefined ? onAbort(signal, stop) : () => {};
      const end = () => {
        cancelTimer();
        forget();
      };
      asking.then(resolve, reject);
      asking.then(end, end);
    });
  }

  /**
   * Notes that a version was read. Another one than a write was refused for: another client got through, so that a store that turns us
   * away is not out of reach. The same one: nothing explains the conflict. @throws when that goes on for too long
   */
  saw(version: Version, place: Place): void {
    this.#hasRead = true;
    const refused = this.#refused;
    this.#refused = undefined;
    if (refused !== undefined) {
      if (isSameVersion(refused.version, version)) return this.#stalled(refused.version, version, place);
      this.#stalls = 0;
      this.#stall = undefined;
    }
    if (isSameVersion(this.#seen, version)) return;
    this.#seen = version;
    this.#seenAtMs = this.#nowMs();
  }

  /** Waits, or throws when the time is up: the store did not answer, or it is not known what the write did. */
  async afterFailure(outcome: UnknownOutcome): Promise<void> {
    if (this.#options.signal?.aborted) return;
    // Where no answer came before either, the store is away, whatever came first.
    const wasSecond = this.#refused?.failures === this.#failures && this.#stalls === 0;
    if (this.#hasGivenUp && wasSecond) throw stillContested(this.#lockName ?? "", this.#races);
    this.#failures += 1;
    // That there was no time for another request says less than what became of the last.
    const saysLess = this.#wasCutShort || !outcome.sent;
    if (!saysLess) this.#stall = undefined;
    const error = (saysLess ? (this.#stall ?? this.#lastError) : undefined) ?? outcome.error;
    this.#lastError = error;
    if (error === outcome.error) this.#isAnswered = hasAnswered(outcome);
    this.#options.onFailure?.(error, error === outcome.error && hasAnswered(outcome));
    const leftMs = this.#untilMs - this.#nowMs();
    if (this.#hasGivenUp || (this.#failures >= 2 && leftMs <= 0)) {
      if (error === this.#stall) throw error;
      const message = `${this.#words.past}: ${error.message}`;
      throw new S3MutexError("store-unavailable", message, { cause: error, ...named(this.#lockName) });
    }
    this.#mention(error);
    const delayMs = this.#delayAfterFailureMs(outcome.throttled, leftMs);
    if (outcome.throttled && delayMs + this.#context.clock.usualRoundTripMs >= leftMs) this.#options.onTooSoon?.();
    await this.#pause(this.#failures >= 2 ? Math.min(delayMs, leftMs) : delayMs);
  }

  /** Counts a write that was conditioned on this version and refused, and waits before the next. True if it waited a while. */
  async afterLostRace(version: Version): Promise<boolean> {
    this.#races += 1;
    this.#refused = { version, failures: this.#failures };
    if (this.#stalls === 0) {
      this.#stallingSinceMs = this.#nowMs();
      this.#options.onLostRace?.();
    }
    const isHolder = this.#options.role === "holder";
    const delayMs = isHolder && this.#races <= EAGER_RACES ? 0 : this.#delayMs(this.#races);
    // One of its own whose answer was lost may have been first: then it has what it wants.
    const mayBeOwn = this.#failures > 0;
    const usualMs = mayBeOwn ? this.#delayMs(1) : (this.#options.afterRaceMs?.() ?? delayMs);
    // There is no client to make way for; and the caller is to learn soon what is wrong.
    const longestMs = this.#options.outlastsStalls ? QUIET_STALL_PAUSE_MS : STALL_PAUSE_MS;
    return this.#pause(this.#stalls === 0 ? usualMs : Math.min(this.#delayMs(this.#stalls + 1), longestMs));
  }

  /** Counts a write that was refused although the object is the one that it was conditioned on. */
  #stalled({ etag }: Version, shown: Version, place: Place): void {
    this.#stalls += 1;
    const stallingMs = this.#nowMs() - this.#stallingSinceMs;
    const isUnsafe = !this.#options.outlastsStalls && this.#stalls >= UNSAFE_STALLS && stallingMs >= UNSAFE_AFTER_MS;
    const seen = {
      ...place,
      lockName: this.#lockName ?? "",
      etag,
      shownEtag: shown.etag,
      stalls: this.#stalls,
      stallingMs,
    };
    const error = stalledError(isUnsafe ? "store-unsafe" : "store-unavailable", seen);
    this.#stall = error;
    this.#isAnswered = true;
    this.#options.onFailure?.(error, true);
    if (isUnsafe || (this.#stalls >= 2 && this.#nowMs() >= this.#endMs)) throw error;
    this.#mention(error);
  }

  get #words(): ReturnType<typeof wordsOfSilence> {
    const about = { isAnswered: this.#isAnswered, hasRead: this.#hasRead, isOfCheck: this.#options.isOfCheck };
    return wordsOfSilence(this.#lockName, about);
  }

  get #untilMs(): number {
    const { untilMs, unreachableMs = Number.POSITIVE_INFINITY } = this.#options;
    return Math.min(untilMs, this.#seenAtMs + unreachableMs);
  }

  /** After this nothing is waited for, whatever the store does. */
  get #endMs(): number {
    const shortestMs = FULL_ATTEMPT * this.#options.timeoutMs;
    return Math.max(this.#untilMs, this.#startedAtMs + shortestMs, this.#lastUntilMs ?? 0);
  }

  #giveUp(afterMs: number): UnknownOutcome {
    // Timers may be a little early.
    this.#hasGivenUp = this.#endMs <= this.#nowMs() + 1;
    this.#wasCutShort = afterMs < Math.min(this.#options.timeoutMs, TELLING_MS);
    return givenUp(afterMs, this.#wasCutShort);
  }

  /** Warns once, when nothing has come of the requests for a while: a caller that waits without limit would never learn why. */
  #mention(error: S3MutexError): void {
    const nowMs = this.#nowMs();
    this.#failingSinceMs ??= nowMs;
    if (this.#isMentioned || nowMs - this.#failingSinceMs < MENTION_AFTER_MS) return;
    this.#isMentioned = true;
    this.#context.logger.warn(this.#words.present, { err: error });
  }

  #delayAfterFailureMs(throttled: boolean, leftMs: number): number {
    if (!throttled || this.#options.role === "holder") return this.#delayMs(this.#failures, throttled);
    const random = jitter(this.#context);
    // A caller that has no time for that makes its second try no later than if it were alone.
    return Math.min(throttledDelayMs(this.#contenders(), random), Math.max(leftMs, throttledDelayMs(1, random)));
  }

  #delayMs(tries: number, throttled = false): number {
    const { clock } = this.#context;
    return this.#options.role === "holder"
      ? eagerDelayMs(tries, throttled, jitter(this.#context))
      : contentionDelayMs(tries - 1, clock.usualRoundTripMs, jitter(this.#context));
  }

  async #pause(wantedMs: number): Promise<boolean> {
    const delayMs = Math.min(wantedMs, this.#endMs - this.#nowMs());
    if (delayMs <= 0) return false;
    await sleep(this.#context.effects, delayMs, { keepAlive: true, signal: this.#options.signal });
    return true;
  }

  #nowMs(): number {
    return this.#context.effects.monotonicMs();
  }
}

function named(lockName: string | undefined) {
  return lockName === undefined ? {} : { lockName };
}
