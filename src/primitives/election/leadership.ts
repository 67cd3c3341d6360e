import { S3MutexError } from "../../errors.js";
import { forManyListeners } from "../../runtime/base/abort.js";
import type { Context } from "../../runtime/base/context.js";
import { settledWithin } from "../../runtime/base/timing.js";
import { guardsOfCaller } from "../../runtime/scopes/guarding.js";
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
  /** Whether nothing works under the lead any more, though the store may not know yet. */
  #hasWorked: boolean;

  /** `leads`: a handle, which its holder releases, or a function, which comes to its end by itself. */
  constructor(context: Context, lock: HeldLock, leads: "handle" | "function") {
    this.#context = context;
    this.#lock = lock;
    this.#hasWorked = leads === "handle";
    if (leads === "function") {
      this.#ended = new Promise((resolve) => {
        this.#end = resolve;
      });
    }
  }

  get isHeld(): boolean {
    return this.#lock.held;
  }

  /** Runs the function and gives the lead back when it has ended, whatever it does. Only the release tells of a loss that came unnoticed. */
  async run<T>(fn: LeaderFunction<T>, signal: AbortSignal | undefined): Promise<TurnEnd<T>> {
    const judge = this.#hasResigned ? () => OVER : await this.#work(fn, signal);
    this.#hasWorked = true;
    await this.#lock[Symbol.asyncDispose]();
    this.#end();
    return judge();
  }

  /** Returns how to judge the end of the turn, once the lead was given back. */
  async #work<T>(fn: LeaderFunction<T>, signal: AbortSignal | undefined): Promise<() => TurnEnd<T>> {
    const lock = this.#lock;
    const ending = signal === undefined ? lock.signal : forManyListeners(AbortSignal.any([lock.signal, signal]));
    try {
      const result = await runGuarded(lock, () => fn(ending, lock.fencingToken));
      return () => this.#afterResult(result, signal);
    } catch (error) {
      // What comes while the lead is given back has not made it throw.
      const told = { toResign: this.#hasResigned, toAbort: signal?.aborted === true };
      return () => this.#afterError(error, told, signal);
    }
  }

  /**
   * Asks for the end of the work, and gives the lead back after it.
   * @returns false when the lead was lost before
   * @throws `timed-out`: the function goes on, and so does the lead; `store-unavailable`: the store has not taken it back in time
   */
  async resign(timeoutMs: number): Promise<boolean> {
    const { lease } = this.#lock;
    // There is nothing to resign from, and the candidate goes on: also in the turn in which its loss is told.
    if (this.#isLost) return false;
    lease.standing.askToStop("resigned");
    if (this.#ended === undefined) return this.#within(timeoutMs, this.#lock.release());
    // Work that resigns itself has to go on for that.
    if (guardsOfCaller().has(lease)) return true;
    await this.#within(timeoutMs, this.#ended);
    return this.#lock.release();
  }

  /** Whether the lead is known to be lost, be it by the clocks alone: before a timer has told. */
  get #isLost(): boolean {
    const { isHeld, loss, doubt, standing } = this.#lock.lease;
    return loss !== undefined || !(isHeld || doubt.exists || standing.isOver);
  }

  get #hasResigned(): boolean {
    return this.#lock.lease.standing.askedBy === "resigned";
  }

  #afterResult<T>(result: T, signal: AbortSignal | undefined): TurnEnd<T> {
    const loss = lossOf(this.#lock);
    if (loss === undefined) return { kind: "over", result };
    if (loss.reason === "closed") throw lostMeanwhile(loss, result);
    return this.#afterLoss(signal);
  }

  /**
   * Judges an error of the function: what it throws on its way out, having been told to stop, is not what its caller has to deal with.
   * @param told what it was told by then
   */
  #afterError<T>(
    error: unknown,
    told: { readonly toResign: boolean; readonly toAbort: boolean },
    signal: AbortSignal | undefined,
  ): TurnEnd<T> {
    const { name, signal: stop } = this.#lock;
    const loss = lossOf(this.#lock);
    const isLost = loss !== undefined && loss.reason !== "closed";
    if (!isLost && !told.toResign) {
      if (told.toAbort && loss === undefined) return OVER;
      throw error;
    }
    if (error !== stop.reason) {
      this.#context.logger.warn(`the leader of ${JSON.stringify(name)} stepped down`, { err: error });
    }
    return this.#afterLoss(signal);
  }

  /** Says whether the next campaign is due where the lead is gone. */
  #afterLoss<T>(signal: AbortSignal | undefined): TurnEnd<T> {
    return this.#hasResigned || signal?.aborted ? OVER : { kind: "stepped-down" };
  }

  async #within<T>(timeoutMs: number, end: Promise<T>): Promise<T> {
    if (timeoutMs === Number.POSITIVE_INFINITY) return end;
    if (await settledWithin(this.#context.effects, end, timeoutMs)) return end;
    const { name: lockName } = this.#lock;
    const subject = JSON.stringify(lockName);
    if (!this.#hasWorked) {
      const message = `The function that leads ${subject} has not ended within ${timeoutMs} ms: it leads until it has.`;
      throw new S3MutexError("timed-out", message, { lockName });
    }
    const message = `What led ${subject} has ended, and the store has not taken the lead back within ${timeoutMs} ms: others lead once it has, or when the lease is over.`;
    throw new S3MutexError("store-unavailable", message, { lockName });
  }
}

const OVER = { kind: "over", result: undefined } as const;
