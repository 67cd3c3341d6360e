import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import { type AcquireCommand, type AcquireReply, acquire } from "../../core/transition/acquire.js";
import type { Decision } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { requestTimeoutMs } from "../base/timing.js";
import { notKnownToBeUnsafe } from "../check/store-is-safe.js";
import type { Snapshot } from "../swap/snapshot.js";
import type { Swapped } from "../swap/swap-options.js";
import type { WriteLog } from "../swap/write-log.js";
import type { AcquireRequest, WaitingQueue } from "./acquire-request.js";
import type { Manners } from "./manners.js";
import type { Patience } from "./patience.js";
import { tooManyAtOnce } from "./refusals.js";

/** For whom the record is asked. */
interface Asker {
  readonly request: AcquireRequest;
  readonly writeLog: WriteLog;
  readonly waitedMs: number;
  readonly mayBePresent: boolean;
  command(attempt: Attempt, record: LockRecord | undefined): AcquireCommand;
}

/** What one acquisition asks of the record, as long and as eagerly as its patience and its manners have it. */
export class Questions<Caller extends Asker> {
  /** What the last poll has shown, for the next question to begin with. */
  seen: Snapshot | undefined;
  readonly #context: Context;
  readonly #localQueue: WaitingQueue<Caller>;
  readonly #asker: Caller;
  readonly #patience: Patience;
  readonly #manners: Manners;
  readonly #stop: AbortSignal;

  constructor(
    context: Context,
    localQueue: WaitingQueue<Caller>,
    by: {
      readonly asker: Caller;
      readonly patience: Patience;
      readonly manners: Manners;
      /** Aborted when the asker is to end. */
      readonly stop: AbortSignal;
    },
  ) {
    this.#context = context;
    this.#localQueue = localQueue;
    ({ asker: this.#asker, patience: this.#patience, manners: this.#manners, stop: this.#stop } = by);
  }

  /** Asks; undefined when there is no point in going on: told to stop, or out of patience with a store that did answer before. */
  async ask(): Promise<Swapped<AcquireReply> | undefined> {
    const { object } = this.#localQueue;
    const { request, writeLog } = this.#asker;
    const trying = this.#patience.trying(this.#stop);
    // Other callers of this process may have polled since this one came.
    if (!this.#patience.hasAsked && this.#patience.isOfThisCall(object.latest)) this.seen = object.latest;
    this.#patience.reportAsked();
    request.onAsking?.(true);
    try {
      await notKnownToBeUnsafe(this.#context, object.name, trying);
      return await object.swap((record, attempt) => this.#decide(record, attempt), {
        ...{ ...trying, writeLog, isConfirmedLater: true },
        onTooSoon: () => void (this.#patience.isContention || this.#seeWhoHasIt()),
        onLostRace: () => this.#patience.reportRefused(),
        from: this.seen,
        afterRaceMs: () => this.#afterRaceMs(object.latest?.record),
      });
    } catch (error) {
      if (this.#stop.aborted) return undefined;
      const isLate = this.#patience.isContention && this.#patience.isOver;
      if (!isLate || !S3MutexError.is(error, "store-unavailable")) throw error;
      const { unanswered } = this;
      if (unanswered !== undefined) throw unanswered;
      return undefined;
    }
  }

  /** Why a caller whose time is up learns nothing; undefined when another caller had the lock. */
  get unanswered(): S3MutexError | undefined {
    const { object } = this.#localQueue;
    const { request, waitedMs } = this.#asker;
    if (this.#patience.isTold || this.#localQueue.isTakenHere(request)) return undefined;
    if (this.#isSeenFree) return tooManyAtOnce(object, waitedMs);
    return this.#patience.isContention ? undefined : this.#patience.unanswered(object.name);
  }

  #decide(record: LockRecord | undefined, attempt: Attempt): Decision<AcquireReply> {
    const decision = acquire(record, this.#asker.command(attempt, record), attempt);
    const wasReadByUs = this.#patience.isOfThisCall(this.#localQueue.object.latest);
    this.#patience.reportVersion(record, decision.reply.kind, wasReadByUs);
    const { request, waitedMs } = this.#asker;
    // A caller that holds something has to be seen waiting; one that has no time left has to take what there is.
    const isUrgent = request.holds(waitedMs).length > 0 || this.#patience.isLastPoll;
    const wanted = isUrgent ? decision : this.#manners.apply(decision, record, attempt);
    // Alongside the write: it costs no time by that where one round trip tells.
    if (wanted.change !== undefined) this.#context.check.begin(requestTimeoutMs(request.leaseMs));
    return wanted;
  }

  #afterRaceMs(record: LockRecord | undefined): number {
    const { mayBePresent, waitedMs } = this.#asker;
    return this.#patience.pauseMs(this.#manners.afterRaceMs(record, mayBePresent, waitedMs));
  }

  /** Polls when there is no time for another write: a read, which the store takes, tells whether another caller has the lock. */
  async #seeWhoHasIt(): Promise<void> {
    const { object } = this.#localQueue;
    // What is wrong with the store is told by the next try.
    const found = await object.poll(requestTimeoutMs(this.#asker.request.leaseMs)).catch(() => undefined);
    if (found === undefined || this.#localQueue.glance(this.#asker) !== "waiting") return;
    this.#localQueue.reportAnswer(this.#patience.isTakenIn(found.record));
  }

  /** Whether there were permits for it when that was last seen, and others of its kind kept it from them. */
  get #isSeenFree(): boolean {
    const isKnown = this.#patience.isOfThisCall(this.#localQueue.object.latest);
    const isOutrun = isKnown && this.#patience.isOutrun && this.#asker.request.limit !== undefined;
    return isOutrun && this.#localQueue.glance(this.#asker) === "granted";
  }
}
