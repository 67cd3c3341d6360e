import type { S3Mutex } from "../../src/index.js";

export const LOCK = "resource";

/** Every method that asks the store. */
export const METHODS: ReadonlyArray<readonly [string, (mutex: S3Mutex) => Promise<unknown>]> = [
  ["acquireLock", (mutex) => mutex.acquireLock(LOCK, 0)],
  ["releaseLock", (mutex) => mutex.releaseLock(LOCK)],
  ["releaseLock by force", (mutex) => mutex.releaseLock(LOCK, true)],
  ["refreshLock", (mutex) => mutex.refreshLock(LOCK)],
  ["isLocked", (mutex) => mutex.isLocked(LOCK)],
  ["isOwnedByUs", (mutex) => mutex.isOwnedByUs(LOCK)],
  ["deleteLock", (mutex) => mutex.deleteLock(LOCK)],
  ["deleteLock by force", (mutex) => mutex.deleteLock(LOCK, true)],
  ["withLock", (mutex) => mutex.withLock(LOCK, () => "ran", { timeoutMs: 0 })],
  ["acquire", (mutex) => mutex.acquire(LOCK)],
  ["tryAcquire", (mutex) => mutex.tryAcquire(LOCK)],
  ["inspect", (mutex) => mutex.inspect(LOCK)],
  ["cleanupStaleLocks", (mutex) => mutex.cleanupStaleLocks()],
];
