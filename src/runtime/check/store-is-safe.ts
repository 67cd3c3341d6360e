import type { Context } from "../base/context.js";
import { RetryBudget, type RetryOptions } from "../swap/retry-budget.js";
import type { WriteRecorder } from "../swap/write-log.js";

/** For how long, and how, it is found out. */
export type StoreCheckPatience = RetryOptions & {
  readonly signal: AbortSignal;
  /** What was sent for the grant, where there is one already. */
  readonly writeLog?: Pick<WriteRecorder, "hasLostRaces">;
  /** Told when the check begins to be waited for, and when that is over. */
  readonly onCheck?: (isUnderWay: boolean) => void;
};

/**
 * Resolves when the store is known to honour conditions, as it mostly is already: what was granted may be handed out. Also when the
 * signal is aborted, for the caller to see. A write that was refused and is in the record all the same was repeated on its way, or the
 * store does what it refuses, and then two may find themselves in it, one after the other: that is shown by what the check reads.
 * @throws `store-unsafe`, `access-denied`, `store-unavailable`
 */
export async function storeIsSafe(context: Context, lockName: string, options: StoreCheckPatience): Promise<void> {
  const { check } = context;
  if (!check.isPassed) {
    options.onCheck?.(true);
    await check.passed(new RetryBudget(context, lockName, { ...options, isOfCheck: true }), options);
    options.onCheck?.(false);
  }
  if (options.writeLog?.hasLostRaces) await check.looked(options);
}

/** Lets nothing be written to a store that was seen to be unsafe, unless it has been asked again. */
export async function notKnownToBeUnsafe(...args: Parameters<typeof storeIsSafe>): Promise<void> {
  const [{ check }] = args;
  if (check.refusal !== undefined) await storeIsSafe(...args);
}

/**
 * Gives the lease that is written before the store is known to be safe: nothing is written any more to one that
 * turns out not to be, so that what was left there has to end by itself.
 */
export function leaseToWriteMs({ check }: Context, leaseMs: number): number {
  return check.isPassed ? leaseMs : Math.min(leaseMs, UNCHECKED_LEASE_MS);
}

/** The usual lease: a longer one would keep others out for longer than a refusal counts. */
const UNCHECKED_LEASE_MS = 60_000;
