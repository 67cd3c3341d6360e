import type { S3Mutex } from "../src/index.js";
import type { Random } from "../src/testing/virtual/random.js";

/** How a program closes its mutex. */
export interface Closing {
  readonly graceMs: number | undefined;
  readonly handles: "wait" | "release";
  /** When it loses patience and closes again without a grace, in milliseconds. */
  readonly againAfterMs: number | undefined;
}

export function closingOf(random: Random): Closing {
  return {
    graceMs: random.chance(0.4) ? undefined : random.pick([0, 500, 3000]),
    handles: random.chance(0.3) ? "release" : "wait",
    againAfterMs: random.chance(0.15) ? random.between(0, 2000) : undefined,
  };
}

/** Says how long closing may take where the store answers, in milliseconds. */
export function closingBoundMs({
  graceMs = DEFAULT_GRACE_MS,
  againAfterMs = Number.POSITIVE_INFINITY,
}: Closing): number {
  return Math.min(graceMs, againAfterMs) + STORE_MS;
}

export async function closeMutex(mutex: S3Mutex, { graceMs, handles }: Closing): Promise<void> {
  await mutex.close({ handles, graceMs });
}

const DEFAULT_GRACE_MS = 7000;
/** What the store is given to answer the last requests, and a moment. */
const STORE_MS = 2500;
