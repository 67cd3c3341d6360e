import { S3Mutex, S3MutexError } from "../../index.js";
import type { Output } from "../base/output.js";
import { bounded } from "../process/bounded.js";
import { createLog } from "../process/log.js";
import { catchSignals, exitCodeOf } from "../process/signals.js";
import { acquire, type RunPlan } from "./acquire.js";
import { abandon, release } from "./release.js";
import { startWhileHeld } from "./while-held.js";

/** How long leaving the queue may take, when the user wants this to be over. */
const CLOSE_MAX_MS = 3000;

/** Takes the lock, runs the command, releases; resolves with the exit code. */
export async function runSession(plan: RunPlan, output: Output): Promise<number> {
  const log = createLog(plan.isDebugging, output);
  const mutex = new S3Mutex({ ...plan.mutex, logger: log.logger });
  const interrupt = new AbortController();
  const hurry = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  let isStuck = false;
  let receive = (signal: NodeJS.Signals, isEnding: boolean): void => {
    if (!isEnding) return;
    // A user that asks again does not want to wait for the tidying up.
    if (interruptedBy !== undefined) hurry.abort();
    interruptedBy ??= signal;
    interrupt.abort();
  };
  const askedToEnd = receive;
  const letGo = catchSignals({ receive: (signal, isEnding) => receive(signal, isEnding) });
  try {
    const held = await acquire(mutex, plan, interrupt.signal, output);
    if (held === undefined) return plan.conflictExitCode;
    if (interruptedBy !== undefined) {
      // The lock and the signal came together. Nothing was started under it.
      await bounded(held.release(), CLOSE_MAX_MS, hurry.signal).catch(() => undefined);
      return exitCodeOf(interruptedBy);
    }
    const running = startWhileHeld(held, plan.line, plan, output);
    receive = (signal, isEnding) => running.receive(signal, isEnding);
    const result = await running.result;
    log.mute();
    isStuck = result.isStuck;
    if (isStuck) return abandon(held, result, output);
    // From here on there is nothing to pass a signal on to: the first one ends the wait for the store.
    receive = (_signal, isEnding) => void (isEnding && hurry.abort());
    return await release(held, result, hurry.signal, output);
  } catch (error) {
    receive = askedToEnd;
    if (interruptedBy !== undefined && S3MutexError.is(error, "aborted")) return exitCodeOf(interruptedBy);
    throw error;
  } finally {
    log.mute();
    // Closing gives back what is held. The process ends in a moment, and its renewals with it.
    if (!isStuck) await bounded(mutex.close({ handles: "release" }), CLOSE_MAX_MS, hurry.signal);
    letGo();
  }
}
