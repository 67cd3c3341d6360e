import {
  type AcquisitionState,
  type Effect,
  type Happening,
  isWanting,
  type Next,
  type Outcome,
  proceed,
  react,
  UNASKED,
} from "../../core/client/acquisition.js";
import { type Attempt, arrivalMs } from "../../core/expiry.js";
import { isListed, type LockRecord } from "../../core/record.js";
import type { AcquireCommand, AcquireReply, Waiting } from "../../core/transition/acquire.js";
import type { S3MutexError } from "../../errors.js";
import { endQuietly, unlessAborted } from "../base/abort.js";
import type { Context } from "../base/context.js";
import { requestTimeoutMs, wakeableSleep } from "../base/timing.js";
import { cancelLeftovers } from "../hold/cancel.js";
import { type Grant, type UnconfirmedGrant, unconfirmed } from "../hold/grant.js";
import type { Swapped } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import { type AcquireRequest, claimOf, commandFor, type WaitingQueue } from "./acquire-request.js";
import { confirmGrant } from "./confirm.js";
import { DeadlockWatch } from "./deadlock-watch.js";
import { delayBeforePollMs, RECONSIDER_MS } from "./delays.js";
import { Manners } from "./manners.js";
import { Patience } from "./patience.js";
import { Questions } from "./questions.js";
import { throwIfCopys, throwIfRefused } from "./refusals.js";

/**
 * One caller's way to one grant; its id stays the same however often it has to ask. What it does next is decided in
 * `core/client/acquisition.ts`; here it is done.
 */
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
  readonly #questions: Questions<Acquisition>;
  /** When it began to wait, in store time, once that is known. */
  #arrivalMs: number | undefined;
  #state: AcquisitionState<UnconfirmedGrant> = UNASKED;
  #wakeUp: () => void = () => {};

  constructor(context: Context, localQueue: WaitingQueue<Acquisition>, request: AcquireRequest) {
    this.#context = context;
    this.#localQueue = localQueue;
    this.request = request;
    this.#id = context.effects.newId();
    this.#patience = new Patience(context, request, this.writeLog);
    this.#manners = new Manners(context, this.#id, claimOf(request));
    const [patience, manners, { signal: stop }] = [this.#patience, this.#manners, this.#stop];
    this.#questions = new Questions(context, localQueue, { asker: this, patience, manners, stop });
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
    return isWanting(this.#state);
  }

  /** Whether it may not leave the asking to others: it has no time for that, has a place of its own, or must be seen waiting. */
  get mustAskItself(): boolean {
    return this.#patience.isLastChance || this.mayBePresent || this.request.holds(this.waitedMs).length > 0;
  }

  get mayBePresent(): boolean {
    return this.#state.mayBePresent;
  }

  get waitedMs(): number {
    return this.#patience.waitedMs;
  }

  /** Waits until it is granted; undefined when it gave up, or the time was up. */
  async run(): Promise<Grant | undefined> {
    try {
      const grant = await this.#waitForGrant();
      this.#react({ kind: grant === undefined ? "ended" : "confirmed" });
      return grant;
    } catch (error) {
      this.#react({ kind: "ended" });
      throw error;
    }
  }

  /** Resolves when the caller's patience is over. */
  timeIsUp(signal: AbortSignal): Promise<void> {
    return this.#patience.isUp(signal);
  }

  /** Why a caller whose time is up learns nothing; undefined when another caller had the lock. */
  get unanswered(): S3MutexError | undefined {
    return this.#questions.unanswered;
  }

  /** Stops, and undoes what was done or may still land: its caller does not wait for the outcome any more. */
  giveUp(running: Promise<Grant | undefined>): void {
    // What is on its way is cleared up when it is answered; where nothing is, all has been.
    if (this.#state.phase !== "over") this.#context.activity.leaving.add(this.#id);
    this.#react({ kind: "given-up" });
    const over = () => {};
    this.#context.background.run(running.then(over, over));
  }

  /** Wakes it, to decide anew what to do: something has changed in this process. */
  wake(): void {
    this.#wakeUp();
  }

  /**
   * Notes that the store has answered this acquisition or another one: another caller has the lock, or at least comes first. Of one that
   * has it by the record and waits for the check of its store, that says nothing: it may be the caller that the other one has found.
   */
  reportAnswer(isTaken: boolean): void {
    if (isWanting(this.#state)) this.#patience.reportAnswer(isTaken);
  }

  /** Takes note that a holder in this process has passed the lock on, or has taken a place in the queue for this one. */
  receive(reply: AcquireReply): void {
    if (reply.kind === "granted") this.#react({ kind: "handed", grant: { holder: reply.holder } });
    else this.#react({ kind: "placed", enqueued: reply.kind === "waiting" && reply.enqueued });
  }

  /** Notes that a transfer to this one was tried, and that it is not known yet what became of it. */
  noteUnknownTransfer(): void {
    this.#react({ kind: "transfer-unknown" });
  }

  /** Says what to ask of the record, at this time. */
  command({ now }: Attempt, record: LockRecord | undefined): AcquireCommand {
    // By an unanswered write, and the caller may give up before a reply.
    if (isListed(record, this.#id)) this.#react({ kind: "listed" });
    const { waitedMs } = this;
    const sinceMs = arrivalMs(now.latestMs - waitedMs - (this.request.waitedBeforeMs ?? 0), this.#arrivalMs);
    // What one answer says is asked again before it is written, and the second one may say otherwise.
    if (!this.#context.clock.hasOneWitness) this.#arrivalMs = sinceMs;
    return commandFor(this.#context, this.request, { id: this.#id, sinceMs, waitedMs });
  }

  async #waitForGrant(): Promise<Grant | undefined> {
    for (let next = this.#proceed({ kind: "turn" }); next.do !== "end"; ) {
      switch (next.do) {
        case "confirm": {
          const grant = await this.#confirm(next.grant);
          if (grant !== undefined) return grant;
          next = this.#proceed({ kind: "gone" });
          break;
        }
        case "look-around":
          next = this.#proceed({ kind: "trusting", forMs: this.#localQueue.restMs(this) });
          break;
        case "rest":
          await this.#rest(next.forMs);
          next = this.#proceed({ kind: "turn" });
          break;
        case "ask": {
          const swapped = await this.#localQueue.inTurn(this.#patience.isLastChance, () => this.#questions.ask());
          if (swapped === undefined) return undefined;
          next = this.#proceed(this.#outcomeOf(swapped));
          break;
        }
        case "wait":
          if (!(await this.#waitOn(next))) return undefined;
          next = this.#proceed({ kind: "turn" });
          break;
      }
    }
    return undefined;
  }

  #proceed(outcome: Outcome<UnconfirmedGrant>): Next<UnconfirmedGrant> {
    const { state, next } = proceed(this.#state, outcome);
    this.#state = state;
    return next;
  }

  #react(happening: Happening<UnconfirmedGrant>): void {
    const { state, effects } = react(this.#state, happening);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case "clear-up":
        return this.#clearUp(effect.entry);
      case "stop":
        return endQuietly(this.#stop);
      case "wake":
        return this.wake();
      case "tell-asking":
        return this.request.onAsking?.(effect.isUnderWay);
    }
  }

  /** @throws where waiting would not change the reply */
  #outcomeOf(swapped: Swapped<AcquireReply>): Outcome<UnconfirmedGrant> {
    const { reply, snapshot } = swapped;
    throwIfRefused(this.#localQueue.object, this.request, reply);
    if (reply.kind === "waiting") return { kind: "queued", place: reply, record: snapshot.record };
    if (reply.kind !== "granted") return { kind: "turn" };
    throwIfCopys(this.#localQueue.object, reply.holder, this.writeLog);
    return { kind: "granted", grant: unconfirmed(reply.holder, swapped) };
  }

  /** Rests while another caller of this process has the lock or asks for all of us. */
  async #rest(restMs: number): Promise<void> {
    if (this.#localQueue.isTakenHere(this.request)) this.reportAnswer(true);
    // What its scope holds may change meanwhile, and then it has to be seen waiting.
    await this.#sleep(this.#patience.pauseMs(Math.min(restMs, RECONSIDER_MS)));
  }

  /** Waits, since another caller has the lock, until it is time for a poll, and polls. False when the patience is over. */
  async #waitOn({ place, record, tell }: Next<UnconfirmedGrant> & { readonly do: "wait" }): Promise<boolean> {
    if (!this.#manners.isLettingReturn) this.#localQueue.reportAnswer(this.#patience.isTaken);
    this.request.onAsking?.(false);
    if (tell !== undefined) {
      const { position } = place;
      this.#context.emit(tell, { lockName: this.#localQueue.object.name, acquisitionId: this.#id, position });
    }
    if (this.#patience.isOver) return false;
    await this.#deadlocks.check(this.#id, this.waitedMs, record, this.#stop.signal);
    await this.#sleep(this.#untilNextPollMs(record, place));
    if (!isWanting(this.#state)) return true;
    // A poll that hangs does not keep an entry in the queue whose caller has given up.
    const poll = this.#localQueue.object.poll(requestTimeoutMs(this.request.leaseMs));
    this.#questions.seen = await unlessAborted(poll, this.#stop.signal);
    return true;
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
    if (!isWanting(this.#state)) return;
    const { over, wake } = wakeableSleep(this.#context.effects, this.#deadlocks.restMs(delayMs, this.waitedMs));
    this.#wakeUp = wake;
    await over;
    this.#wakeUp = () => {};
  }

  #clearUp(entry: "listed" | "none"): void {
    const leaseMs = Math.max(this.request.leaseMs, this.request.holdAtLeastMs);
    const leftovers = { id: this.#id, leaseMs, writeLog: this.writeLog, entry, isUnused: true } as const;
    cancelLeftovers(this.#context, this.#localQueue.object, leftovers);
  }
}
