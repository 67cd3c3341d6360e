import { callTimesOf } from "../runtime/acquire/patience.js";
import { forManyListeners } from "../runtime/base/abort.js";
import type { Context } from "../runtime/base/context.js";
import { settledWithin } from "../runtime/base/timing.js";
import type { HeldLock, Lock } from "./lock.js";

/** Several locks held as one: acquired in one global order, released together; lost as soon as one of them is lost. */
export interface LockSet extends AsyncDisposable {
  /** In the order in which they were acquired. */
  readonly locks: readonly Lock[];
  /** Finds the lock of this name; undefined when it is not one of these. */
  get(name: string): Lock | undefined;
  /** Aborted when any of them is lost, or its holder is asked to stop, with that reason: see {@link Lock.signal}. */
  readonly signal: AbortSignal;
  /** Whether all are held at this very moment, by the clocks. */
  readonly held: boolean;
  /** Throws the first loss unless all are held at this very moment. */
  assertHeld(): void;
  /**
   * Gives all back: asks for each at once, the last one first, and waits for all. Doing it twice is harmless.
   * @returns false when any of them had been lost before
   * @throws the first error, after all have been tried
   */
  release(): Promise<boolean>;
}

export class HeldLockSet implements LockSet {
  readonly locks: readonly HeldLock[];
  readonly signal: AbortSignal;

  constructor(locks: readonly HeldLock[]) {
    this.locks = locks;
    this.signal = forManyListeners(AbortSignal.any(locks.map((lock) => lock.signal)));
  }

  get(name: string): HeldLock | undefined {
    return this.locks.find((lock) => lock.name === name);
  }

  get held(): boolean {
    return this.locks.every((lock) => lock.held);
  }

  assertHeld(): void {
    for (const lock of this.locks) lock.assertHeld();
  }

  /** Whether the clocks disagree about one of them. */
  get isInDoubt(): boolean {
    return this.locks.some((lock) => lock.isInDoubt);
  }

  /** Waits while the clocks disagree about one of them, and the store is being asked. */
  async whenCertain(): Promise<void> {
    for (const lock of this.locks) await lock.whenCertain();
  }

  async release(): Promise<boolean> {
    const outcomes = await this.#eachAtOnce((lock) => lock.release());
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return outcomes.every((outcome) => outcome.status === "fulfilled" && outcome.value);
  }

  /** For `await using`: each reports to the logger where no release got through. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#eachAtOnce((lock) => lock[Symbol.asyncDispose]());
  }

  /** Ends all, none after another: one that waits for its turn while the store is silent would run out, and be lost to work that has ended. */
  #eachAtOnce<T>(end: (lock: HeldLock) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
    return Promise.allSettled(this.locks.toReversed().map(end));
  }
}

/** A call for several locks. */
export interface TakeAll {
  readonly context: Context;
  /** In the order that is the same everywhere. */
  readonly names: readonly string[];
  /** For all of them together. */
  readonly patienceMs: number;
  readonly leaseMs: number;
  /** Acquires one of them; undefined when it was not had in time. */
  readonly take: (
    name: string,
    times: { readonly timeoutMs: number; readonly attemptUntilMs: number },
  ) => Promise<HeldLock | undefined>;
}

/** What one round has come to: the first lock that was not had in time, or that was lost while others were waited for. */
type Round = { readonly kind: "held" } | { readonly kind: "missing" | "lost"; readonly name: string };

/**
 * Acquires several locks, all or none: a set, or the name of the lock that was not had in time. Where one is lost
 * while others are waited for, all are given back, and they are asked for again as long as the caller waits.
 */
export async function takeAll(call: TakeAll): Promise<HeldLockSet | string> {
  const { effects } = call.context;
  const startedAtMs = effects.monotonicMs();
  const { attemptUntilMs } = callTimesOf(startedAtMs, call);
  for (;;) {
    const locks: HeldLock[] = [];
    let round: Round | undefined;
    try {
      round = await takeEach(call, locks, startedAtMs, attemptUntilMs);
    } finally {
      if (round?.kind !== "held") await giveBack(call.context, locks);
    }
    if (round.kind === "held") return new HeldLockSet(locks);
    if (round.kind === "missing" || effects.monotonicMs() >= attemptUntilMs) return round.name;
  }
}

async function takeEach(
  { context: { effects }, names, patienceMs, take }: TakeAll,
  locks: HeldLock[],
  startedAtMs: number,
  attemptUntilMs: number,
): Promise<Round> {
  for (const name of names) {
    if (effects.monotonicMs() >= attemptUntilMs) return { kind: "missing", name };
    const timeoutMs = Math.max(0, startedAtMs + patienceMs - effects.monotonicMs());
    const lock = await take(name, { timeoutMs, attemptUntilMs });
    if (lock === undefined) return { kind: "missing", name };
    locks.push(lock);
    // By clocks that disagree, or since one of them was lost.
    if (locks.some(({ held }) => !held)) {
      const certain = new HeldLockSet(locks).whenCertain();
      await settledWithin(effects, certain, attemptUntilMs - effects.monotonicMs());
    }
    const lost = locks.find(({ held }) => !held);
    if (lost !== undefined) return { kind: "lost", name: lost.name };
  }
  return { kind: "held" };
}

/** Gives back what was had of several; a store that is slow to take it back does not keep the caller. */
async function giveBack({ background, effects }: Context, locks: readonly HeldLock[]): Promise<void> {
  for (const lock of locks) lock.noteUnused();
  const released = new HeldLockSet(locks)[Symbol.asyncDispose]();
  background.run(released);
  await settledWithin(effects, released, GIVE_BACK_MS);
}

/** How long a caller who gets none of several locks waits for those it had to be given back. */
const GIVE_BACK_MS = 500;
