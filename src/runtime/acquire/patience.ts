import { type CallTimes, callTimes, fromItsTurn, lastPollAtMs, untilMs } from "../../core/client/call-times.js";
import {
  isContention,
  isOutrun,
  isStuck,
  isTakenIn,
  isTold,
  type Learnt,
  learn,
  type News,
  NOTHING_LEARNT,
  SILENT_MS,
} from "../../core/client/patience.js";
import type { LockRecord } from "../../core/record.js";
import type { AcquireReply } from "../../core/transition/acquire.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { requestTimeoutMs, sleepUntil, UNREACHABLE_MS } from "../base/timing.js";
import type { StoreCheckPatience } from "../check/store-is-safe.js";
import type { Snapshot } from "../swap/snapshot.js";
import { uncheckedInTime } from "../swap/stalled.js";
import type { WriteLog } from "../swap/write-log.js";
import type { AcquireRequest } from "./acquire-request.js";

/**
 * How long one caller waits for a lock, and what may be said to it when that is over: what it learns and until when it waits is told by
 * `core/client`; here is the clock, and the waiting.
 */
export class Patience {
  readonly #context: Context;
  readonly #request: AcquireRequest;
  readonly #writeLog: WriteLog;
  readonly #timeoutMs: number;
  readonly #unreachableMs: number;
  #times: CallTimes;
  #learnt: Learnt = NOTHING_LEARNT;
  #lastFailure: S3MutexError | undefined;
  /** Whether the lock's own requests were answered, and the check of the store is waited for. */
  #isInCheck = false;
  #resolveTurn: () => void = () => {};
  /** Resolves when the store is first asked for this caller. */
  readonly #turn = new Promise<void>((resolve) => {
    this.#resolveTurn = resolve;
  });
  #resolveFirstAnswer: () => void = () => {};
  /** Resolves when there is a first definite answer: one full attempt has been made. */
  readonly #firstAnswer = new Promise<void>((resolve) => {
    this.#resolveFirstAnswer = resolve;
  });

  constructor(context: Context, request: AcquireRequest, writeLog: WriteLog) {
    this.#timeoutMs = requestTimeoutMs(request.leaseMs);
    this.#unreachableMs = request.unreachableMs ?? UNREACHABLE_MS;
    this.#context = context;
    this.#request = request;
    this.#writeLog = writeLog;
    this.#times = callTimesOf(this.#nowMs(), request);
  }

  /** When the caller came, by the monotonic clock. */
  get arrivedAtMs(): number {
    return this.#times.arrivedAtMs;
  }

  /** In milliseconds. */
  get waitedMs(): number {
    return this.#nowMs() - this.arrivedAtMs;
  }

  /** Says whether this version was asked for since the caller came, so that it says something about that time. */
  isOfThisCall(version: Pick<Snapshot, "askedAtMs"> | undefined): boolean {
    return version !== undefined && version.askedAtMs >= this.arrivedAtMs;
  }

  /** The monotonic time at which it is over. */
  get untilMs(): number {
    return untilMs(this.#times);
  }

  get isOver(): boolean {
    return this.#nowMs() >= this.untilMs;
  }

  get #lastPollAtMs(): number {
    return lastPollAtMs(this.#times, this.#context.clock.roundTripMs);
  }

  /** Whether there is no time for another poll. */
  get isLastPoll(): boolean {
    return this.#nowMs() >= this.#lastPollAtMs;
  }

  /** Whether what has not been asked for yet has to be asked for now. */
  get isLastChance(): boolean {
    return !this.hasAsked && this.isLastPoll;
  }

  /** Whether the store was asked for this caller. */
  get hasAsked(): boolean {
    return this.#learnt.hasAsked;
  }

  /** Notes that from now on the store is being asked. */
  reportAsked(): void {
    if (!this.hasAsked) this.#times = fromItsTurn(this.#times, this.#nowMs());
    this.#learn({ kind: "asked" });
    this.#resolveTurn();
  }

  /** Limits a pause, so that it is never such a long one that there is no time left to see what has become of the lock. */
  pauseMs(wantedMs: number): number {
    return Math.min(wantedMs, Math.max(this.#lastPollAtMs - this.#nowMs(), 1));
  }

  /** Notes an answer to this caller or another one: the store can be reached, and another caller has the lock, or is before this one. */
  reportAnswer(isTaken: boolean): void {
    this.#learn({ kind: "answered", isTaken });
    this.#resolveFirstAnswer();
  }

  /** Notes what is decided about this version; `isOfThisCall`: it was read since the caller came. */
  reportVersion(record: LockRecord | undefined, reply: AcquireReply["kind"], isOfThisCall: boolean): void {
    const isOwn = (writeId: string) => this.#writeLog.isOwn(writeId);
    this.#learn({ kind: "decided", record, reply, isOfThisCall, claim: this.#request, isOwn, nowMs: this.#nowMs() });
  }

  /** Says whether others have so much of it that this caller has no room beside them, also as the first in the queue. */
  isTakenIn(record: LockRecord | undefined): boolean {
    return isTakenIn(record, this.#request);
  }

  /** Whether another caller had the lock when it was last read. */
  get isTaken(): boolean {
    return !this.#learnt.isFree;
  }

  /** Notes that a write was refused as one that came second. */
  reportRefused(): void {
    this.#learn({ kind: "refused", nowMs: this.#nowMs() });
  }

  /** Notes that the store did not answer, or that its answers contradict each other. */
  reportFailure(error: S3MutexError): void {
    this.#lastFailure = error;
    this.#learn({ kind: "failed" });
  }

  /** Whether to say that another caller had the lock for all that time, rather than that the store did not answer. */
  get isContention(): boolean {
    return isContention(this.#learnt, this.#nowMs(), this.#context.clock.roundTripMs);
  }

  /** Whether an answer has said that another caller has the lock, and none since that it is free and cannot be taken. */
  get isTold(): boolean {
    return isTold(this.#learnt, this.#nowMs(), this.#context.clock.roundTripMs);
  }

  /** Whether others were faster, or had their turn before, on a store that answers. */
  get isOutrun(): boolean {
    return isOutrun(this.#learnt);
  }

  /** Resolves when it is over: where the store has not answered yet, not before one attempt has had its time. */
  async isUp(signal: AbortSignal): Promise<void> {
    await this.#sleepUntil(this.untilMs, signal);
    if (this.#learnt.wasAnswered) return;
    const ends = (async () => {
      // One attempt of each: those before it in this process do not use up its time.
      const { patienceMs, queueUntilMs } = this.#times;
      if (patienceMs === 0) await Promise.race([this.#turn, this.#sleepUntil(queueUntilMs, signal)]);
      await this.#sleepUntil(this.#times.silentUntilMs, signal);
      if (!this.#learnt.isUnderWay || this.#learnt.hasFailed) return;
      await this.#sleepUntil(this.#times.attemptUntilMs, signal);
    })();
    await Promise.race([this.#firstAnswer, ends]);
  }

  /** Says how long and how eagerly its requests are tried. */
  trying(signal: AbortSignal): StoreCheckPatience {
    return {
      signal,
      timeoutMs: this.#timeoutMs,
      untilMs: this.untilMs,
      unreachableMs: this.#unreachableMs,
      onFailure: (error) => this.reportFailure(error),
      onRefusal: (error = this.#lastFailure) => {
        this.#lastFailure = error;
      },
      onCheck: (isUnderWay) => {
        this.#isInCheck = isUnderWay;
        if (isUnderWay) this.#lastFailure = undefined;
      },
      role: "contender",
    };
  }

  /** Says what to tell a caller whose time is up without an answer. */
  unanswered(lockName: string): S3MutexError {
    const waitedMs = Math.round(this.waitedMs + (this.#request.waitedBeforeMs ?? 0));
    if (this.#isInCheck) return uncheckedInTime(this.#context.check, this.#lastFailure, { lockName, waitedMs });
    const what = `whether the lock ${JSON.stringify(lockName)} is free`;
    const leftMs = Math.max(0, Math.round(this.#times.attemptUntilMs - this.arrivedAtMs));
    const cause = this.#lastFailure;
    const why = cause?.message ?? (this.#learnt.wasRefused ? REFUSED : NOTHING_CAME);
    const said = isStuck(this.#learnt, this.#nowMs(), this.#context.clock.roundTripMs)
      ? `The lock ${JSON.stringify(lockName)} was free when it was last read, or its lease over, and the store did not let it be taken.`
      : `The store did not say within ${waitedMs} ms ${what}.`;
    const message =
      leftMs < SILENT_MS
        ? `The time of this call was up before the store had said ${what}: what it had asked for before had left ${leftMs} ms. Allow more time.`
        : `${said} ${why}`;
    return new S3MutexError("store-unavailable", message, {
      lockName,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #learn(news: News): void {
    this.#learnt = learn(this.#learnt, news);
  }

  async #sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#nowMs() >= atMs) return;
    await sleepUntil(this.#context.effects, atMs, { keepAlive: true, signal });
  }

  #nowMs(): number {
    return this.#context.effects.monotonicMs();
  }
}

/** Says until when a call may take that comes now. */
export function callTimesOf(
  nowMs: number,
  {
    patienceMs,
    leaseMs,
    attemptUntilMs = Number.POSITIVE_INFINITY,
  }: Pick<AcquireRequest, "patienceMs" | "leaseMs" | "attemptUntilMs">,
): CallTimes {
  return callTimes(nowMs, { patienceMs, requestTimeoutMs: requestTimeoutMs(leaseMs), attemptUntilMs });
}

/** What there is to say where not even a failure has come. */
const NOTHING_CAME =
  "Nothing came, or nothing has left yet: a request may wait for credentials, its turn, or an examination of the store.";
/** The same where a write was answered and nothing after it. */
const REFUSED =
  "It refused a write because the object had changed, and no read has shown yet that another caller changed it.";
