import { S3MutexError } from "../../errors.js";
import { endQuietly, onAbort, throwIfAborted } from "../base/abort.js";
import { wasClosed } from "../base/closed.js";
import type { Context } from "../base/context.js";
import type { Diagnostics } from "../base/diagnostics.js";
import { Lease } from "../hold/lease.js";
import type { LockObject } from "../swap/lock-object.js";
import type { AcquireRequest } from "./acquire-request.js";
import { Acquisition } from "./acquisition.js";
import type { LocalQueue } from "./local-queue.js";

/**
 * Waits for a lock. Undefined when another caller still has it when the time is up; rejects when aborted, as a deadlock's
 * victim, and when the store could not be reached. Whatever was sent until then is cancelled behind the caller's back.
 */
export async function acquireLease(
  context: Context,
  localQueue: LocalQueue,
  request: AcquireRequest,
): Promise<Lease | undefined> {
  const acquisition = new Acquisition(context, localQueue, request);
  const wait = () => waitForLease(context, localQueue, acquisition);
  return context.diagnostics.isAcquireWatched
    ? toldOf(context.diagnostics, localQueue.object, acquisition, wait)
    : wait();
}

async function waitForLease(
  context: Context,
  localQueue: LocalQueue,
  acquisition: Acquisition,
): Promise<Lease | undefined> {
  const { request } = acquisition;
  throwIfAborted(localQueue.object.name, request.signal);
  const { waiting } = context.activity;
  waiting.set(acquisition.id, localQueue.object.name);
  localQueue.join(acquisition);
  const settled = new AbortController();
  try {
    const running = acquisition.run();
    const isRunning = Symbol();
    const outcome = await Promise.race([
      running,
      acquisition.timeIsUp(settled.signal).then(() => isRunning),
      whenAborted(request.signal, settled.signal).then(() => isRunning),
      whenAborted(context.closing, settled.signal).then(() => isRunning),
    ]);
    if (typeof outcome === "symbol") {
      acquisition.giveUp(running);
      throwIfAborted(localQueue.object.name, request.signal);
      if (context.closing.aborted) throw wasClosed(localQueue.object.name);
      if (acquisition.unanswered !== undefined) throw acquisition.unanswered;
      return undefined;
    }
    if (outcome === undefined) return undefined;
    if (context.closing.aborted) {
      acquisition.giveUp(running);
      throw wasClosed(localQueue.object.name);
    }
    const lease = new Lease(context, localQueue, outcome, request);
    localQueue.hold(lease, acquisition);
    const { id: acquisitionId, token: fencingToken } = outcome.holder;
    const { name: lockName } = localQueue.object;
    context.emit("acquired", { lockName, acquisitionId, fencingToken, waitedMs: acquisition.waitedMs });
    return lease;
  } finally {
    endQuietly(settled);
    waiting.delete(acquisition.id);
    localQueue.leave(acquisition);
  }
}

/** Publishes a message when the wait begins and one when it ends. */
async function toldOf(
  diagnostics: Diagnostics,
  { name: lockName }: LockObject,
  acquisition: Acquisition,
  wait: () => Promise<Lease | undefined>,
): Promise<Lease | undefined> {
  const { mode, priority, leaseMs, patienceMs } = acquisition.request;
  const start = { lockName, acquisitionId: acquisition.id, mode, priority, leaseMs, timeoutMs: patienceMs };
  diagnostics.publish("acquire:start", start);
  const end = (outcome: string, details: { readonly fencingToken?: number; readonly error?: unknown } = {}) =>
    diagnostics.publish("acquire:end", { ...start, outcome, waitedMs: acquisition.waitedMs, ...details });
  try {
    const lease = await wait();
    if (lease === undefined) end("timed-out");
    else end("acquired", { fencingToken: lease.holder.token });
    return lease;
  } catch (error) {
    end(S3MutexError.is(error) ? error.code : "unexpected", { error });
    throw error;
  }
}

/** Resolves when the signal is aborted; no longer once everything is settled. */
function whenAborted(signal: AbortSignal | undefined, settled: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal !== undefined) onAbort(settled, onAbort(signal, resolve));
  });
}
