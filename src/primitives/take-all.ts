import { callTimesOf } from "../runtime/acquire/patience.js";
import type { Context } from "../runtime/base/context.js";
import { settledWithin } from "../runtime/base/timing.js";
import type { HeldLock } from "./lock.js";
import { HeldLockSet } from "./lock-set.js";
import { whenCertain } from "./run-holding.js";

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
 * Acquires several locks, all or none: a set, or the name of the lock that was not had in time. What is lost while others are waited for
 * is no part of a set: all is given back then, and the call begins anew for as long as its caller waits.
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
      const certain = whenCertain(new HeldLockSet(locks));
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
