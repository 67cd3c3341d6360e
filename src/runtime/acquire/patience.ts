import { areCompatible, type LockRecord } from "../../core/record.js";
import type { AcquireReply } from "../../core/transition/acquire.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { requestTimeoutMs, sleepUntil, UNREACHABLE_MS } from "../base/timing.js";
import type { StoreCheckPatience } from "../check/store-is-safe.js";
import type { Snapshot } from "../swap/snapshot.js";
import type { WriteLog } from "../swap/write-log.js";
import type { AcquireRequest } from "./acquire-request.js";
import { Overtaking } from "./overtaking.js";

/** How long one caller waits for a lock, and what may be said to it when that is over. */
export class Patience {
  readonly #context: Context;
  readonly #request: AcquireRequest;
  readonly #patienceMs: number;
  readonly #timeoutMs: number;
  readonly #unreachableMs: number;
  /** When the caller came, by the monotonic clock. */
  readonly arrivedAtMs: number;
  /** Until when one attempt may take where nothing was answered by the time that the patience is over. */
  #silentUntilMs: number;
  /** The same where all of it was answered so far: a read was, and a write is under way. */
  #attemptUntilMs: number;
  /** Until when one attempt may wait for its turn among others of this process, and take. */
  readonly #queueUntilMs: number;
  readonly #attemptMs: number;
  #resolveTurn: () => void = () => {};
  /** Resolves when the store is first asked for this caller. */
  readonly #turn = new Promise<void>((resolve) => {
    this.#resolveTurn = resolve;
  });
  readonly #overtaking: Overtaking;
  #hasAsked = false;
  #isUnderWay = false;
  #wasAnswered = false;
  #wasTaken = false;
  #wasRefused = false;
  #wasOvertaken = false;
  /** Whether no other caller had the lock when it was last read. */
  #isFree = false;
  /** Whether the store has failed since then. */
  #hasFailedSince = false;
  /** Since when nothing is in the way of this caller, by the monotonic clock. */
  #ownSinceMs: number | undefined;
  #lastFailure: S3MutexError | undefined;
  #resolveFirstAnswer: () => void = () => {};
  /** Resolves when there is a first definite answer: one full attempt has been made. */
  readonly #firstAnswer = new Promise<void>((resolve) => {
    this.#resolveFirstAnswer = resolve;
  });

  constructor(context: Context, request: AcquireRequest, writeLog: WriteLog) {
    const { patienceMs, leaseMs, attemptUntilMs = Number.POSITIVE_INFINITY } = request;
    this.#timeoutMs = requestTimeoutMs(leaseMs);
    this.#unreachableMs = request.unreachableMs ?? UNREACHABLE_MS;
    this.#context = context;
    this.#request = request;
    this.#overtaking = new Overtaking(writeLog);
    this.#patienceMs = patienceMs;
    this.arrivedAtMs = this.#nowMs();
    this.#attemptMs = longestMs(patienceMs, leaseMs);
    this.#queueUntilMs = Math.min(this.arrivedAtMs + LONGEST_IN_QUEUE_MS, attemptUntilMs);
    const untilMs = Math.min(this.arrivedAtMs + this.#attemptMs, attemptUntilMs);
    this.#attemptUntilMs = untilMs;
    this.#silentUntilMs =
      patienceMs === 0 ? untilMs : Math.min(untilMs, this.arrivedAtMs + Math.max(patienceMs, SILENT_MS));
  }

  /** In milliseconds. */
  get waitedMs(): number {
    return this.#nowMs() - this.arrivedAtMs;
  }

  /** Whether this version was asked for since the caller came, so that it says something about that time. */
  isOfThisCall(version: Pick<Snapshot, "askedAtMs"> | undefined): boolean {
    return version !== undefined && version.askedAtMs >= this.arrivedAtMs;
  }

  /** The monotonic time at which it is over. */
  get untilMs(): number {
    return this.arrivedAtMs + this.#patienceMs;
  }

  get isOver(): boolean {
    return this.#nowMs() >= this.untilMs;
  }

  /** The latest moment for a poll after which a lock that became free can still be taken in time. */
  get lastPollAtMs(): number {
    return this.untilMs - LAST_POLL_ROUND_TRIPS * this.#context.clock.roundTripMs - LAST_POLL_SLACK_MS;
  }

  /** Whether there is no time for another poll. */
  get isLastPoll(): boolean {
    return this.#nowMs() >= this.lastPollAtMs;
  }

  /** Whether what has not been asked for yet has to be asked for now. */
  get isLastChance(): boolean {
    return !this.#hasAsked && this.isLastPoll;
  }

  /** Whether the store was asked for this caller. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** From now on the store is being asked. */
  reportAsked(): void {
    if (!this.#hasAsked && this.#patienceMs === 0) {
      const untilMs = Math.min(this.#nowMs() + this.#attemptMs, this.#queueUntilMs);
      [this.#attemptUntilMs, this.#silentUntilMs] = [untilMs, untilMs];
    }
    this.#hasAsked = true;
    this.#resolveTurn();
  }

  /** A pause, but never such a long one that there is no time left to see what has become of the lock. */
  pauseMs(wantedMs: number): number {
    return Math.min(wantedMs, Math.max(this.lastPollAtMs - this.#nowMs(), 1));
  }

  /** The store has answered this caller or another one: it can be reached, and another caller has the lock, or is before this one. */
  reportAnswer(isTaken: boolean): void {
    this.#wasAnswered = true;
    if (isTaken) this.#noteTaken();
    this.#resolveFirstAnswer();
  }

  /**
   * What to do about this version is decided; `isOfThisCall`: it was read since the caller came. Where another caller had the lock, or
   * was before this one, it is not known yet what became of our own write; where it was free, what fails from now on is the store.
   */
  reportVersion(record: LockRecord | undefined, reply: AcquireReply["kind"], isOfThisCall: boolean): void {
    this.#isUnderWay ||= isOfThisCall;
    if (this.#overtaking.isShownBy(record, isOfThisCall)) this.#wasOvertaken = true;
    if (!isOfThisCall) return;
    this.#wasTaken ||= reply === "waiting";
    this.#isFree = reply === "granted" || !this.isTakenIn(record);
    if (!this.#isFree) this.#noteTaken();
    this.#ownSinceMs = reply === "granted" ? (this.#ownSinceMs ?? this.#nowMs()) : undefined;
  }

  /** Whether others have so much of it that this caller has no room beside them, also as the first in the queue. */
  isTakenIn(record: LockRecord | undefined): boolean {
    return record !== undefined && !areCompatible([...record.holders, this.#request], record.limit);
  }

  /** Whether another caller had the lock when it was last read. */
  get isTaken(): boolean {
    return !this.#isFree;
  }

  #noteTaken(): void {
    this.#isFree = false;
    this.#ownSinceMs = undefined;
    this.#hasFailedSince = false;
  }

  /** A write was refused as one that came second: until a read shows what came first, that may be the store's fault. */
  reportRefused(): void {
    this.#wasRefused = true;
    if (this.#ownSinceMs !== undefined) this.#ownSinceMs = this.#nowMs();
    this.#overtaking.noteRefusal();
  }

  /** The store did not answer, or its answers contradict each other. */
  reportFailure(error: S3MutexError): void {
    this.#lastFailure = error;
    this.#wasOvertaken = false;
    this.#hasFailedSince ||= this.#isFree;
  }

  /** Whether to say that another caller had the lock for all that time, rather than that the store did not answer. */
  get isContention(): boolean {
    return this.isTold || this.#wasOvertaken;
  }

  /** Whether an answer has said that another caller has the lock, and none since that it is free and cannot be taken. */
  get isTold(): boolean {
    return (this.#wasAnswered || this.#wasTaken) && !this.isStuck;
  }

  /** Whether the lock was free when it was last read, and the store has failed since, or keeps silent. */
  get isStuck(): boolean {
    if (this.#hasFailedSince || this.#ownSinceMs === undefined) return this.#hasFailedSince;
    const silentMs = Math.max(SILENT_MS, SILENT_ROUND_TRIPS * this.#context.clock.roundTripMs);
    return this.#nowMs() - this.#ownSinceMs >= silentMs;
  }

  /** Whether others were faster, or had their turn before, on a store that answers: what it refused or left open says nothing of them. */
  get isOutrun(): boolean {
    return this.#lastFailure === undefined && (this.#wasOvertaken || !this.#hasAsked);
  }

  /** Resolves when it is over: where the store has not answered yet, not before one attempt has had its time. */
  async isUp(signal: AbortSignal): Promise<void> {
    await this.#sleepUntil(this.untilMs, signal);
    if (this.#wasAnswered) return;
    const ends = (async () => {
      // One attempt of each: those before it in this process do not use up its time.
      if (this.#patienceMs === 0) await Promise.race([this.#turn, this.#sleepUntil(this.#queueUntilMs, signal)]);
      await this.#sleepUntil(this.#silentUntilMs, signal);
      if (this.#isUnderWay && this.#lastFailure === undefined) await this.#sleepUntil(this.#attemptUntilMs, signal);
    })();
    await Promise.race([this.#firstAnswer, ends]);
  }

  /** How long and how eagerly its requests are tried. */
  trying(signal: AbortSignal): StoreCheckPatience {
    return {
      signal,
      timeoutMs: this.#timeoutMs,
      untilMs: this.untilMs,
      unreachableMs: this.#unreachableMs,
      onFailure: (error) => this.reportFailure(error),
      role: "contender",
    };
  }

  /** What to tell a caller whose time is up without an answer. */
  unanswered(lockName: string): S3MutexError {
    const what = `whether the lock ${JSON.stringify(lockName)} is free`;
    const leftMs = Math.max(0, Math.round(this.#attemptUntilMs - this.arrivedAtMs));
    const why = this.#lastFailure?.message ?? (this.#wasRefused ? REFUSED : NOTHING_CAME);
    const said = this.isStuck
      ? `The lock ${JSON.stringify(lockName)} was free when it was last read, or its lease over, and the store did not let it be taken.`
      : `The store did not say within ${Math.round(this.waitedMs)} ms ${what}.`;
    const message =
      leftMs < SILENT_MS
        ? `The time of this call was up before the store had said ${what}: what it had asked for before had left ${leftMs} ms. Allow more time.`
        : `${said} ${why}`;
    return new S3MutexError("store-unavailable", message, {
      lockName,
      ...(this.#lastFailure === undefined ? {} : { cause: this.#lastFailure }),
    });
  }

  async #sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#nowMs() >= atMs) return;
    await sleepUntil(this.#context.effects, atMs, { keepAlive: true, signal });
  }

  #nowMs(): number {
    return this.#context.effects.monotonicMs();
  }
}

/** How long a call with this patience can take at most: however short it is, there is time for one full attempt. */
export function longestMs(patienceMs: number, leaseMs: number): number {
  return Math.max(patienceMs, ATTEMPT_MS, patienceMs === 0 ? 2 * requestTimeoutMs(leaseMs) : 0);
}

/** What there is to say where not even a failure has come. */
const NOTHING_CAME =
  "Nothing came, or nothing has left yet: a request may wait for credentials, its turn, or an examination of the store.";
/** The same where a write was answered and nothing after it. */
const REFUSED =
  "It refused a write because the object had changed, and no read has shown yet that another caller changed it.";
/** A shorter time-out is given that long for its one attempt: a first connection alone can take nearly as long. */
export const SILENT_MS = 1000;
const SILENT_ROUND_TRIPS = 4;
/** And that long where the store answers, if slowly. */
const ATTEMPT_MS = 2000;
/** One attempt waits for its turn and takes so long, all in all. */
export const LONGEST_IN_QUEUE_MS = 30_000;
const LAST_POLL_ROUND_TRIPS = 3; // a poll and a write, with one to spare
/** A timer is late by some milliseconds, on a busy machine by more. */
const LAST_POLL_SLACK_MS = 20;
