import { followUp, goneBefore, type HoldEffect, type HoldHappening } from "../../core/client/hold.js";
import type { Clocked } from "../../core/expiry.js";
import type { Holder } from "../../core/record.js";
import type { ClockReading } from "../../core/store-time.js";
import type { RenewOptions } from "../../core/transition/renew.js";
import type { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { holderPolicy } from "../swap/policies.js";
import type { WriteLog } from "../swap/write-log.js";
import { cancelLeftovers } from "./cancel.js";
import { Doubt } from "./doubt.js";
import type { Grant } from "./grant.js";
import type { Hold } from "./hold.js";
import type { HoldingQueue } from "./holding-queue.js";
import { LeaseClock, type LeaseTerms } from "./lease-clock.js";
import { LeaseTimer, type Timed } from "./lease-timer.js";
import { type Loss, RenewalFailures, reasonOfEnd, tellLoss, tellRetry } from "./loss.js";
import { Nest } from "./nest.js";
import { OneRenewal } from "./renewals.js";
import { Standing } from "./standing.js";

/**
 * A lock that this process holds, counted on its own clocks. At the local deadline it is over, whatever the network says:
 * first that deadline, then the published expiry, then the tolerance, and only then may another acquisition take it over.
 */
export class Lease implements Hold {
  readonly root: Lease = this;
  readonly nest: Nest;
  readonly standing: Standing;
  readonly doubt: Doubt;
  readonly #context: Context;
  readonly #localQueue: HoldingQueue;
  readonly #writeLog: WriteLog;
  #holder: Holder;
  readonly #clock: LeaseClock;
  readonly #timer: LeaseTimer;
  readonly #leaseMs: number;
  readonly #heldSinceMs: number;
  readonly #renewal: OneRenewal;
  #releasing: Promise<boolean> | undefined;
  #shares = 1;
  readonly #endListeners: (() => void)[] = [];
  readonly #failures = new RenewalFailures();

  constructor(context: Context, localQueue: HoldingQueue, grant: Grant, { leaseMs, timing }: LeaseTerms) {
    this.#context = context;
    this.#localQueue = localQueue;
    this.standing = new Standing(localQueue.object.name, context.effects.stayAlive);
    ({ holder: this.#holder, writeLog: this.#writeLog } = grant);
    this.#leaseMs = leaseMs;
    this.#clock = new LeaseClock(context, this.#holder.leaseMs, grant.reading, timing);
    this.#timer = new LeaseTimer(context.effects, this.#clock, this.#timed());
    this.#renewal = new OneRenewal(this);
    this.doubt = new Doubt(context, this, this.#clock);
    this.#heldSinceMs = context.effects.monotonicMs();
    context.activity.held.set(grant.holder.id, localQueue.object.name);
    context.holdings.add(this);
    this.nest = new Nest(context, localQueue.object.name, this);
  }

  get holder(): Holder {
    return this.#holder;
  }

  get signal(): AbortSignal {
    return this.standing.signal;
  }

  get loss(): S3MutexError | undefined {
    return this.standing.loss;
  }

  get isHeld(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    if (this.standing.isOver) return 0;
    if (!this.standing.isLeft) this.#timer.renewIfInDoubt();
    return Math.max(0, this.#clock.remainingMs);
  }

  assertHeld(): void {
    if (this.isHeld) return;
    if (!this.standing.isOver && (this.standing.isLeft || this.#clock.isOver)) this.lose(this.#whyOver);
    throw this.standing.notHeld;
  }

  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  /** Sends nothing for it any more: neither renewed nor given back, it runs out, and only then can another caller have it. */
  leaveToRunOut(): void {
    if (this.standing.isOver) return;
    this.standing.leave();
    this.#timer.onceNotHeld(() => this.lose("closed"));
  }

  /** Renews by itself at a third of the lease, never two at once, until released or lost. */
  keep(): void {
    this.#timer.keep();
  }

  /** Renews now what would have to be renewed soon: another hold of the same object is being written anyway. */
  renewIfDueSoon(): void {
    if (this.isHeld) this.#timer.renewIfDueSoon();
  }

  /** Takes note of its end by its clocks alone, where it is not renewed. The record is left to say so itself, to the millisecond. */
  endWhenOver(): void {
    this.#timer.onceOver(() => this.#end());
  }

  share(): void {
    this.#shares += 1;
  }

  /** Renews once now; false when the lock is gone. */
  renew(options: RenewOptions = { onlyUnexpired: false }): Promise<boolean> {
    return this.#renewal.make(options);
  }

  /** Says what its clocks tell of the end of this hold as it stands in the record; undefined: nothing. */
  readonly isOverHere = (held: Holder, told: Clocked): boolean | undefined => {
    const isSame = held.id === this.#holder.id && held.leaseWriteId === this.#holder.leaseWriteId;
    return isSame ? this.#clock.isOverAsOf(told) : undefined;
  };

  /** Goes from all of the lock to a share in it, without letting it go; false when it is gone. */
  async downgrade(): Promise<boolean> {
    const isDowngraded = await this.renew({ onlyUnexpired: false, mode: "shared" });
    this.#localQueue.holdChanged();
    return isDowngraded;
  }

  /** Ends it here without giving it back, to go on elsewhere as the holder that is returned. */
  async leave(): Promise<Holder & { readonly writeIds: readonly string[] }> {
    if (!this.isHeld && !this.#clock.isOver) await this.renew();
    this.assertHeld();
    await this.#renewal.settled();
    this.assertHeld();
    this.#releasing = Promise.resolve(false);
    this.standing.handOver();
    this.#stop();
    this.#end();
    return { ...this.#holder, leaseMs: this.#leaseMs, writeIds: this.#writeLog.mayShow(this.#holder) };
  }

  get #whyOver(): Loss {
    const lateMs = -this.#clock.untilOverMs;
    return reasonOfEnd(this.#failures.soFar, { isRenewing: this.#renewal.isUnderWay, lateMs });
  }

  /** Gives the lock back; false when it was gone already. Calling it again changes nothing. */
  release(): Promise<boolean> {
    this.nest.end();
    return this.unshare();
  }

  unshare(): Promise<boolean> {
    this.#shares -= 1;
    if (this.#shares > 0) return Promise.resolve(this.isHeld);
    this.#releasing ??= this.#releaseOnce()
      .catch((error) => {
        this.#releasing = undefined; // so that it can be tried again
        throw error;
      })
      .finally(() => this.#end());
    return this.#releasing;
  }

  #timed(): Timed {
    return {
      isQuiet: () => this.standing.quietSignal.aborted,
      isRenewing: () => this.#renewal.isUnderWay,
      renew: () => this.renew(),
      noteFailure: (error) => this.#failures.note(error, false),
      tellRetry: (error) => tellRetry(this.#context, this.#localQueue.object.name, error),
      loseByClock: () => this.lose(this.#whyOver),
    };
  }

  async renewOnce(asked: RenewOptions): Promise<void> {
    const { id, token } = this.#holder;
    const command = { id, token, leaseMs: this.#leaseMs, ...asked, isOverHere: this.isOverHere };
    const { note } = this.#failures;
    const heard = { onFailure: note, onRefusal: note, signal: this.standing.quietSignal };
    const { reply } = await this.#localQueue.renew({ command, options: { ...this.#swapOptions(), ...heard } });
    const reading = reply.kind === "renewed" ? this.#writeLog.readingOf(reply.holder.leaseWriteId) : undefined;
    this.#follow({ kind: "renewal-answered", reply, reading });
  }

  #countOn(holder: Holder, reading: ClockReading): void {
    this.#failures.forget();
    this.#holder = holder;
    this.#clock.renewed(holder, reading);
    if (this.isHeld) this.#context.emit("renewed", { ...this.#describe(), expiresAt: holder.expiresAtMs });
  }

  async #releaseOnce(): Promise<boolean> {
    const whyOver = this.standing.isLeft || this.#clock.isOver ? this.#whyOver : undefined;
    const isSent = this.#follow({ kind: "releasing", whyOver }).some((effect) => effect.do === "give-back");
    return isSent ? await this.#giveBack() : false;
  }

  async #giveBack(): Promise<boolean> {
    const { id } = this.#holder;
    try {
      const command = { id, isUnused: this.standing.isUnused };
      // Its end may be far off, and the record says it already: no caller is kept waiting for that.
      const { reply, snapshot } = await this.#localQueue.giveBack(command, this.#swapOptions(this.#leaseMs));
      const isReleased = reply.kind === "released";
      this.#follow(isReleased ? { kind: "given-back" } : goneBefore(this.#holder, snapshot.record));
      return isReleased;
    } catch (error) {
      this.#follow({ kind: "release-failed" });
      throw error;
    }
  }

  #swapOptions(withinMs = Number.POSITIVE_INFINITY) {
    const policy = holderPolicy(this.#context, this.#leaseMs, this.#clock.deadlineMs(withinMs));
    return { ...policy, writeLog: this.#writeLog };
  }

  loseIfOver(): void {
    if (this.#clock.untilLostMs <= 0) this.lose(this.#whyOver);
  }

  lose(reason: Loss, cause: unknown = this.#failures.soFar.last): void {
    this.#follow({ kind: "ended", reason }, cause);
  }

  /** Does what follows from what happens to it; the release is for the caller to send. */
  #follow(happening: HoldHappening<Loss>, cause?: unknown): readonly HoldEffect<Loss>[] {
    const { isOver, isLeft, loss } = this.standing;
    const effects = followUp({ isOver, isLeft, isLost: loss !== undefined }, happening);
    for (const effect of effects) this.#perform(effect, cause);
    return effects;
  }

  #perform(effect: HoldEffect<Loss>, cause: unknown): void {
    switch (effect.do) {
      case "count-on":
        return this.#countOn(effect.holder, effect.reading);
      case "tell-loss":
        return this.#tellLoss(effect.reason, cause);
      case "tell-released": {
        const heldMs = Math.round(this.#context.effects.monotonicMs() - this.#heldSinceMs);
        return this.#context.emit("released", { ...this.#describe(), heldMs });
      }
      case "stop":
        return this.#stop();
      case "clear-up":
        return this.#cancel(effect.entry);
      case "tell-end":
        return this.#end();
    }
  }

  #stop(): void {
    this.standing.end();
    this.#timer.clear();
    this.#context.holdings.noteChange();
  }

  #end(): void {
    const { activity, diagnostics } = this.#context;
    this.#context.holdings.delete(this);
    if (activity.held.delete(this.#holder.id)) diagnostics.publish("hold:end", this.#describe());
    for (const listener of this.#endListeners.splice(0)) listener();
  }

  #tellLoss(reason: Loss, cause: unknown): void {
    const { steppedByMs } = this.#clock;
    const error = this.standing.lose(reason, { ...this.#failures.soFar, cause, steppedByMs });
    if (error === undefined) return;
    this.nest.end(error);
    tellLoss(this.#context, { ...this.#describe(), reason: error.reason as Loss, error });
  }

  #describe() {
    return { lockName: this.#localQueue.object.name, acquisitionId: this.#holder.id, fencingToken: this.#holder.token };
  }

  /** Takes out a lost lock's entry and keeps its unanswered renewal from landing, behind the scenes. */
  #cancel(entry: "none" | "possible"): void {
    const { id, leaseMs } = this.#holder;
    const leftovers = { id, leaseMs, writeLog: this.#writeLog, entry, isUnused: this.standing.isUnused };
    cancelLeftovers(this.#context, this.#localQueue.object, leftovers);
  }
}
