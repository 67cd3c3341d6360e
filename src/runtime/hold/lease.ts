import { type Holder, isListed } from "../../core/record.js";
import { type RenewOptions, type RenewReply, reasonOfLoss } from "../../core/transition/renew.js";
import type { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { Alarm } from "../base/timing.js";
import { holderPolicy } from "../swap/policies.js";
import type { Swapped } from "../swap/swap-options.js";
import type { WriteLog } from "../swap/write-log.js";
import { cancelLeftovers } from "./cancel.js";
import type { Grant } from "./grant.js";
import type { Hold } from "./hold.js";
import type { HoldingQueue } from "./holding-queue.js";
import { LeaseClock, type LeaseTerms, WATCH_MS } from "./lease-clock.js";
import { type FailedRenewals, type Loss, lossReason, reasonOfEnd, tellLoss } from "./loss.js";
import { Nest } from "./nest.js";
import { Standing } from "./standing.js";

/**
 * A lock that this process holds, counted on its own clocks. At the local deadline it is over, whatever the network says:
 * first that deadline, then the published expiry, then the tolerance, and only then may another acquisition take it over.
 */
export class Lease implements Hold {
  readonly root: Lease = this;
  readonly nest: Nest;
  readonly standing: Standing;
  readonly #context: Context;
  readonly #localQueue: HoldingQueue;
  readonly #writeLog: WriteLog;
  #holder: Holder;
  readonly #clock: LeaseClock;
  readonly #alarm: Alarm;
  readonly #leaseMs: number;
  #isKept = false;
  readonly #heldSinceMs: number;
  #renewing: Promise<boolean> | undefined;
  #releasing: Promise<boolean> | undefined;
  #shares = 1;
  readonly #endListeners: (() => void)[] = [];
  #failed: FailedRenewals = {};

  constructor(context: Context, localQueue: HoldingQueue, grant: Grant, { leaseMs, timing }: LeaseTerms) {
    this.#context = context;
    this.#localQueue = localQueue;
    this.standing = new Standing(localQueue.object.name, context.effects.stayAlive);
    ({ holder: this.#holder, writeLog: this.#writeLog } = grant);
    this.#leaseMs = leaseMs;
    this.#clock = new LeaseClock(context, this.#holder.leaseMs, grant.reading, timing);
    this.#alarm = new Alarm(context.effects);
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
    this.#askIfInDoubt();
    return Math.max(0, this.#clock.remainingMs);
  }

  assertHeld(): void {
    if (this.isHeld) return;
    if (!this.standing.isOver && (this.standing.isLeft || this.#clock.isOver)) this.lose(this.#whyOver);
    throw this.standing.notHeld;
  }

  /** Asks the store at once, by a renewal, where the clocks disagree about whether it is over. */
  #askIfInDoubt(): void {
    const mayAsk = this.#isKept && !this.standing.isLeft;
    if (mayAsk && this.#clock.noticeDoubt() && this.#renewing === undefined) this.#tick();
  }

  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  /** Sends nothing for it any more: neither renewed nor given back, it runs out, and only then can another caller have it. */
  leaveToRunOut(): void {
    if (this.standing.isOver) return;
    this.standing.leave();
    const loseWhenOver = () =>
      this.#clock.remainingMs > 0 ? this.#alarm.set(this.#clock.remainingMs, loseWhenOver) : this.lose("closed");
    loseWhenOver();
  }

  /** Renews by itself at a third of the lease, never two at once, until released or lost. */
  keep(): void {
    this.#isKept = true;
    this.#schedule();
  }

  /** Renews now what would have to be renewed soon: another hold of the same object is being written anyway. */
  renewIfDueSoon(): void {
    if (!this.#isKept || !this.isHeld || this.#renewing !== undefined || !this.#clock.isDueSoon) return;
    this.#alarm.clear();
    this.#tick();
  }

  /** Takes note of its end by its clocks alone, where it is not renewed. The record is left to say so itself, to the millisecond. */
  endWhenOver(): void {
    this.#alarm.set(this.#clock.untilOverMs, () => (this.#clock.isOver ? this.#end() : this.endWhenOver()));
  }

  share(): void {
    this.#shares += 1;
  }

  /** Renews once now; false when the lock is gone. */
  renew(options: RenewOptions = { onlyUnexpired: false }): Promise<boolean> {
    this.#renewing ??= this.#renewOnce(options).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Goes from all of the lock to a share in it, without letting it go; false when it is gone. */
  async downgrade(): Promise<boolean> {
    while (this.#renewing !== undefined) await this.#renewing.catch(() => {});
    const isDowngraded = await this.renew({ onlyUnexpired: false, mode: "shared" });
    this.#localQueue.holdChanged();
    return isDowngraded;
  }

  /** Ends it here without giving it back, to go on elsewhere as the holder that is returned. */
  async leave(): Promise<Holder> {
    if (!this.isHeld && !this.#clock.isOver) await this.renew();
    this.assertHeld();
    await this.#renewing?.catch(() => {});
    this.assertHeld();
    this.#releasing = Promise.resolve(false);
    this.standing.handOver();
    this.#stop();
    this.#end();
    return { ...this.#holder, leaseMs: this.#leaseMs };
  }

  get #whyOver(): Loss {
    return reasonOfEnd(this.#failed, { isRenewing: this.#renewing !== undefined, lateMs: -this.#clock.untilOverMs });
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

  #schedule(): void {
    if (this.standing.quietSignal.aborted) return;
    const delayMs = this.#clock.untilRenewalMs;
    // Timers do not know of a wall clock that was set, or of a machine that slept: the clocks are read in between.
    this.#alarm.set(Math.min(delayMs, WATCH_MS), () => (delayMs > WATCH_MS ? this.#schedule() : this.#tick()));
  }

  #tick(): void {
    const leftMs = this.#clock.untilLostMs;
    if (leftMs <= 0) return this.lose(this.#whyOver);
    // The deadline has a timer of its own: a renewal that hangs must not keep the loss from being noticed in time.
    this.#alarm.set(leftMs, () => this.#tick());
    this.renew().then(
      () => this.#schedule(),
      (error) => this.#afterFailedRenewal(error),
    );
  }

  #afterFailedRenewal(error: unknown): void {
    this.#failed = { ...this.#failed, last: error };
    if (this.standing.quietSignal.aborted) return;
    if (this.#clock.untilLostMs <= 0) return this.lose("store-unavailable", error);
    const { name } = this.#localQueue.object;
    this.#context.logger.warn(`renewing ${JSON.stringify(name)} failed and is tried again`, { err: error });
    this.#alarm.set(this.#clock.untilRetryMs, () => this.#tick());
  }

  async #renewOnce({ onlyUnexpired, mode }: RenewOptions): Promise<boolean> {
    const signal = this.standing.quietSignal;
    if (signal.aborted) return false;
    const { id, token } = this.#holder;
    const command = { id, token, leaseMs: this.#leaseMs, onlyUnexpired, ...(mode === undefined ? {} : { mode }) };
    try {
      const onFailure = (error: S3MutexError, isAnswered: boolean) => {
        this.#failed = { ...this.#failed, last: error, ...(isAnswered ? { answer: error } : {}) };
      };
      const options = { ...this.#swapOptions(), signal, onFailure };
      return this.#applyRenewal(await this.#localQueue.renew({ command, options }));
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  #applyRenewal({ reply }: Swapped<RenewReply>): boolean {
    if (reply.kind === "gone") this.lose(lossReason(reply.reason));
    if (reply.kind === "gone" || this.standing.isOver) return false;
    const reading = this.#writeLog.readingOf(reply.holder.leaseWriteId);
    if (reading === undefined) return true;
    this.#failed = {};
    this.#holder = reply.holder;
    this.#clock.renewed(reply.holder, reading);
    this.#context.emit("renewed", { ...this.#describe(), expiresAt: reply.holder.expiresAtMs });
    return true;
  }

  async #releaseOnce(): Promise<boolean> {
    const wasLost = this.loss !== undefined;
    if (this.standing.isLeft || this.#clock.isOver) this.#noteLoss(this.#whyOver);
    this.#stop();
    // Once lost, its leftovers are being cleared away already.
    if (wasLost || this.standing.isLeft) return false;
    const { id, token } = this.#holder;
    try {
      const command = { id, isUnused: this.standing.isUnused };
      // Its end may be far off, and the record says it already: no caller is kept waiting for that.
      const { reply, snapshot } = await this.#localQueue.giveBack(command, this.#swapOptions(this.#leaseMs));
      if (reply.kind === "released") {
        // An expired hold that was not taken over is given back, but it has been reported as lost.
        if (this.loss !== undefined) return true;
        const heldMs = Math.round(this.#context.effects.monotonicMs() - this.#heldSinceMs);
        this.#context.emit("released", { ...this.#describe(), heldMs });
        return true;
      }
      this.#noteLoss(lossReason(reasonOfLoss(snapshot.record, token)));
      // While its grant was on its way and ended by force, it may have asked again and have taken a place in the queue.
      this.#cancel(isListed(snapshot.record, id) ? "possible" : "none");
      return false;
    } catch (error) {
      this.#cancel();
      throw error;
    }
  }

  #swapOptions(withinMs = Number.POSITIVE_INFINITY) {
    const policy = holderPolicy(this.#context, this.#leaseMs, this.#clock.deadlineMs(withinMs));
    return { ...policy, writeLog: this.#writeLog };
  }

  lose(reason: Loss, cause: unknown = this.#failed.last): void {
    if (!this.#noteLoss(reason, cause)) return;
    this.#stop();
    if (!this.standing.isLeft) this.#cancel();
    this.#end();
  }

  #stop(): void {
    this.standing.end();
    this.#alarm.clear();
    this.#context.holdings.noteChange();
  }

  #end(): void {
    const { activity, diagnostics } = this.#context;
    this.#context.holdings.delete(this);
    if (activity.held.delete(this.#holder.id)) diagnostics.publish("hold:end", this.#describe());
    for (const listener of this.#endListeners.splice(0)) listener();
  }

  #noteLoss(reason: Loss, cause?: unknown): boolean {
    const error = this.standing.lose(reason, { ...this.#failed, cause, steppedByMs: this.#clock.steppedByMs });
    if (error === undefined) return false;
    this.nest.end(error);
    tellLoss(this.#context, { ...this.#describe(), reason: error.reason as Loss, error });
    return true;
  }

  #describe() {
    const { id: acquisitionId, token: fencingToken } = this.#holder;
    return { lockName: this.#localQueue.object.name, acquisitionId, fencingToken };
  }

  /** Takes out a lost lock's entry and keeps its unanswered renewal from landing, behind the scenes. */
  #cancel(entry: "none" | "possible" = "possible"): void {
    const { id, leaseMs } = this.#holder;
    const leftovers = { id, leaseMs, writeLog: this.#writeLog, entry, isUnused: this.standing.isUnused };
    cancelLeftovers(this.#context, this.#localQueue.object, leftovers);
  }
}
