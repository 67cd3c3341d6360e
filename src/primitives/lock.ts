import { invalidArgument } from "../arguments/invalid-argument.js";
import type { LockRef, Mode } from "../core/record.js";
import { S3MutexError } from "../errors.js";
import type { Hold } from "../runtime/hold/hold.js";
import type { Lease } from "../runtime/hold/lease.js";
import { handedOverError, releasedError } from "../runtime/hold/loss.js";
import { STAYS, showAs } from "../shown.js";
import type { FencedObjectOptions, FencedObjects, OpeningFencedObject } from "./fenced/fenced-object.js";
import { type LockPlace, writeHandOver } from "./hand-over.js";

/**
 * A held lock. It renews itself until it is released or lost. Between two lines of code that matter, ask the clocks:
 * `assertHeld()` is right at this very moment even if the process was frozen a moment ago. What must never be overwritten by
 * a holder that was frozen *after* that line has to check the `fencingToken` itself.
 */
export interface Lock extends AsyncDisposable {
  readonly name: string;
  /** Whether others may share it at the same time. */
  readonly mode: Mode;
  /** How many permits of a semaphore it stands for; 1 for a lock. */
  readonly permits: number;
  /** Greater than that of every earlier holder of this lock. Give it to the resource, and let it refuse lower ones. */
  readonly fencingToken: number;
  /**
   * Aborted when the work under the lock has to end, with a `lost` error as its reason; not by a release, nor by a doubt (see
   * `held`). Mostly the lock is lost then. With the reason `closed` (the mutex is being closed) or `resigned` it is not: `held`
   * stays true and the lock is renewed, so that the work can come to an orderly end.
   */
  readonly signal: AbortSignal;
  /**
   * Whether the lock is held at this very moment, by the clocks. Where they disagree (the wall clock was set forward, or the
   * machine slept) it is false, the store is asked at once, and its answer decides: true again, or `lost`. No answer for
   * a third of the lease, 10 s at most: `lost`.
   */
  readonly held: boolean;
  /** For how much longer the lock is certainly held if it is not renewed again, in milliseconds by the local clocks; 0 when it is not. */
  readonly remainingMs: number;
  /**
   * Throws the `lost` error unless the lock is held at this very moment, by the clocks; with the reason `released` after a release,
   * `in-doubt` while `held` is in doubt. Where clocks stand still while code computes (Cloudflare Workers, between two answers that are
   * awaited), what was computed since is not counted: `await lock.renew()` asks the store first.
   */
  assertHeld(): void;
  /** Until when others respect the lock if it is not renewed again: epoch milliseconds of the store's clock. */
  readonly expiresAt: number;
  /**
   * Renews now, for a whole lease; it is done automatically as well.
   * @returns false when the lock is gone, its lease has ended meanwhile, or its mutex was closed
   * @throws `store-unavailable`: the store did not answer for as long as a renewal is waited for, and the lease is not over yet
   */
  renew(): Promise<boolean>;
  /**
   * Makes an exclusive lock a shared one, without letting it go: waiters that want to share it can come in. There is no way back:
   * two sharers that both wanted all of it would wait for each other.
   * @returns false when the lock is gone
   */
  downgrade(): Promise<boolean>;
  /**
   * Ends this handle without giving the lock back, for another process to go on with it: see `mutex.restore`. That has to happen
   * before the lease is over, since it is not renewed meanwhile.
   * @returns a text that is good for one restoration; any process that has it can take the lock over
   * @throws `lost` when the lock is gone already; with the reason `in-doubt` this handle goes on as before: try again, or release it
   */
  serialize(): Promise<string>;
  /**
   * Gives the lock back. Doing it twice is harmless. While callers of this process pass the lock on to each other, one `release()` in
   * half a second lets three round trips pass first, so that waiters of other processes can join the queue; the lease goes on meanwhile.
   * @returns false when the lock had been lost before, or its mutex was closed without waiting for this
   * @throws `store-unavailable`: the store did not answer; the lock becomes free when its lease ends
   */
  release(): Promise<boolean>;
  /**
   * Opens an object of a bucket for this holder: from then on, no holder with an older token can change it. The object decides, and
   * not the lease: one that was lost goes on until a newer holder opens the object.
   * @throws `fenced-out`: a newer holder has opened it; `corrupt-record`: it was written by other means, see `adopt`
   *
   * @example
   * ```ts
   * const account = await lock.fencedObject<{ cents: number }>({ key: "accounts/4711.json" });
   * await account.update((content) => ({ cents: (content?.cents ?? 0) + 100 }));
   * ```
   */
  fencedObject<Content = unknown>(options: FencedObjectOptions): OpeningFencedObject<Content>;
}

/** What a handle needs besides its lease. */
export interface Surroundings {
  readonly place: LockPlace;
  readonly fencedObjects: FencedObjects;
  readonly onRelease: () => void;
  readonly onReleaseError: (error: unknown) => void;
}

export class HeldLock implements Lock {
  static {
    showAs<HeldLock>(HeldLock, "Lock", ({ name, mode, fencingToken, held, expiresAt }) => ({
      name,
      mode,
      fencingToken,
      held,
      expiresAt,
    }));
  }

  readonly #ref: LockRef;
  readonly #hold: Hold;
  readonly #surroundings: Surroundings;
  #released: Promise<boolean> | undefined;
  #isHandedOver = false;
  #isGuarding = false;
  readonly cannotBeCloned = STAYS.lock;

  constructor(ref: LockRef, hold: Hold, surroundings: Surroundings) {
    this.#ref = ref;
    this.#hold = hold;
    this.#surroundings = surroundings;
  }

  get name(): string {
    return this.#ref.name;
  }

  get mode(): Mode {
    return this.#hold.holder.mode;
  }

  get permits(): number {
    return this.#hold.holder.permits ?? 1;
  }

  get fencingToken(): number {
    return this.#hold.holder.token;
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  get held(): boolean {
    return this.remainingMs > 0;
  }

  get expiresAt(): number {
    return this.#hold.holder.expiresAtMs;
  }

  get remainingMs(): number {
    return this.#isEnded ? 0 : this.#hold.remainingMs;
  }

  assertHeld(): void {
    if (this.#isEnded && this.#hold.isHeld) throw this.#hold.loss ?? releasedError(this.name);
    this.#hold.assertHeld();
  }

  async renew(): Promise<boolean> {
    return !this.#isEnded && this.#hold.renew();
  }

  async downgrade(): Promise<boolean> {
    if (this.#ref.kind === "semaphore") throw invalidArgument("this", this.name, "permits cannot be shared");
    this.#checkAlone("a lock becomes a share only by its own handle, while nothing nests in it");
    if (this.mode === "shared") return this.held;
    return this.#hold.nest.alone(() => this.#hold.root.downgrade());
  }

  async serialize(): Promise<string> {
    this.#checkAlone("a lock is handed over only by its own handle, while nothing nests in it");
    const { nest, root } = this.#hold;
    // Calls that have waited meanwhile find it not held any more.
    const holder = await nest.alone(() => root.leave());
    this.#isHandedOver = true;
    return writeHandOver(this.#ref, this.#surroundings.place, holder);
  }

  release(): Promise<boolean> {
    this.#surroundings.onRelease();
    this.#released ??= this.#releaseOnce().catch((error) => {
      // So that it can be tried again.
      this.#released = undefined;
      throw error;
    });
    return this.#released;
  }

  fencedObject<Content = unknown>(options: FencedObjectOptions): OpeningFencedObject<Content> {
    const { fencedObjects, place } = this.#surroundings;
    const lockKey = place.key;
    const assertUsable = () => {
      if (this.#isHandedOver) throw handedOverError(this.name);
      if (this.#released !== undefined) throw this.#hold.loss ?? releasedError(this.name);
      if (this.#ref.kind === undefined && this.mode === "exclusive") return;
      throw invalidArgument(
        "lock",
        this.name,
        "only who has all of a lock, and does not share it, can fence an object",
      );
    };
    return fencedObjects.open({ lockName: this.name, lockKey, lease: this.#hold.root, assertUsable }, options);
  }

  /** The lease, for callers that look after it. */
  get lease(): Lease {
    return this.#hold.root;
  }

  /** Whether the clocks disagree about the lease; a handle that has ended has nothing left to find out. */
  get isInDoubt(): boolean {
    return !this.#isEnded && this.#hold.root.doubt.exists;
  }

  /** Waits while the clocks disagree about the lease, and the store is being asked. */
  async whenCertain(): Promise<void> {
    if (!this.#isEnded) await this.#hold.root.doubt.settled();
  }

  /** Whether a function runs under this very handle, and gives it back when it has ended. */
  get isGuarding(): boolean {
    return this.#isGuarding;
  }

  /** Notes that no work was done under it, nor will be. What it nests in is in use all the same. */
  noteUnused(): void {
    if (this.#hold.root === this.#hold) this.#hold.root.standing.noteUnused();
  }

  /** Notes that a function runs under it. */
  noteGuarding(): void {
    this.#isGuarding = true;
  }

  /** Whether this handle has ended, although what nests in it may go on. */
  get #isEnded(): boolean {
    return this.#released !== undefined || this.#hold.loss !== undefined;
  }

  /** Refuses a handle that nests, or in which others nest: what is done to the lock would be done to all that nest in one another. */
  #checkAlone(remedy: string): void {
    if (this.#hold.root !== this.#hold || !this.#hold.nest.isEmpty) throw invalidArgument("this", this.name, remedy);
  }

  async #releaseOnce(): Promise<boolean> {
    const wasThere = await this.#hold.release().catch((error) => {
      // The close did not wait for it, and it runs out.
      if (S3MutexError.is(error, "closed")) return false;
      throw error;
    });
    // An expired hold that was not taken over is given back all the same, but it was lost before.
    return wasThere && this.#hold.loss === undefined;
  }

  /** For `await using`: releases, and reports to the logger that no release got through rather than hide the block's own error. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(this.#surroundings.onReleaseError);
  }
}
