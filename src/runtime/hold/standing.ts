import type { S3MutexError } from "../../errors.js";
import { forManyListeners } from "../base/abort.js";
import {
  type Circumstances,
  doubtError,
  handedOverError,
  type Loss,
  lossError,
  releasedError,
  type StopReason,
  stopError,
} from "./loss.js";

/**
 * How a hold stands with the code that works under it. Being asked to stop, being left to run out and being lost are three things:
 * only the last one takes the lock away.
 */
export class Standing {
  readonly lockName: string;
  readonly #told = new AbortController();
  readonly #lost = new AbortController();
  readonly #quiet = new AbortController();
  #askedBy: StopReason | undefined;
  #wasClosed = false;
  #guarded = 0;
  #isBrief = false;
  readonly #stayAlive: () => () => void;
  #isUnused = false;
  #isOver = false;
  #wasHandedOver = false;
  #isLeft = false;

  constructor(lockName: string, stayAlive: () => () => void = () => () => {}) {
    this.lockName = lockName;
    this.#stayAlive = stayAlive;
    forManyListeners(this.#told.signal);
  }

  /** Aborted when work under the lock has to end: its holder is asked to stop, or the lock is lost. Never by a release. */
  get signal(): AbortSignal {
    return this.#told.signal;
  }

  /** Aborted, with the error as its reason, when the lock is lost, and by nothing else. */
  get lossSignal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Aborted when nothing renews it any more. */
  get quietSignal(): AbortSignal {
    return this.#quiet.signal;
  }

  get loss(): S3MutexError | undefined {
    return this.#lost.signal.reason;
  }

  /** What the caller of work that has ended is told: the lock was lost meanwhile, or was not renewed up to the end of the work. */
  get lossOfWork(): S3MutexError | undefined {
    return this.loss ?? (this.#isLeft ? lossError(this.lockName, "closed") : undefined);
  }

  /** Whether it is not held any longer, or is being given back. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it is not held at this moment: it was lost, has ended, or is in doubt. */
  get notHeld(): S3MutexError {
    if (this.loss !== undefined) return this.loss;
    if (!this.#isOver) return doubtError(this.lockName);
    return (this.#wasHandedOver ? handedOverError : releasedError)(this.lockName);
  }

  /** Whether it is neither renewed nor given back, and runs out. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Why its holder was asked to stop first; undefined: it was not. */
  get askedBy(): StopReason | undefined {
    return this.#askedBy;
  }

  /** Whether its mutex has begun to close. */
  get wasClosed(): boolean {
    return this.#wasClosed;
  }

  /** Whether a function runs under it. */
  get isGuarding(): boolean {
    return this.#guarded > 0;
  }

  /** Whether only this library works under it at this moment, whose requests end by themselves: then it is given back, unasked. */
  get isBrief(): boolean {
    return this.#isBrief && !this.isGuarding;
  }

  /** Notes that it is held by a call of this library, which gives it back when it has ended: but for functions that it begins itself. */
  noteBrief(): void {
    this.#isBrief = true;
  }

  /** Whether no work was done under it, nor will be. */
  get isUnused(): boolean {
    return this.#isUnused;
  }

  /** Notes that its caller is told that it has nothing, although it was granted: it may go at once, however long it was to be held. */
  noteUnused(): void {
    this.#isUnused = true;
  }

  /** Notes that a function begins to run under it; what is returned is to be called when that has ended. */
  guard(): () => void {
    this.#guarded += 1;
    // Work that only waits, such as for its signal, has nothing of its own that keeps the process: the call it is in has to end.
    const letGo = this.#stayAlive();
    return () => {
      this.#guarded -= 1;
      letGo();
    };
  }

  /** Asks the code that works under it to end. That takes nothing away: it is held and renewed until it is released. */
  askToStop(reason: StopReason): void {
    this.#askedBy ??= reason;
    this.#wasClosed ||= reason === "closed";
    if (!this.#told.signal.aborted) this.#told.abort(stopError(this.lockName, reason));
  }

  /** Leaves it to run out: from now on nothing is sent for it. */
  leave(): void {
    this.#isLeft = true;
    this.#quiet.abort();
  }

  /** Ends it, whatever becomes of its entry in the record. */
  end(): void {
    this.#isOver = true;
    this.#quiet.abort();
  }

  /** Ends it here, as it goes on as another handle. */
  handOver(): void {
    this.#wasHandedOver = true;
    this.end();
  }

  /** Loses it; undefined when it was lost before. What was left to run out was lost by the close, whatever came after. */
  lose(reason: Loss, circumstances: Circumstances = {}): S3MutexError | undefined {
    if (this.loss !== undefined) return undefined;
    const error = lossError(this.lockName, this.#isLeft ? "closed" : reason, circumstances);
    // First, so that a listener that is told finds it not held any more.
    this.#isOver = true;
    this.#lost.abort(error);
    this.#told.abort(error);
    return error;
  }
}
