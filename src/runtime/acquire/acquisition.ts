import { type Attempt, arrivalMs } from "../../core/expiry.js";
import { isListed, type LockRecord } from "../../core/record.js";
import { type AcquireCommand, type AcquireReply, acquire, type Waiting } from "../../core/transition/acquire.js";
import type { Decision } from "../../core/transition/decision.js";
import { S3MutexError } from "../../errors.js";
import { endQuietly, unlessAborted } from "../base/abort.js";
import type { Context } from "../base/context.js";
import { requestTimeoutMs, wakeableSleep } from "../base/timing.js";
import { notKnownToBeUnsafe } from "../check/store-is-safe.js";
import { cancelLeftovers } from "../hold/cancel.js";
import { type Grant, type UnconfirmedGrant, unconfirmed } from "../hold/grant.js";
import type { Snapshot } from "../swap/snapshot.js";
import type { Swapped } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import { type AcquireRequest, claimOf, commandFor, type WaitingQueue } from "./acquire-request.js";
import { confirmGrant } from "./confirm.js";
import { DeadlockWatch } from "./deadlock-watch.js";
import { delayBeforePollMs, RECONSIDER_MS } from "./delays.js";
import { Manners } from "./manners.js";
import { Patience } from "./patience.js";
import { throwIfCopys, throwIfRefused, tooManyAtOnce } from "./refusals.js";

/** One caller's way to one grant; its id stays the same however often it has to ask. */
export class Acquisition {
  readonly writeLog = new WriteLog();
  readonly #context: Context;
  readonly #localQueue: WaitingQueue<Acquisition>;
  readonly request: AcquireRequest;
  readonly #id: string;
  readonly #stop = new AbortController();
  readonly #patience: Patience;
  readonly #deadlocks: DeadlockWatch;
  readonly #manners: Manners;
  /** When it began to wait, in store time, once that is known. */
  #arrivalMs: number | undefined;
  /** What its last poll has shown, for the next question to begin with. */
  #seen: Snapshot | undefined;
  #mayBePresent = false;
  #state: "waiting" | "granted" | "over" = "waiting";
  #position: number | undefined;
  #handed: UnconfirmedGrant | undefined;
  #wakeUp: () => void = () => {};

  constructor(context: Context, localQueue: WaitingQueue<Acquisition>, request: AcquireRequest) {
    this.#context = context;
    this.#localQueue = localQueue;
    this.request = request;
    this.#id = context.effects.newId();
    this.#patience = new Patience(context, request, this.writeLog);
    this.#manners = new Manners(context, this.#id, claimOf(request));
    this.#deadlocks = new DeadlockWatch(context, localQueue.object, request);
  }

  get id(): string {
    return this.#id;
  }

  get priority(): number {
    return this.request.priority;
  }

  /** When it began to wait, here or in another queue before, by the monotonic clock. */
  get sinceMs(): number {
    return this.#patience.arrivedAtMs - (this.request.waitedBeforeMs ?? 0);
  }

  /** Whether it can still use the lock. */
  get isWaiting(): boolean {
    return this.#state === "waiting" && this.#handed === undefined;
  }

  /** Whether it may not leave the asking to others: it has no time for that, has a place of its own, or must be seen waiting. */
  get mustAskItself(): boolean {
    return this.#patience.isLastChance || this.#mayBePresent || this.request.holds(this.waitedMs).length > 0;
  }

  get waitedMs(): number {
    return this.#patience.waitedMs;
  }

  /** Waits until it is granted; undefined when it gave up, or the time was up. */
  async run(): Promise<Grant | undefined> {
    try {
      const grant = await this.#waitForGrant();
      if (grant !== undefined && this.#state === "waiting") this.#state = "granted";
      else this.#undo();
      return grant;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** Resolves when the caller's patience is over. */
  timeIsUp(signal: AbortSignal): Promise<void> {
    return this.#patience.isUp(signal);
  }

  /** Why a caller whose time is up learns nothing; undefined when another caller had the lock. */
  get unanswered(): S3MutexError | undefined {
    const { object } = this.#localQueue;
    if (this.#patience.isTold || this.#localQueue.isTakenHere(this.request)) return undefined;
    if (this.#isSeenFree) return tooManyAtOnce(object, this.waitedMs);
    return this.#patience.isContention ? undefined : this.#patience.unanswered(object.name);
  }

  /** Its caller does not wait for the outcome any more: stop, and undo what was done or may still land. */
  giveUp(running: Promise<Grant | undefined>): void {
    if (this.#state === "granted") this.#undo();
    this.#state = "over";
    endQuietly(this.#stop);
    this.wake();
    const over = () => {};
    this.#context.background.run(running.then(over, over));
  }

  /** Something has changed in this process: decide anew what to do. */
  wake(): void {
    this.#wakeUp();
  }

  /** The store has answered this acquisition or another one: another caller has the lock, or at least comes first. */
  reportAnswer(isTaken: boolean): void {
    this.#patience.reportAnswer(isTaken);
  }

  /** A holder in this process has passed the lock on, or has taken a place in the queue for this one. */
  receive(reply: AcquireReply): void {
    this.#mayBePresent ||= reply.kind === "granted" || (reply.kind === "waiting" && reply.enqueued);
    // It has seen itself in the record already, before the transfer was answered.
    if (this.#state === "granted") return;
    if (this.#state === "over") return this.#undo();
    if (reply.kind === "granted") this.#handed = { holder: reply.holder };
    this.request.onAsking?.(reply.kind === "granted");
    this.wake();
  }

  /** A transfer to this one was tried, and it is not known yet what became of it. */
  noteUnknownTransfer(): void {
    this.#mayBePresent = true;
    this.wake();
  }

  /** What to ask of the record, at this time. */
  command({ now }: Attempt, record: LockRecord | undefined): AcquireCommand {
    this.#mayBePresent ||= isListed(record, this.#id); // an unanswered write's, and the caller may give up before a reply
    const { waitedMs } = this;
    this.#arrivalMs = arrivalMs(now.latestMs - waitedMs - (this.request.waitedBeforeMs ?? 0), this.#arrivalMs);
    return commandFor(this.#context, this.request, { id: this.#id, sinceMs: this.#arrivalMs, waitedMs });
  }

  async #waitForGrant(): Promise<Grant | undefined> {
    while (!this.#stop.signal.aborted) {
      if (this.#handed !== undefined) {
        const grant = await this.#confirm(this.#handed);
        if (grant !== undefined) return grant;
        this.#handed = undefined;
        continue;
      }
      const restMs = this.#localQueue.restMs(this);
      if (restMs > 0) {
        await this.#rest(restMs);
        continue;
      }
      const swapped = await this.#localQueue.inTurn(this.#patience.isLastChance, () => this.#ask());
      if (swapped === undefined) return undefined;
      const { reply } = swapped;
      throwIfRefused(this.#localQueue.object, this.request, reply);
      if (reply.kind === "granted") {
        throwIfCopys(this.#localQueue.object, reply.holder, this.writeLog);
        this.#mayBePresent = true;
        this.#handed = unconfirmed(reply.holder, swapped);
      }
      if (reply.kind !== "waiting") continue;
      if (!(await this.#waitOn(swapped.snapshot.record, reply))) return undefined;
    }
    return undefined;
  }

  /** Another caller of this process has the lock or asks for all of us. */
  async #rest(restMs: number): Promise<void> {
    if (this.#localQueue.isTakenHere(this.request)) this.reportAnswer(true);
    // What its scope holds may change meanwhile, and then it has to be seen waiting.
    await this.#sleep(this.#patience.pauseMs(Math.min(restMs, RECONSIDER_MS)));
  }

  /** Another caller has the lock: wait a while, then poll. False when the time is up. */
  async #waitOn(record: LockRecord | undefined, reply: Waiting): Promise<boolean> {
    this.#mayBePresent ||= reply.enqueued;
    if (!this.#manners.isLettingReturn) this.#localQueue.reportAnswer(this.#patience.isTaken);
    this.request.onAsking?.(false);
    this.#reportPlace(reply);
    if (this.#patience.isOver) return false;
    await this.#deadlocks.check(this.#id, this.waitedMs, record, this.#stop.signal);
    await this.#sleep(this.#untilNextPollMs(record, reply));
    if (this.#handed !== undefined || this.#stop.signal.aborted) return true;
    // A poll that hangs does not keep an entry in the queue whose caller has given up.
    const poll = this.#localQueue.object.poll(requestTimeoutMs(this.request.leaseMs));
    this.#seen = await unlessAborted(poll, this.#stop.signal);
    return true;
  }

  #reportPlace({ enqueued, position }: Waiting): void {
    if (!enqueued || position === this.#position) return;
    const event = this.#position === undefined ? "enqueued" : "position";
    this.#position = position;
    this.#context.emit(event, { lockName: this.#localQueue.object.name, acquisitionId: this.#id, position });
  }

  /** Undefined when there is no point in going on: told to stop, or out of patience with a store that did answer before. */
  async #ask(): Promise<Swapped<AcquireReply> | undefined> {
    const [{ signal }, { object }] = [this.#stop, this.#localQueue];
    const trying = this.#patience.trying(signal);
    // Other callers of this process may have polled since this one came.
    if (!this.#patience.hasAsked && this.#patience.isOfThisCall(object.latest)) this.#seen = object.latest;
    this.#patience.reportAsked();
    this.request.onAsking?.(true);
    try {
      await notKnownToBeUnsafe(this.#context, object.name, trying);
      return await object.swap((record, attempt) => this.#decide(record, attempt), {
        ...{ ...trying, writeLog: this.writeLog, isConfirmedLater: true },
        onTooSoon: () => void (this.#patience.isContention || this.#seeWhoHasIt()),
        onLostRace: () => this.#patience.reportRefused(),
        from: this.#seen,
        afterRaceMs: () =>
          this.#patience.pauseMs(this.#manners.afterRaceMs(object.latest?.record, this.#mayBePresent, this.waitedMs)),
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      const isLate = this.#patience.isContention && this.#patience.isOver;
      if (!isLate || !S3MutexError.is(error, "store-unavailable")) throw error;
      const { unanswered } = this;
      if (unanswered !== undefined) throw unanswered;
      return undefined;
    }
  }

  /** There is no time for another write: a read, which the store takes, tells whether another caller has the lock. */
  async #seeWhoHasIt(): Promise<void> {
    // What is wrong with the store is told by the next try.
    const found = await this.#localQueue.object.poll(requestTimeoutMs(this.request.leaseMs)).catch(() => undefined);
    if (found === undefined || this.#localQueue.glance(this) !== "waiting") return;
    this.#localQueue.reportAnswer(this.#patience.isTakenIn(found.record));
  }

  /** Whether there were permits for it when that was last seen, and others of its kind kept it from them. */
  get #isSeenFree(): boolean {
    const isKnown = this.#patience.isOfThisCall(this.#localQueue.object.latest);
    const isOutrun = isKnown && this.#patience.isOutrun && this.request.limit !== undefined;
    return isOutrun && this.#localQueue.glance(this) === "granted";
  }

  #decide(record: LockRecord | undefined, attempt: Attempt): Decision<AcquireReply> {
    const decision = acquire(record, this.command(attempt, record), attempt);
    const wasReadByUs = this.#patience.isOfThisCall(this.#localQueue.object.latest);
    this.#patience.reportVersion(record, decision.reply.kind, wasReadByUs);
    // A caller that holds something has to be seen waiting; one that has no time left has to take what there is.
    const isUrgent = this.request.holds(this.waitedMs).length > 0 || this.#patience.isLastPoll;
    const wanted = isUrgent ? decision : this.#manners.apply(decision, record, attempt);
    // Alongside the write: it costs no time by that where one round trip tells.
    if (wanted.change !== undefined) this.#context.check.begin(requestTimeoutMs(this.request.leaseMs));
    return wanted;
  }

  async #confirm(granted: UnconfirmedGrant): Promise<Grant | undefined> {
    const { leaseMs, timing } = this.request;
    const options = { ...this.#patience.trying(this.#stop.signal), writeLog: this.writeLog, timing, leaseMs };
    try {
      return await confirmGrant(this.#context, this.#localQueue.object, granted, options);
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      throw error;
    }
  }

  #untilNextPollMs(record: LockRecord | undefined, { turnsAhead, enqueued }: Waiting): number {
    const planMs = delayBeforePollMs(this.#context, record, turnsAhead, enqueued);
    const delayMs = this.#manners.untilPollMs(planMs, record, this.waitedMs);
    const longestMs = (turnsAhead === 0 && this.request.longestPollMs) || Number.POSITIVE_INFINITY;
    return this.#patience.pauseMs(Math.min(delayMs, longestMs));
  }

  /** Sleeps, unless something happens in this process before. */
  async #sleep(delayMs: number): Promise<void> {
    if (this.#handed !== undefined || this.#stop.signal.aborted) return;
    const { over, wake } = wakeableSleep(this.#context.effects, this.#deadlocks.restMs(delayMs, this.waitedMs));
    this.#wakeUp = wake;
    await over;
    this.#wakeUp = () => {};
  }

  #undo(): void {
    this.#state = "over";
    const leaseMs = Math.max(this.request.leaseMs, this.request.holdAtLeastMs);
    const entry = this.#mayBePresent ? "listed" : "none";
    const leftovers = { id: this.#id, leaseMs, writeLog: this.writeLog, entry, isUnused: true } as const;
    cancelLeftovers(this.#context, this.#localQueue.object, leftovers);
  }
}
