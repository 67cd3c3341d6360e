import type { HolderReport, LockReport } from "../core/report.js";
import type { Lock } from "../primitives/lock.js";
import type { Effects } from "../runtime/base/effects.js";
import { sleep } from "../runtime/base/timing.js";
import type { S3Mutex } from "../s3-mutex.js";
import { standingOf } from "./granted-lock.js";

/** Before all who wait, those of other clients included. */
const FIRST = { priority: Number.MAX_SAFE_INTEGER };

/** How long a holder that was let in before us is left alone, until the lock is stolen from it as well. */
const PATIENCE_MS = 1000;

/** Takes a lock from its holder, before all waiters. */
export async function steal(mutex: S3Mutex, lockName: string, effects: Effects): Promise<Lock> {
  for (;;) {
    const lock = (await mutex.tryAcquire(lockName, FIRST)) ?? (await stealHeld(mutex, lockName, effects));
    // What was granted while our own release of its holder was under way may have been ended by that: it is stolen once more.
    if (standingOf(lock).loss === undefined) return lock;
  }
}

/** Waits in front of all others while the holders are being ended, so that none of them comes first. */
async function stealHeld(mutex: S3Mutex, lockName: string, effects: Effects): Promise<Lock> {
  const before = await mutex.inspect(lockName);
  const stop = new AbortController();
  const acquiring = mutex.acquire(lockName, { ...FIRST, signal: stop.signal });
  const decided = new AbortController();
  const decide = () => decided.abort();
  acquiring.then(decide, decide);
  try {
    await endHolders(mutex, lockName, { effects, before, decided: decided.signal });
  } catch (error) {
    stop.abort();
    // A lock that was granted all the same is what was asked for, and no other caller would give it back.
    return acquiring.catch(() => {
      throw error;
    });
  }
  return acquiring;
}

interface Theft {
  readonly effects: Effects;
  /** How the lock was before we waited for it. */
  readonly before: LockReport | null;
  /** Aborted when our wait has ended, with the lock or without. */
  readonly decided: AbortSignal;
}

/** Ends all holders that are not this steal, until its wait has ended. */
async function endHolders(mutex: S3Mutex, lockName: string, { effects, before, decided }: Theft): Promise<void> {
  for (let isOurs = false; !decided.aborted; ) {
    if (!isOurs) await mutex.releaseLock(lockName, true);
    await sleep(effects, PATIENCE_MS, { keepAlive: true, signal: decided });
    if (!decided.aborted) isOurs = await isHeldByUs(mutex, lockName, before);
  }
}

/** Says whether the lock was granted to us meanwhile, and we are about to learn it. */
async function isHeldByUs(mutex: S3Mutex, lockName: string, before: LockReport | null): Promise<boolean> {
  const report = await mutex.inspect(lockName);
  const isOurs = ({ owner, priority, fencingToken }: HolderReport) =>
    owner === mutex.ownerId && priority === FIRST.priority && fencingToken > (before?.fencingToken ?? 0);
  return report?.holders.some(isOurs) ?? false;
}
