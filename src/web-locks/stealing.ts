import type { HolderReport, LockReport } from "../core/report.js";
import type { Lock } from "../primitives/lock.js";
import type { Effects } from "../runtime/base/effects.js";
import { sleep } from "../runtime/base/timing.js";
import type { S3Mutex } from "../s3-mutex.js";

/** Before all who wait, those of other clients included. */
const FIRST = { priority: Number.MAX_SAFE_INTEGER };

/** How long a holder that was let in before us is left alone, until the lock is stolen from it as well. */
const PATIENCE_MS = 1000;

/** Takes a lock from its holder, before all waiters. */
export async function steal(mutex: S3Mutex, lockName: string, effects: Effects): Promise<Lock> {
  for (;;) {
    const lock = (await mutex.tryAcquire(lockName, FIRST)) ?? (await stealHeld(mutex, lockName, effects));
    // Two callers may steal from each other, or one from itself: what was granted a moment before it stole once more.
    if (lock.held) return lock;
  }
}

/** Waits in front of all others while the holders are being ended, so that none of them comes first. */
async function stealHeld(mutex: S3Mutex, lockName: string, effects: Effects): Promise<Lock> {
  const before = await mutex.inspect(lockName);
  const done = new AbortController();
  const acquiring = mutex.acquire(lockName, { ...FIRST, signal: done.signal });
  const granted = new AbortController();
  const end = () => granted.abort();
  acquiring.then(end, end);
  try {
    for (let isOurs = false; !granted.signal.aborted; isOurs = await isHeldByUs(mutex, lockName, before)) {
      if (!isOurs) await mutex.releaseLock(lockName, true);
      await sleep(effects, PATIENCE_MS, { keepAlive: true, signal: granted.signal });
    }
    return await acquiring;
  } finally {
    done.abort();
  }
}

/** Says whether the lock was granted to us meanwhile, and we are about to learn it. */
async function isHeldByUs(mutex: S3Mutex, lockName: string, before: LockReport | null): Promise<boolean> {
  const report = await mutex.inspect(lockName);
  const isOurs = ({ owner, priority, fencingToken }: HolderReport) =>
    owner === mutex.ownerId && priority === FIRST.priority && fencingToken > (before?.fencingToken ?? 0);
  return report?.holders.some(isOurs) ?? false;
}
