import { hasRunOut } from "./core/attempt.js";
import type { LockRecord } from "./core/record.js";
import type { StoreTime } from "./core/store-time.js";
import { replaceCorrupt } from "./core/transition/remove.js";
import { Attempts } from "./runtime/attempts.js";
import { isHeldByOwner, refreshByOwner, releaseByOwner } from "./runtime/by-owner.js";
import type { Context } from "./runtime/context.js";
import type { Lease } from "./runtime/lease.js";
import type { LocalLines } from "./runtime/local-line.js";
import { type LockObject, RemoveUnsupported, type Snapshot } from "./runtime/lock-object.js";
import { deleting, forcing } from "./runtime/repeatable.js";
import { requestTimeoutMs } from "./runtime/timing.js";

/** What the API of s3-mutex 1.x does with locks that are known by their names alone. */
export class NamedLocks {
  readonly #context: Context;
  readonly #lines: LocalLines;
  readonly #leaseMs: number;
  /** What `acquireLock` took and nobody has released yet. */
  readonly #leases = new Map<string, Lease>();

  constructor(context: Context, lines: LocalLines, leaseMs: number) {
    this.#context = context;
    this.#lines = lines;
    this.#leaseMs = leaseMs;
  }

  add(object: LockObject, lease: Lease): void {
    this.#leases.set(object.key, lease);
    lease.endWhenOver();
    if (this.#leases.size > MAX_NAMED) this.#forgetOldest();
  }

  async release(object: LockObject): Promise<boolean> {
    const lease = this.#leases.get(object.key);
    // Settled before anything is awaited: a late call must not reach a successor under the same owner.
    if (lease === undefined) return releaseByOwner(this.#context, object, this.#leaseMs);
    const released = await lease.release();
    this.#forget(object, lease);
    return released;
  }

  async refresh(object: LockObject): Promise<boolean> {
    const lease = this.#leases.get(object.key);
    if (lease === undefined) return refreshByOwner(this.#context, object, this.#leaseMs);
    const renewed = await lease.renew({ onlyUnexpired: true });
    if (!renewed) this.#forget(object, lease);
    return renewed;
  }

  async forceRelease(object: LockObject): Promise<boolean> {
    const { reply, snapshot } = await object.swap(forcing(), this.#options());
    this.#endHere(object, "force-released", snapshot);
    return reply.kind === "released";
  }

  async isLocked(object: LockObject): Promise<boolean> {
    return this.#look(object, (record, now) => record?.holders.some((holder) => !hasRunOut(holder, { now })) ?? false);
  }

  async isOwnedByUs(object: LockObject): Promise<boolean> {
    return this.#look(object, (record, now) => isHeldByOwner(record, this.#context.ownerId, { now }));
  }

  /** Removes the object, or leaves a tombstone that reads as absent where it is too young or the store cannot remove it safely. */
  async delete(object: LockObject, options: { readonly force: boolean; readonly restMs: number }): Promise<boolean> {
    const owner = options.force ? undefined : this.#context.ownerId;
    const swapOptions = { ...this.#options(), ...(options.force ? { applyToUnreadable: replaceCorrupt } : {}) };
    const deleteWith = (restMs: number) => object.swap(deleting({ owner, restMs }), swapOptions);
    const { reply, snapshot } = await deleteWith(options.restMs).catch((error) => {
      if (error instanceof RemoveUnsupported) return deleteWith(Number.POSITIVE_INFINITY);
      throw error;
    });
    if (reply.kind !== "deleted") return false;
    this.#endHere(object, "deleted", snapshot);
    return true;
  }

  /** Whoever held it in this process learns at once what others learn at their next renewal; not who was granted it since. */
  #endHere(object: LockObject, reason: "force-released" | "deleted", { record }: Snapshot): void {
    const hasEnded = ({ holder: { id, token } }: Lease) =>
      record === undefined || (token <= record.token && !record.holders.some((other) => other.id === id));
    const named = this.#leases.get(object.key);
    if (named !== undefined && hasEnded(named)) this.#leases.delete(object.key);
    this.#lines.peek(object.key)?.loseHolders(reason, hasEnded);
  }

  /** Leases that ran out are remembered, so that a late release does not end a successor's turn; but not without end. */
  #forgetOldest(): void {
    for (const [key, lease] of this.#leases) {
      if (lease.isHeld) continue;
      this.#leases.delete(key);
      return;
    }
  }

  #forget(object: LockObject, lease: Lease): void {
    if (this.#leases.get(object.key) === lease) this.#leases.delete(object.key);
  }

  async #look(object: LockObject, ask: (record: LockRecord | undefined, now: StoreTime) => boolean): Promise<boolean> {
    const { reply } = await object.swap((record, { now }) => ({ reply: ask(record, now) }), this.#options());
    return reply;
  }

  #options() {
    const timeoutMs = requestTimeoutMs(this.#leaseMs);
    const untilMs =
      this.#context.effects.monotonicMs() + Math.min(Math.max(this.#leaseMs / 2, MIN_PATIENCE_MS), MAX_PATIENCE_MS);
    return { attempts: new Attempts(), timeoutMs, untilMs, role: "contender" as const, fromStore: true };
  }
}

const MAX_NAMED = 10_000;
/** How long a store that does not answer is asked again. */
const MIN_PATIENCE_MS = 5000;
const MAX_PATIENCE_MS = 10_000;
