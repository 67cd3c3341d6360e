import { S3MutexError } from "../../errors.js";
import { forManyListeners } from "../../runtime/base/abort.js";
import type { Context } from "../../runtime/base/context.js";
import { settledWithin } from "../../runtime/base/timing.js";
import { guardsOfCaller } from "../../runtime/hold/guarding.js";
import type { HeldLock } from "../lock.js";
import { lossOf, lostMeanwhile, runGuarded } from "../run-holding.js";

/** What a leader runs, with a signal that tells when it has to end. */
export type LeaderFunction<T> = (signal: AbortSignal, fencingToken: number) => T | Promise<T>;

/** How a turn has ended: with a result for the caller, or so that the next campaign is due. */
export type TurnEnd<T> = { readonly kind: "over"; readonly result: T | undefined } | { readonly kind: "stepped-down" };

/** One turn of leading: from a campaign that was won until the lead was given back or lost. */
export class Leadership {
  readonly #context: Context;
  readonly #lock: HeldLock;
  /** Resolves when the function of this turn has ended and the lead was given back; undefined where a handle leads. */
  readonly #ended: Promise<void> | undefined;
  #end: () => void = () => {};

  /** `leads`: a handle, which its holder releases, or a function, which comes to its end by itself. */
  constructor(context: Context, lock: HeldLock, leads: "handle" | "function") {
    this.#context = context;
    this.#lock = lock;
    if (leads === "function") {
      this.#ended = new Promise((resolve) => {
        this.#end = resolve;
      });
    }
  }

  get isHeld(): boolean {
    return this.#lock.held;
  }

  /** Runs the function and gives the lead back when it has ended, whatever it does. */
  async run<T>(fn: LeaderFunction<T>, signal: AbortSignal | undefined): Promise<TurnEnd<T>> {
    try {
      return this.#hasResigned ? OVER : await this.#work(fn, signal);
    } finally {
      await this.#lock[Symbol.asyncDispose]();
      this.#end();
    }
  }

  async #work<T>(fn: LeaderFunction<T>, signal: AbortSignal | undefined): Promise<TurnEnd<T>> {
    const lock = this.#lock;
    const ending = signal === undefined ? lock.signal : forManyListeners(AbortSignal.any([lock.signal, signal]));
    let result: T;
    try {
      result = await runGuarded(lock, () => fn(ending, lock.fencingToken));
    } catch (error) {
      return this.#afterError(error, signal);
    }
    const loss = lossOf(lock);
    if (loss === undefined) return { kind: "over", result };
    if (loss.reason === "closed") throw lostMeanwhile(loss, result);
    return this.#hasResigned || signal?.aborted ? OVER : { kind: "stepped-down" };
  }

  /**
   * Asks for the end of the work, and gives the lead back after it.
   * @returns false when the lead was lost before
   * @throws `timed-out`: the function goes on, and so does the lead
   */
  async resign(timeoutMs: number): Promise<boolean> {
    const { lease } = this.#lock;
    const wasHeld = this.isHeld;
    lease.standing.askToStop("resigned");
    if (this.#ended === undefined) return this.#lock.release();
    // Work that resigns itself has to go on for that.
    if (guardsOfCaller().has(lease)) return wasHeld;
    await this.#endedWithin(this.#ended, timeoutMs);
    return this.#lock.release();
  }

  get #hasResigned(): boolean {
    return this.#lock.lease.standing.askedBy === "resigned";
  }

  /** What it throws on its way out, having been told to stop, is not what its caller has to deal with. */
  #afterError<T>(error: unknown, signal: AbortSignal | undefined): TurnEnd<T> {
    const loss = lossOf(this.#lock);
    const isLost = loss !== undefined && loss.reason !== "closed";
    if (!isLost && !this.#hasResigned) {
      if (signal?.aborted && loss === undefined) return OVER;
      throw error;
    }
    const { name, signal: told } = this.#lock;
    if (error !== told.reason) {
      this.#context.logger.warn(`the leader of ${JSON.stringify(name)} stepped down`, { err: error });
    }
    return this.#hasResigned || signal?.aborted ? OVER : { kind: "stepped-down" };
  }

  async #endedWithin(ended: Promise<void>, timeoutMs: number): Promise<void> {
    if (timeoutMs === Number.POSITIVE_INFINITY) return ended;
    if (await settledWithin(this.#context.effects, ended, timeoutMs)) return;
    const { name: lockName } = this.#lock;
    const message = `The function that leads ${JSON.stringify(lockName)} has not ended within ${timeoutMs} ms: it leads until it has.`;
    throw new S3MutexError("timed-out", message, { lockName });
  }
}

const OVER = { kind: "over", result: undefined } as const;
