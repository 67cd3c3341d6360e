import { reworded, S3MutexError, type S3MutexErrorCode } from "../../errors.js";
import type { Context } from "../../runtime/base/context.js";
import { sleep } from "../../runtime/base/timing.js";
import type { HeldLock } from "../lock.js";

/** What the store will not say otherwise, however often it is asked. */
const FINAL: ReadonlySet<S3MutexErrorCode> = new Set(["fenced-out", "lost", "closed", "invalid-argument"]);

/** A provider of credentials is not asked anew more often. */
const PAUSE_MS = 1000;

/**
 * Writes what is to be remembered. What the store refuses that it took before the run, as with credentials that have ended since, or while it is
 * read-only, it may take again: it is asked until the lease is over, as by a renewal, since the work would be done a second time.
 */
export async function untilTaken(
  { effects, logger }: Context,
  { name, lockName }: { readonly name: string; readonly lockName: string },
  lock: HeldLock,
  write: () => Promise<void>,
): Promise<void> {
  await lock.whenCertain();
  // A lock that is renewed all the while has no end of its own.
  const untilMs = effects.monotonicMs() + lock.remainingMs;
  /** By an earlier write, too: the next holder may have found it, and fence this one out. */
  let mayBeTaken = false;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await write();
    } catch (error) {
      if (!S3MutexError.is(error)) throw error;
      mayBeTaken ||= error.maybeApplied === true;
      // In doubt nothing is left of it: the store says how much there is.
      await lock.whenCertain();
      const leftMs = Math.min(untilMs - effects.monotonicMs(), lock.remainingMs);
      if (FINAL.has(error.code) || leftMs <= 0)
        throw mayBeTaken ? reworded(error, error.message, { maybeApplied: true }) : error;
      const message = `the result of runOnce(${JSON.stringify(name)}) was not taken, and is written again until the lease is over`;
      if (isFirst) logger.warn(message, { lockName, err: error });
      await sleep(effects, Math.min(PAUSE_MS, leftMs), { keepAlive: true });
    }
  }
}
