import {
  areInTheWay,
  type OwnHold,
  pauseBeforePass,
  type Quiet,
  restBehind,
  stuckAfterMs,
} from "../../core/client/local-queue.js";
import { leftInDoubt, NOT_PASSED, type Passing, passingOn } from "../../core/client/passing.js";
import type { Attempt } from "../../core/expiry.js";
import type { Claim, LockRecord } from "../../core/record.js";
import { type AcquireReply, acquire } from "../../core/transition/acquire.js";
import { type ReleaseCommand, release } from "../../core/transition/release.js";
import type { RenewReply } from "../../core/transition/renew.js";
import { type TransferReply, transfer } from "../../core/transition/transfer.js";
import type { Context } from "../base/context.js";
import { OneAfterAnother } from "../base/in-parallel.js";
import { settledWithin, sleep } from "../base/timing.js";
import type { GivenBack, HoldingQueue } from "../hold/holding-queue.js";
import type { Lease } from "../hold/lease.js";
import type { Loss } from "../hold/loss.js";
import { OwnRenewals, type Renewal } from "../hold/renewals.js";
import { WaitingOrder } from "../hold/waiting-order.js";
import type { LockObject } from "../swap/lock-object.js";
import type { SwapOptions, Swapped } from "../swap/swap-options.js";
import { SharedLog } from "../swap/write-log.js";
import { type AcquireRequest, knownLimit, type WaitingQueue } from "./acquire-request.js";
import type { Acquisition } from "./acquisition.js";

/** A hold of one of us; without a lease while it is being handed to an acquisition that has not taken it up yet. */
type LocalHold = { readonly sinceMs: number } & ({ readonly lease: Lease } | { readonly to: Acquisition });

/**
 * The callers of one lock in this process, in the order in which they are served. Only the first of them waits on the store,
 * with the arrival time that it has; and when the holder is one of us and the next in the queue, local and remote waiters taken
 * together, is one of us too, the lock passes on with one compare-and-swap.
 */
export class LocalQueue implements WaitingQueue<Acquisition>, HoldingQueue {
  readonly object: LockObject;
  readonly #context: Context;
  readonly #onIdle: () => void;
  readonly #waiting = new WaitingOrder<Acquisition>();
  readonly #holds = new Set<LocalHold>();
  readonly #askers: OneAfterAnother;
  readonly #renewals: OwnRenewals;
  /** The release that is being written. */
  #giving: Promise<unknown> | undefined;
  #quiet: Quiet;

  constructor(context: Context, object: LockObject, onIdle: () => void) {
    this.#context = context;
    this.object = object;
    this.#onIdle = onIdle;
    this.#askers = new OneAfterAnother(context.effects);
    this.#renewals = new OwnRenewals(object);
    const nowMs = context.effects.monotonicMs();
    this.#quiet = { changedAtMs: nowMs, quietAtMs: nowMs };
  }

  join(acquisition: Acquisition): void {
    this.#waiting.join(acquisition);
  }

  leave(acquisition: Acquisition): void {
    const wasFirst = this.#waiting.first === acquisition;
    this.#waiting.leave(acquisition);
    // It was handed the lock and gave up before it took it: its own clean-up takes it out of the record.
    const wasHanded = this.#forgetTransfer(acquisition);
    // To the first, nothing has changed by those behind it who give up.
    if (wasFirst || wasHanded) this.#wakeFirst();
    this.#dropIfIdle();
  }

  /** Notes that a caller of this process has the lock from now on, until its lease ends. */
  hold(lease: Lease, acquisition?: Acquisition): void {
    const nowMs = this.#context.effects.monotonicMs();
    if (acquisition !== undefined) this.#forgetTransfer(acquisition);
    const hold = { lease, sinceMs: nowMs };
    this.#holds.add(hold);
    this.#noteChange(nowMs);
    const { id: acquisitionId, token: fencingToken, mode, priority } = lease.holder;
    const start = { lockName: this.object.name, acquisitionId, fencingToken, mode, priority };
    this.#context.diagnostics.publish("hold:start", start);
    lease.onEnd(() => {
      this.#holds.delete(hold);
      this.#wakeFirst();
      this.#dropIfIdle();
    });
  }

  /** Wakes the next, as it may fit beside the holders: a hold has become smaller, or there are more permits. */
  holdChanged(): void {
    this.#wakeFirst();
  }

  /** Says how long an acquisition may leave the store alone; 0: it has to ask. */
  restMs(acquisition: Acquisition): number {
    if (acquisition.mustAskItself) return 0;
    if (this.#waiting.first !== acquisition) return Number.POSITIVE_INFINITY;
    const nowMs = this.#context.effects.monotonicMs();
    const holds = [...this.#holds].map((hold) => ownHoldOf(hold, nowMs));
    return restBehind(holds, acquisition.request, knownLimit(this.object, acquisition.request));
  }

  inTurn<Result>(isLastChance: boolean, ask: () => Promise<Result>): Promise<Result> {
    const { clock, effects } = this.#context;
    const patienceMs = () => stuckAfterMs(clock.roundTripMs);
    // Of many callers one asks after the other, without a pause: each renewal would come second, until its hold is lost.
    const askThen = () => {
      const { underWay } = this.#renewals;
      return underWay === undefined ? ask() : settledWithin(effects, underWay, patienceMs()).then(ask);
    };
    return isLastChance ? this.#askers.inTurn(patienceMs, askThen) : askThen();
  }

  /** Says whether the acquisition is one of ours, which waits for the lock or has it. */
  has(acquisitionId: string): boolean {
    for (const { id } of this.#waiting) if (id === acquisitionId) return true;
    return [...this.#holds].some((hold) => ("lease" in hold ? hold.lease.holder.id : hold.to.id) === acquisitionId);
  }

  /** Loses those of our holds that another caller in this process has just ended. */
  loseHolders(lossOf: (lease: Lease, sinceMs: number) => Loss | undefined): void {
    for (const hold of [...this.#holds]) {
      const loss = "lease" in hold ? lossOf(hold.lease, hold.sinceMs) : undefined;
      if ("lease" in hold && loss !== undefined) hold.lease.lose(loss);
    }
  }

  /** Says whether callers of this process leave no room for it as far as is known here: an answer that needs no request. */
  isTakenHere(request: AcquireRequest): boolean {
    const holds = [...this.#holds].filter((hold) => !("lease" in hold) || hold.lease.isHeld);
    return areInTheWay(holds.map(claimOf), request, knownLimit(this.object, request));
  }

  glance(acquisition: Acquisition): AcquireReply["kind"] | undefined {
    return this.object.glance(
      (record, attempt) => acquire(record, acquisition.command(attempt, record), attempt).reply.kind,
    );
  }

  reportAnswer(isTaken: boolean): void {
    for (const acquisition of this.#waiting) acquisition.reportAnswer(isTaken);
  }

  /** Renews a hold, and in the same write the others of ours that are due soon. */
  renew(renewal: Renewal): Promise<Swapped<RenewReply>> {
    return this.#renewals.renew(renewal, () => {
      for (const hold of this.#holds) {
        if ("lease" in hold && hold.lease.holder.id !== renewal.command.id) hold.lease.renewIfDueSoon();
      }
    });
  }

  /** Gives a hold back, to the next in the queue where that is one of us. */
  async giveBack(command: ReleaseCommand, options: SwapOptions): Promise<GivenBack> {
    await this.#letOthersIn(options.untilMs);
    if (this.#holds.size === 1) return this.#pass(command, options);
    const giving = this.#oneByOne(options.untilMs, () => this.#pass(command, options));
    this.#giving = giving;
    return giving.finally(() => {
      if (this.#giving === giving) this.#giving = undefined;
    });
  }

  /** Writes once the write before is over: of several that were sent at once, all but one would come in vain. */
  async #oneByOne<Result>(untilMs: number, write: () => Promise<Result>): Promise<Result> {
    const { effects } = this.#context;
    // One that hangs must not take the time of those behind it.
    if (this.#giving !== undefined) {
      await settledWithin(effects, this.#giving, (untilMs - effects.monotonicMs()) / 2);
    }
    return write();
  }

  async #pass(command: ReleaseCommand, options: SwapOptions): Promise<GivenBack> {
    const own: ReleaseCommand = { ...command, isOwn: (writeId) => options.writeLog.isOwn(writeId) };
    let passing: Passing<Acquisition> = NOT_PASSED;
    const apply = (record: LockRecord | undefined, attempt: Attempt) => {
      passing = passingOn(
        passing,
        (caller) => caller.isWaiting,
        () => this.#successor,
      );
      if (passing.to !== undefined) {
        return transfer(record, { from: own, to: passing.to.command(attempt, record) }, attempt);
      }
      const { reply, ...change } = release(record, own, attempt);
      return { reply: { kind: "transfer" as const, from: reply, to: undefined }, ...change };
    };
    const ours = [options.writeLog];
    const writeLog = new SharedLog(
      () => (passing.to === undefined ? ours : [...ours, passing.to.writeLog]),
      () => ours,
    );
    let isAnswered = false;
    try {
      const { reply, snapshot } = await this.object.swap<PassingReply>(apply, {
        ...{ ...options, writeLog, isConfirmedLater: true },
      });
      isAnswered = true;
      if (passing.to !== undefined && reply.to !== undefined) this.#passOn(passing.to, reply.to);
      return { reply: reply.from, snapshot };
    } finally {
      for (const other of leftInDoubt(passing, isAnswered)) other.noteUnknownTransfer();
    }
  }

  /** Once the mutex is closing no caller here wants it, although some have not learnt that yet. */
  get #successor(): Acquisition | undefined {
    if (this.#context.closing.aborted) return undefined;
    for (const candidate of this.#waiting) if (candidate.isWaiting) return candidate;
    return undefined;
  }

  #passOn(successor: Acquisition, reply: AcquireReply): void {
    const nowMs = this.#context.effects.monotonicMs();
    this.#noteChange(nowMs);
    if (!successor.isWaiting || reply.kind !== "granted") return successor.receive(reply);
    this.#holds.add({ to: successor, sinceMs: nowMs });
    successor.receive(reply);
  }

  #noteChange(changedAtMs: number): void {
    this.#quiet = { ...this.#quiet, changedAtMs };
  }

  /** Leaves the record as it is for a while, now and then, so that clients of other processes can join its queue. */
  async #letOthersIn(untilMs: number): Promise<void> {
    const { effects, clock } = this.#context;
    const { roundTripMs } = clock;
    const moment = { nowMs: effects.monotonicMs(), untilMs, roundTripMs, hasWaiters: this.#waiting.size > 0 };
    const { quietAtMs, pauseMs } = pauseBeforePass(this.#quiet, moment);
    this.#quiet = { ...this.#quiet, quietAtMs };
    if (pauseMs !== undefined) await sleep(effects, pauseMs, { keepAlive: true });
  }

  #forgetTransfer(acquisition: Acquisition): boolean {
    const handed = [...this.#holds].filter((hold) => "to" in hold && hold.to === acquisition);
    for (const hold of handed) this.#holds.delete(hold);
    return handed.length > 0;
  }

  #wakeFirst(): void {
    this.#waiting.first?.wake();
  }

  #dropIfIdle(): void {
    if (this.#waiting.size === 0 && this.#holds.size === 0) this.#onIdle();
  }
}

function claimOf(hold: LocalHold): Claim {
  return "lease" in hold ? hold.lease.holder : hold.to.request;
}

function ownHoldOf(hold: LocalHold, nowMs: number): OwnHold {
  const lease = "lease" in hold && !hold.lease.standing.isOver ? hold.lease : undefined;
  return { claim: claimOf(hold), heldMs: nowMs - hold.sinceMs, remainingMs: lease?.remainingMs };
}

type PassingReply = Omit<TransferReply, "to"> & { readonly to: TransferReply["to"] | undefined };

/** The local queues of one mutex; a queue is there while it has a holder or a waiter. */
export class LocalQueues {
  readonly #context: Context;
  readonly #byKey = new Map<string, LocalQueue>();

  constructor(context: Context) {
    this.#context = context;
  }

  queueOf(object: LockObject): LocalQueue {
    const known = this.#byKey.get(object.key);
    if (known !== undefined) return known;
    const queue: LocalQueue = new LocalQueue(this.#context, object, () => {
      if (this.#byKey.get(object.key) === queue) this.#byKey.delete(object.key);
    });
    this.#byKey.set(object.key, queue);
    return queue;
  }

  /** Finds the queue of this key, if it is not empty. */
  peek(key: string): LocalQueue | undefined {
    return this.#byKey.get(key);
  }
}
