import { leftInDoubt, NOT_PASSED, type Passing, passingOn } from "../../core/client/passing.js";
import type { Attempt } from "../../core/expiry.js";
import { areCompatible, type Claim, type LockRecord } from "../../core/record.js";
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
  /** When the record last stayed as it was for long enough that others could have joined its queue. */
  #quietAtMs: number;
  #changedAtMs: number;

  constructor(context: Context, object: LockObject, onIdle: () => void) {
    this.#context = context;
    this.object = object;
    this.#onIdle = onIdle;
    this.#askers = new OneAfterAnother(context.effects);
    this.#renewals = new OwnRenewals(object);
    this.#quietAtMs = context.effects.monotonicMs();
    this.#changedAtMs = this.#quietAtMs;
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
    this.#changedAtMs = nowMs;
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
    const holds = [...this.#holds];
    const limit = knownLimit(this.object, acquisition.request);
    // Unknown, or too few for it even if all were free: the store says so.
    if (limit === undefined || !areCompatible([acquisition.request], limit)) return 0;
    if (areCompatible([...holds.map(claimOf), acquisition.request], limit)) return 0;
    const restsMs = holds.map((hold) => this.#restBehindMs(hold));
    return Math.max(0, restsMs.includes(Number.POSITIVE_INFINITY) ? Number.POSITIVE_INFINITY : Math.min(...restsMs));
  }

  inTurn<Result>(isLastChance: boolean, ask: () => Promise<Result>): Promise<Result> {
    const { clock, effects } = this.#context;
    const stuckAfterMs = () =>
      clock.roundTripMs === 0 ? FIRST_STUCK_MS : Math.max(STUCK_MS, STUCK_ROUND_TRIPS * clock.roundTripMs);
    // Of many callers one asks after the other, without a pause: each renewal would come second, until its hold is lost.
    const askThen = () => {
      const { underWay } = this.#renewals;
      return underWay === undefined ? ask() : settledWithin(effects, underWay, stuckAfterMs()).then(ask);
    };
    return isLastChance ? this.#askers.inTurn(stuckAfterMs, askThen) : askThen();
  }

  #restBehindMs(hold: LocalHold): number {
    if (!("lease" in hold) || hold.lease.standing.isOver) return Number.POSITIVE_INFINITY;
    // Its holder in this process will pass it on. Only after a while is the store asked whether that is still so: the lock may
    // have been released by force, or by another instance of the same owner.
    const heldMs = this.#context.effects.monotonicMs() - hold.sinceMs;
    return Math.min(TRUST_LOCAL_MS - heldMs, hold.lease.remainingMs);
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
    const limit = knownLimit(this.object, request);
    return holds.length > 0 && (limit === undefined || !areCompatible([...holds.map(claimOf), request], limit));
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
    this.#changedAtMs = nowMs;
    if (!successor.isWaiting || reply.kind !== "granted") return successor.receive(reply);
    this.#holds.add({ to: successor, sinceMs: nowMs });
    successor.receive(reply);
  }

  /**
   * Leaves the record as it is for a few round trips, now and then: transfers between us change it every time, and a client that reads
   * it to join the queue loses the race.
   */
  async #letOthersIn(untilMs: number): Promise<void> {
    const { effects, clock } = this.#context;
    const nowMs = effects.monotonicMs();
    const pauseMs = QUIET_ROUND_TRIPS * clock.roundTripMs;
    if (nowMs - this.#changedAtMs >= pauseMs) this.#quietAtMs = nowMs;
    const isDue = nowMs - this.#quietAtMs > QUIET_EVERY_MS && this.#waiting.size > 0;
    if (!isDue || nowMs + 4 * pauseMs > untilMs) return;
    this.#quietAtMs = nowMs;
    await sleep(effects, pauseMs, { keepAlive: true });
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

type PassingReply = Omit<TransferReply, "to"> & { readonly to: TransferReply["to"] | undefined };

/** An answer that takes that long, or so many round trips, is not waited for by those behind. */
const STUCK_MS = 100;
/** The same before the first answer has shown how long one takes. */
const FIRST_STUCK_MS = 500;
/** A read and a write, each of which may take twice as long as usual. */
const STUCK_ROUND_TRIPS = 4;
/** The waiters here notice within about a second what was forced from outside. */
const TRUST_LOCAL_MS = 1000;
/** A process that passes its lock on by itself leaves the record alone twice a second, so that waiters of others can write their entries. */
const QUIET_EVERY_MS = 500;
/** A poll that shows the record, the write of an entry, and one to spare. */
const QUIET_ROUND_TRIPS = 3;

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
