import { type Lock, type S3Mutex, S3MutexError } from "../../index.js";
import { formatDuration } from "../duration.js";
import type { Output } from "../output.js";
import type { HoldingPlan } from "./plan.js";

/** Everything that `run` was told. */
export interface RunPlan extends HoldingPlan {
  /** Undefined: for ever; 0: one attempt. */
  readonly waitMs: number | undefined;
  readonly conflictExitCode: number;
}

/** After this, whoever watches is told what is going on. */
const NOTICE_AFTER_MS = 1000;

/** The lock; undefined, after saying so, when somebody else still has it when the time is up. */
export async function acquire(
  mutex: S3Mutex,
  plan: RunPlan,
  signal: AbortSignal,
  output: Output,
): Promise<Lock | undefined> {
  const { lockName, priority, waitMs } = plan;
  const name = JSON.stringify(lockName);
  const notice = setTimeout(() => {
    if (output.isWatched) output.note(`waiting for the lock ${name} (Ctrl-C to give up) ...`);
  }, NOTICE_AFTER_MS);
  try {
    if (waitMs === 0) {
      const lock = await mutex.tryAcquire(lockName, { priority, signal });
      if (lock === null) output.note(`somebody else has the lock ${name}.`);
      return lock ?? undefined;
    }
    return await mutex.acquire(lockName, { priority, signal, timeoutMs: waitMs });
  } catch (error) {
    if (!S3MutexError.is(error, "timed-out")) throw error;
    output.note(`somebody else still has the lock ${name} after ${formatDuration(waitMs ?? 0)}.`);
    return undefined;
  } finally {
    clearTimeout(notice);
  }
}
