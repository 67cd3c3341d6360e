import { setTimeout as sleep } from "node:timers/promises";
import { loadLibrary } from "../built.js";
import type { LockSettings } from "../messages.js";

/** How long after lease and tolerance a lock without a holder may still say that it is held: a busy machine, a slow store. */
const LOCKED_SLACK_MS = 2000;
/** On top of that, until it can be had: the waiters that died are passed over one by one. */
const ACQUIRE_SLACK_MS = 10_000;

export interface Inspection {
  readonly failures: readonly string[];
  /** How long it took until the last lock was free, and until the last had been had, in milliseconds; without those that failed. */
  readonly freeAfterMs: number;
  readonly acquiredAfterMs: number;
}

/** Inspects the locks when all workers have ended: is every lock free in time, and can it be had? */
export async function inspectLocks(settings: LockSettings): Promise<Inspection> {
  const { S3Mutex } = await loadLibrary();
  const mutex = new S3Mutex({
    s3ClientConfig: settings.client,
    bucketName: settings.bucketName,
    keyPrefix: settings.keyPrefix,
    lockTimeoutMs: settings.leaseMs,
    clockSkewToleranceMs: settings.toleranceMs,
  });
  const startedMs = performance.now();
  const failures: string[] = [];
  let freeAfterMs = 0;
  let acquiredAfterMs = 0;
  const inspect = async (name: string) => {
    const boundMs = settings.leaseMs + settings.toleranceMs + LOCKED_SLACK_MS;
    while (await mutex.isLocked(name)) {
      if (performance.now() - startedMs > boundMs) {
        failures.push(`${name} was still held ${boundMs} ms after all workers had gone`);
        return;
      }
      await sleep(50);
    }
    freeAfterMs = Math.max(freeAfterMs, performance.now() - startedMs);
    const lock = await mutex.acquire(name, { timeoutMs: boundMs + ACQUIRE_SLACK_MS });
    acquiredAfterMs = Math.max(acquiredAfterMs, performance.now() - startedMs);
    await lock.release();
  };
  const explain = (name: string) => (error: unknown) => {
    failures.push(`${name} could not be had after all workers had gone: ${String(error)}`);
  };
  await Promise.all(settings.lockNames.map((name) => inspect(name).catch(explain(name))));
  await mutex.close();
  return { failures, freeAfterMs, acquiredAfterMs };
}
