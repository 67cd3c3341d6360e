import type { AcquireOptions, LockReport, S3Mutex } from "../../index.js";
import { type Held, heldLock, heldSet, titleOf } from "./held.js";

/** What a `run` is to hold. */
export type Wanted =
  | { readonly kind: "locks"; readonly names: readonly string[]; readonly isShared: boolean }
  /** One permit of so many, or of as many as are stored. */
  | { readonly kind: "permit"; readonly name: string; readonly permits: number | "stored" };

/** Names what is wanted, for messages. */
export function titleOfWanted(wanted: Wanted): string {
  return wanted.kind === "locks" ? titleOf(wanted.names) : `a permit of ${JSON.stringify(wanted.name)}`;
}

/**
 * Takes it, all or none; waits as long as the options say, and with `timeoutMs: 0` makes one attempt.
 * @returns undefined when that one attempt found another holder
 * @throws `timed-out` when others still have it when the time is up
 */
export async function take(
  mutex: S3Mutex,
  wanted: Wanted,
  options: Pick<AcquireOptions, "priority" | "signal" | "timeoutMs" | "holdAtLeastMs">,
): Promise<Held | undefined> {
  const isAttempt = options.timeoutMs === 0;
  const { timeoutMs: _, ...attempt } = options;
  if (wanted.kind === "permit") {
    const semaphore = mutex.semaphore(wanted.name, { permits: wanted.permits });
    const permit = await (isAttempt ? semaphore.tryAcquire(attempt) : semaphore.acquire(options));
    return permit === null ? undefined : heldLock(mutex, permit, "semaphore");
  }
  const { names, isShared } = wanted;
  const [name = ""] = names;
  const mode = isShared ? "shared" : "exclusive";
  if (names.length > 1) return heldSet(mutex, await mutex.acquireAll(names, { ...options, mode }));
  const lock = await (isAttempt
    ? mutex.tryAcquire(name, { ...attempt, mode })
    : mutex.acquire(name, { ...options, mode }));
  return lock === null ? undefined : heldLock(mutex, lock);
}

/** Reads what the store says of it now, as far as there is a record. */
export async function inspectWanted(mutex: S3Mutex, wanted: Wanted): Promise<readonly LockReport[]> {
  const reports =
    wanted.kind === "permit"
      ? [mutex.semaphore(wanted.name, { permits: wanted.permits }).inspect()]
      : wanted.names.map((name) => mutex.inspect(name));
  return (await Promise.all(reports)).filter((report) => report !== null);
}
