import type { S3Client } from "@aws-sdk/client-s3";
import { type Lock, S3Mutex } from "../src/index.js";
import { AncestorMutex } from "./ancestor.js";
import { BUCKET_NAME } from "./contestants/library.js";

/** What a program does with a lock, by its outcome. */
export interface LockUser {
  /** Asks for a lock, and says whether it got it within that time. */
  tryFor(lockName: string, forMs: number): Promise<boolean>;
  /** Takes it and renews it from then on. */
  keep(lockName: string): Promise<void>;
  stillHas(lockName: string): Promise<boolean>;
  /** Takes it and never speaks of it again, as a process that is killed. */
  takeAndDie(lockName: string): Promise<void>;
}

export function libraryUser(s3Client: S3Client, lockTimeoutMs: number): LockUser {
  const mutex = new S3Mutex({ s3Client, bucketName: BUCKET_NAME, lockTimeoutMs });
  const kept = new Map<string, Lock>();
  return {
    tryFor: (lockName, forMs) => mutex.acquireLock(lockName, forMs),
    async keep(lockName) {
      kept.set(lockName, await mutex.acquire(lockName));
    },
    stillHas: async (lockName) => kept.get(lockName)?.held === true && (await mutex.isOwnedByUs(lockName)),
    async takeAndDie(lockName) {
      await mutex.acquireLock(lockName);
    },
  };
}

export function ancestorUser(s3Client: S3Client, lockTimeoutMs: number): LockUser {
  const mutex = new AncestorMutex({ s3Client, bucketName: BUCKET_NAME, lockTimeoutMs });
  return {
    async tryFor(lockName, forMs) {
      // Not by the wall clock, which may be the one that is wrong.
      const untilMs = performance.now() + forMs;
      while (!(await mutex.acquireLock(lockName))) if (performance.now() > untilMs) return false;
      return true;
    },
    async keep(lockName) {
      await mutex.acquireLock(lockName);
      setInterval(() => void mutex.refreshLock(lockName), lockTimeoutMs / 3).unref();
    },
    stillHas: (lockName) => mutex.isOwnedByUs(lockName),
    async takeAndDie(lockName) {
      await mutex.acquireLock(lockName);
    },
  };
}
