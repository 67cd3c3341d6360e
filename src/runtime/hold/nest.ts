import { areCompatible, type Holder, type Mode } from "../../core/record.js";
import { S3MutexError } from "../../errors.js";
import { forManyListeners, onAbort, throwIfAborted, unlessAborted } from "../base/abort.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import { sleep } from "../base/timing.js";
import { toPublicEdge } from "./deadlock-edge.js";
import type { Hold } from "./hold.js";
import type { Lease } from "./lease.js";
import { lossError, releasedError } from "./loss.js";
import { WaitingOrder } from "./waiting-order.js";

/** What is asked of a nest. */
export interface NestRequest {
  readonly mode: Mode;
  readonly priority: number;
  /** How long to wait, in milliseconds; `Infinity` to wait forever. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether a function runs under it: then what it nests in is given back only after that has ended. */
  readonly isCallback: boolean;
}

/** A call that waits to come in. */
interface Waiting extends NestRequest {
  /** By the monotonic clock. */
  readonly sinceMs: number;
  readonly settle: (outcome: NestedHold | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The calls that nest in one hold. They exclude each other as callers of the lock do, by priority and arrival; only what they nest in
 * is held by all of them. No request is sent for it.
 */
export class Nest {
  readonly #context: Context;
  readonly #lockName: string;
  readonly #outer: Hold;
  readonly #inside = new Set<NestedHold>();
  readonly #waiting = new WaitingOrder<Waiting>();
  /** How many changes of what they nest in are under way. */
  #changes = 0;
  #ended: S3MutexError | undefined;

  constructor(context: Context, lockName: string, outer: Hold) {
    this.#context = context;
    this.#lockName = lockName;
    this.#outer = outer;
  }

  get isEmpty(): boolean {
    return this.#inside.size === 0 && this.#waiting.size === 0;
  }

  /** Waits to come in; undefined when others are still inside when the time is up. */
  async enter(request: NestRequest): Promise<NestedHold | undefined> {
    const { doubt } = this.#outer.root;
    if (doubt.exists) await (request.signal ? unlessAborted(doubt.settled(), request.signal) : doubt.settled());
    throwIfAborted(this.#lockName, request.signal);
    if (this.#context.closing.aborted) throw wasClosed(this.#lockName);
    if (this.#ended !== undefined) throw this.#ended;
    this.#outer.assertHeld();
    const over = new AbortController();
    try {
      return await new Promise((settle, fail) => {
        const waiting = { ...request, sinceMs: this.#context.effects.monotonicMs(), settle, fail };
        this.#waiting.join(waiting);
        this.#letIn();
        if (this.#waiting.has(waiting)) this.#endWait(waiting, over.signal);
      });
    } finally {
      over.abort();
    }
  }

  /** Changes what they nest in as a whole: no call comes in before that is done, since it is not known yet what there is to nest in. */
  async alone<T>(change: () => Promise<T>): Promise<T> {
    this.#changes += 1;
    try {
      return await change();
    } finally {
      this.#changes -= 1;
      this.#letIn();
    }
  }

  /** Ends it when what they nest in is over: handles end with it, no call comes in any more, and functions run to their end. */
  end(error: S3MutexError = lossError(this.#lockName, "outer-released")): void {
    this.#ended ??= error;
    for (const waiting of [...this.#waiting]) {
      this.#waiting.leave(waiting);
      waiting.fail(error);
    }
    for (const nested of [...this.#inside]) nested.endWithOuter(error);
  }

  /** Takes out a call that has left, and lets in what fits now. */
  leave(nested: NestedHold): void {
    this.#inside.delete(nested);
    this.#letIn();
  }

  #letIn(): void {
    if (this.#changes > 0) return;
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (isTooMuch(first.mode, this.#outer)) {
        this.#waiting.leave(first);
        first.fail(tooMuchError(this.#lockName, this.#outer));
        continue;
      }
      const modes = [...this.#inside].map(({ mode }) => ({ mode }));
      if (!areCompatible([...modes, { mode: first.mode }], 1)) return;
      this.#waiting.leave(first);
      const nested = new NestedHold(this.#context, this.#lockName, this.#outer, first);
      this.#inside.add(nested);
      first.settle(nested);
    }
  }

  /** Sees to it that a wait ends with the caller's time, by its signal, and when the mutex closes. */
  #endWait(waiting: Waiting, over: AbortSignal): void {
    const end = (how: () => void) => () => {
      if (!this.#waiting.has(waiting)) return;
      this.#waiting.leave(waiting);
      how();
      this.#letIn();
    };
    const { signal, patienceMs } = waiting;
    const { closing, effects } = this.#context;
    const abort = end(() => {
      try {
        throwIfAborted(this.#lockName, signal);
      } catch (error) {
        waiting.fail(error);
      }
    });
    const close = end(() => waiting.fail(wasClosed(this.#lockName)));
    const giveUp = end(() => waiting.settle(undefined));
    if (signal !== undefined) onAbort(over, onAbort(signal, abort));
    onAbort(over, onAbort(closing, close));
    if (patienceMs <= 0) giveUp();
    if (patienceMs <= 0 || patienceMs === Number.POSITIVE_INFINITY) return;
    void sleep(effects, patienceMs, { keepAlive: true, signal: over }).then(giveUp);
  }
}

/** Says whether a call asks for all of a lock within a share in it: two sharers that both wanted all of it would wait for each other. */
export function isTooMuch(mode: Mode, outer: Hold): boolean {
  return mode === "exclusive" && outer.holder.mode === "shared";
}

export function tooMuchError(lockName: string, outer: Hold): S3MutexError {
  const message = `Deadlock: this call asks for all of ${JSON.stringify(lockName)} inside of a share in it, and two that did so would wait for each other: release the share first, or begin with { mode: "exclusive" } and downgrade().`;
  return ownDeadlock(lockName, outer, message);
}

/** Says that a caller would wait for the end of what it is part of itself. */
export function ownDeadlock(lockName: string, { holder }: Hold, message: string): S3MutexError {
  return new S3MutexError("deadlock", message, { lockName, cycle: [toPublicEdge({ lockName, holder })] });
}

/** A hold within a hold: the same lock, the same token, and an end of its own. */
export class NestedHold implements Hold {
  readonly nest: Nest;
  readonly mode: Mode;
  readonly #lockName: string;
  readonly #outer: Hold;
  readonly #isCallback: boolean;
  readonly #told = new AbortController();
  readonly #forgetOuter: () => void;
  readonly #endListeners: (() => void)[] = [];
  /** How many functions run under it, its own included. */
  #callbacks = 0;
  #lost: S3MutexError | undefined;
  /** Its own handle was released or has ended, or its own function has. */
  #isReleased = false;
  #isOver = false;

  constructor(context: Context, lockName: string, outer: Hold, { mode, isCallback }: NestRequest) {
    this.mode = mode;
    this.#lockName = lockName;
    this.#outer = outer;
    this.#isCallback = isCallback;
    this.nest = new Nest(context, lockName, this);
    if (isCallback) this.share();
    forManyListeners(this.#told.signal);
    this.#forgetOuter = onAbort(outer.signal, () => this.#told.abort(outer.signal.reason));
  }

  get holder(): Holder {
    return { ...this.#outer.holder, mode: this.mode };
  }

  get root(): Lease {
    return this.#outer.root;
  }

  get signal(): AbortSignal {
    return this.#told.signal;
  }

  get loss(): S3MutexError | undefined {
    return this.#lost ?? this.root.loss;
  }

  get isHeld(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    return this.#isOver ? 0 : this.#outer.remainingMs;
  }

  assertHeld(): void {
    if (this.#isOver) throw this.loss ?? releasedError(this.#lockName);
    this.#outer.assertHeld();
  }

  renew(): Promise<boolean> {
    return this.#isOver ? Promise.resolve(false) : this.#outer.renew();
  }

  async release(): Promise<boolean> {
    const wasHeld = this.isHeld && this.#lost === undefined;
    if (this.#isReleased) return wasHeld;
    this.#isReleased = true;
    this.nest.end();
    if (this.#isCallback) return this.unshare();
    if (this.#callbacks === 0) this.#end();
    return wasHeld;
  }

  share(): void {
    if (this.#callbacks === 0) this.#outer.share();
    this.#callbacks += 1;
  }

  async unshare(): Promise<boolean> {
    this.#callbacks -= 1;
    if (this.#callbacks > 0) return this.isHeld;
    if (this.#isReleased) this.#end();
    return this.#outer.unshare();
  }

  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  /** Ends it, as what it nests in is over. A function that runs under it was told by the signal, and has its own end. */
  endWithOuter(error: S3MutexError): void {
    if (this.#isCallback || this.#isReleased) return;
    this.#isReleased = true;
    this.#lost = error;
    this.#told.abort(error);
    this.nest.end(error);
    if (this.#callbacks === 0) this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#forgetOuter();
    this.#outer.nest.leave(this);
    for (const listener of this.#endListeners.splice(0)) listener();
  }
}
