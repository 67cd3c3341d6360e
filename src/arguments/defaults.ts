/** What a caller gets that says nothing of it, in the library and on its command line. */

/** How long a lock is held without a renewal. */
export const DEFAULT_LEASE_MS = 60_000;

/** The same of a leader, as in Kubernetes: the next one follows after that long where it has died, and it renews three times in it. */
export const DEFAULT_ELECTION_LEASE_MS = 15_000;

/** How far apart the clocks of two clients may be, and how long after its end a lease is taken over. */
export const DEFAULT_TOLERANCE_MS = 1000;

/** Gives what the keys of results of `runOnce` start with: not with the prefix of locks, whose lifecycle rule would expire them. */
export function defaultOncePrefix(keyPrefix: string): string {
  return `once/${keyPrefix}`;
}

/** Gives the same of semaphores, which remember how many permits there are. */
export function defaultSemaphorePrefix(keyPrefix: string): string {
  return `semaphores/${keyPrefix}`;
}
