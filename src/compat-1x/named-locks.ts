import { type Attempt, isExpired } from "../core/expiry.js";
import { keyOfPart } from "../core/names.js";
import type { LockRecord } from "../core/record.js";
import { laterParts } from "../core/shares.js";
import { replaceCorrupt } from "../core/transition/remove.js";
import { holderLoss, reasonOfLoss } from "../core/transition/renew.js";
import type { LocalQueues } from "../runtime/acquire/local-queue.js";
import type { Context } from "../runtime/base/context.js";
import { inParallel } from "../runtime/base/in-parallel.js";
import type { Lease } from "../runtime/hold/lease.js";
import { type NamedHold, NamedHolds, type NamedTarget } from "../runtime/hold/named-holds.js";
import { READS_AT_ONCE } from "../runtime/inspect/inspect.js";
import type { Scope } from "../runtime/scopes/scope.js";
import type { Scopes } from "../runtime/scopes/scopes.js";
import { RemoveUnsupported } from "../runtime/swap/changed.js";
import { LockObject, type Snapshot } from "../runtime/swap/lock-object.js";
import { commandPolicy } from "../runtime/swap/policies.js";
import { deleting, forcing } from "../runtime/swap/repeatable.js";
import { WriteLog } from "../runtime/swap/write-log.js";
import { type IsOther, isHeldByOwner, refreshByOwner, releaseByOwner } from "./by-owner.js";
import type { Force } from "./force.js";

/** What the API of s3-mutex 1.x does with locks that are known by their names alone. */
export class NamedLocks {
  readonly #context: Context;
  readonly #localQueues: LocalQueues;
  readonly #leaseMs: number;
  /** What `acquireLock` took. */
  readonly #holds = new NamedHolds();
  readonly #scopes: Scopes;

  constructor(context: Context, localQueues: LocalQueues, scopes: Scopes, leaseMs: number) {
    this.#context = context;
    this.#localQueues = localQueues;
    this.#scopes = scopes;
    this.#leaseMs = leaseMs;
  }

  add(object: LockObject, lease: Lease, line: Scope): void {
    this.#holds.add(object.key, lease, line);
    lease.endWhenOver();
  }

  /** Notes that a line of work was not given the lock: what it calls by name from now on is not about what another one has of it. */
  noteRefusal(object: LockObject, line: Scope): void {
    this.#holds.noteRefusal(object.key, line);
  }

  async release(object: LockObject): Promise<boolean> {
    const { key } = object;
    const target = this.#target(key);
    if (target.kind === "none") return releaseByOwner(this.#context, object, this.#byOwner(key));
    if (target.kind === "refused") return false;
    if (target.kind === "late") return this.#refuseLate(key, target.own);
    const released = await target.hold.lease.release();
    this.#holds.settle(key, target.hold, target.hold.lease.loss === undefined ? "released" : "lost");
    return released;
  }

  async refresh(object: LockObject): Promise<boolean> {
    const { key } = object;
    const target = this.#target(key);
    if (target.kind === "none") return refreshByOwner(this.#context, object, this.#byOwner(key));
    if (target.kind === "refused" || target.kind === "late") return false;
    const renewed = await target.hold.lease.renew({ onlyUnexpired: true });
    target.hold.isLost ||= !renewed;
    return renewed;
  }

  /** Ends holds by force. `seen`: whose, by acquisition id; undefined: all. */
  async forceRelease(object: LockObject, seen?: ReadonlySet<string>): Promise<boolean> {
    const { reply, snapshot } = await object.swap(forcing(seen), this.#options());
    this.#endHere(object, snapshot);
    const others = await this.#inOthers(object, snapshot, (other) => this.forceRelease(other, seen));
    return reply.kind === "released" || others.includes(true);
  }

  /** Does the same to the further records of a semaphore, by what its first one says. */
  async #inOthers(
    { ref, key }: LockObject,
    { record }: Snapshot,
    act: (object: LockObject) => Promise<boolean>,
  ): Promise<readonly boolean[]> {
    const outcomes: boolean[] = [];
    await inParallel(laterParts(record?.shares), READS_AT_ONCE, async (part) => {
      outcomes.push(await act(new LockObject(this.#context, { ...ref, part }, keyOfPart(key, part))));
    });
    return outcomes;
  }

  /** Says whether it was held when asked: a lease that had not ended then may have been renewed while the answer was on its way. */
  async isLocked(object: LockObject): Promise<boolean> {
    const { clock, effects } = this.#context;
    return this.#read(object, (record, attempt) => {
      const now = clock.when(object.latest?.askedAtMs ?? effects.monotonicMs()) ?? attempt.now;
      return record?.holders.some((holder) => !isExpired(holder, { ...attempt, now })) ?? false;
    });
  }

  /** Says whether this owner holds it now: no caller is to work under a lease that has ended meanwhile. */
  async isOwnedByUs(object: LockObject): Promise<boolean> {
    const { ownerId, activity } = this.#context;
    const isInNoHands = (id: string) => activity.isInNoHands(id);
    const whose = { ownerId, isInNoHands, isOverHere: this.#holds.last(object.key)?.lease.isOverHere };
    return this.#read(object, (record, attempt) => isHeldByOwner(record, whose, attempt));
  }

  /**
   * Removes the object, or leaves a tombstone that reads as absent: where it is too young, or the store cannot remove it safely, or does not
   * let this client delete.
   */
  async delete(object: LockObject, options: { readonly force: Force; readonly restMs: number }): Promise<boolean> {
    const { force } = options;
    const { key } = object;
    const target: NamedTarget = force.isForced ? { kind: "none" } : this.#target(key);
    if (target.kind === "refused") return false;
    if (target.kind === "late") return this.#refuseLate(key, target.own);
    const hold = target.kind === "hold" ? target.hold : undefined;
    const { ownerId } = this.#context;
    const whose = force.isForced ? { owner: undefined, seen: force.seen } : { owner: ownerId };
    const isOther = force.isForced ? undefined : this.#byOwner(key, hold).isOther;
    const swapOptions = { ...this.#options(), ...(force.isForced ? { applyToUnreadable: replaceCorrupt } : {}) };
    const deleteWith = (restMs: number) => object.swap(deleting({ ...whose, restMs }, isOther), swapOptions);
    const { reply, snapshot } = await deleteWith(options.restMs).catch((error) => {
      if (error instanceof RemoveUnsupported) return deleteWith(Number.POSITIVE_INFINITY);
      throw error;
    });
    if (hold !== undefined) this.#holds.settle(key, hold, reply.kind === "deleted" ? "released" : "lost");
    if (reply.kind !== "deleted") return false;
    this.#endHere(object, snapshot);
    await this.#inOthers(object, snapshot, (other) => this.delete(other, options));
    return true;
  }

  /** Finds what a call is about, which is settled when it is made. */
  #target(key: string): NamedTarget {
    return this.#holds.find(key, this.#scopes.current);
  }

  /** Refuses a call for an acquisition that was lost, made while another caller may have the lock. */
  #refuseLate(key: string, own: NamedHold | undefined): false {
    this.#holds.settle(key, own, "lost");
    return false;
  }

  /**
   * Tells what a call is not about: what comes to hold the lock while the store is slow to answer, and what no caller was given; and,
   * where it is about a hold of this mutex, what another instance of the same owner has taken since.
   */
  #byOwner(key: string, hold?: NamedHold) {
    const meant = hold?.lease.holder.id;
    const { activity } = this.#context;
    const isOfThisMutex = (id: string) => this.#localQueues.peek(key)?.has(id) === true || activity.isInNoHands(id);
    const isOther: IsOther = (id) => id !== meant && (meant !== undefined || isOfThisMutex(id));
    return { isOther, leaseMs: this.#leaseMs };
  }

  /**
   * Tells a holder in this process at once, and in the same words, what others learn at their next renewal; not one that was granted it
   * since. An object that was not there tells only of holders from before it was asked for.
   */
  #endHere(object: LockObject, { record, askedAtMs }: Snapshot): void {
    this.#localQueues.peek(object.key)?.loseHolders(({ holder: { id, token } }, sinceMs) => {
      const isGone =
        record === undefined
          ? sinceMs < askedAtMs
          : token <= record.token && !record.holders.some((other) => other.id === id);
      return isGone ? holderLoss(reasonOfLoss(record, token)) : undefined;
    });
  }

  async #read(
    object: LockObject,
    ask: (record: LockRecord | undefined, attempt: Attempt) => boolean,
  ): Promise<boolean> {
    const { reply } = await object.swap((record, attempt) => ({ reply: ask(record, attempt) }), this.#options());
    return reply;
  }

  #options() {
    return { ...commandPolicy(this.#context, this.#leaseMs), writeLog: new WriteLog(), from: "store" as const };
  }
}
