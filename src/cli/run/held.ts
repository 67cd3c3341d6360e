import type { Lock, LockSet, S3Mutex } from "../../index.js";
import type { Remaining } from "./deadline.js";

export interface Rest {
  readonly title: string;
  readonly isSeveral: boolean;
}

/** What a command runs under: a lock, a permit of a semaphore, or several locks that are held as one. */
export interface Held extends Remaining {
  /** For messages: `the lock "nightly"`. */
  readonly title: string;
  /** What the command is told of it. */
  readonly environment: Readonly<Record<string, string>>;
  release(): Promise<boolean>;
  /** Names for messages what of it has not been given back yet. */
  rest(): Rest;
  /** Throws unless it is held at this moment; where the clocks disagree, the store is asked first. */
  confirm(): Promise<void>;
}

async function confirmed(held: Lock | LockSet, renew: () => Promise<boolean>): Promise<void> {
  if (!held.held && !held.signal.aborted) await renew().catch(() => false);
  held.assertHeld();
}

/** Makes of one lock, or one permit, what a command runs under. */
export function heldLock(mutex: S3Mutex, lock: Lock, what: "lock" | "semaphore" = "lock"): Held {
  const title = what === "lock" ? titleOf([lock.name]) : `a permit of ${JSON.stringify(lock.name)}`;
  return {
    title,
    environment: {
      ...environmentOf([lock]),
      S3_MUTEX_FENCING_TOKEN: String(lock.fencingToken),
      S3_MUTEX_LOCK_NAME: lock.name,
      S3_MUTEX_HELD: mutex.heldForChild(lock),
    },
    signal: lock.signal,
    get remainingMs() {
      return lock.remainingMs;
    },
    renew: () => lock.renew(),
    confirm: () => confirmed(lock, () => lock.renew()),
    release: () => lock.release(),
    rest: () => ({ title, isSeveral: false }),
  };
}

/** Makes the same of several: lost as soon as one of them is. There is no one token that a command could take for that of all. */
export function heldSet(mutex: S3Mutex, set: LockSet): Held {
  const { locks } = set;
  const left = new Set(locks);
  const renew = async () => (await Promise.all(locks.map((lock) => lock.renew()))).every((isHeld) => isHeld);
  return {
    title: titleOf(locks.map(({ name }) => name)),
    environment: { ...environmentOf(locks), S3_MUTEX_HELD: mutex.heldForChild(set) },
    signal: set.signal,
    get remainingMs() {
      return Math.min(...locks.map((lock) => lock.remainingMs));
    },
    renew,
    confirm: () => confirmed(set, renew),
    release: () => {
      const released = set.release();
      // The same releases, one by one.
      for (const lock of locks)
        lock
          .release()
          .then(() => left.delete(lock))
          .catch(() => {});
      return released;
    },
    rest: () => ({ title: titleOf([...left].map(({ name }) => name)), isSeveral: left.size > 1 }),
  };
}

/** Variables that tell of what an outer `run` holds, where this one has nothing of its own to say. */
export const LOCK_VARIABLES = ["S3_MUTEX_FENCING_TOKEN", "S3_MUTEX_LOCK_NAME"] as const;

function environmentOf(locks: readonly Lock[]): Readonly<Record<string, string>> {
  const tokens = Object.fromEntries(locks.map(({ name, fencingToken }) => [name, fencingToken]));
  return { S3_MUTEX_FENCING_TOKENS: JSON.stringify(tokens) };
}

/** Names locks for messages: `the lock "a"`, `the locks "a" and "b"` */
export function titleOf(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name));
  if (quoted.length === 1) return `the lock ${quoted[0]}`;
  return `the locks ${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)}`;
}
