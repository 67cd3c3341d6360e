import { S3Mutex, S3MutexError } from "../../index.js";
import type { Output } from "../base/output.js";
import { bounded } from "../process/bounded.js";
import { createLog } from "../process/log.js";
import { catchSignals, exitCodeOf } from "../process/signals.js";
import { heldLock } from "../run/held.js";
import type { HoldingPlan } from "../run/plan.js";
import { abandon, release } from "../run/release.js";
import { startWhileHeld } from "../run/while-held.js";
import { Campaign } from "./campaign.js";

/** How long leaving the queue may take, when the user wants this to be over. */
const CLOSE_MAX_MS = 3000;

/** Everything that `elect` was told. */
export interface ElectPlan extends HoldingPlan {
  readonly lockName: string;
}

/** What a signal does at the moment. */
type Receive = (signal: NodeJS.Signals, isEnding: boolean) => void;

/** Runs the command whenever this candidate leads; resolves with the exit code when the command ends by itself. */
export async function electSession(plan: ElectPlan, output: Output): Promise<number> {
  const log = createLog(plan.isDebugging, output);
  const remark = (sentence: string) => {
    if (!plan.isQuiet) output.note(sentence);
  };
  const mutex = new S3Mutex({ ...plan.mutex, logger: log.logger });
  const interrupt = new AbortController();
  const hurry = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  let isStuck = false;
  const leave: Receive = (signal, isEnding) => {
    if (!isEnding) return;
    // A user that asks again does not want to wait for the tidying up.
    if (interruptedBy !== undefined) hurry.abort();
    interruptedBy ??= signal;
    interrupt.abort();
  };
  let receive = leave;
  const { lockName, priority, leaseMs } = plan;
  // Nearly the whole lease: the command is ended by its own plan, well before.
  const election = mutex.election(lockName, { leaseMs, priority, renewalDeadlineMs: leaseMs * 0.95 });
  const campaign = new Campaign(election, output, log);
  const letGo = catchSignals({ receive: (signal, isEnding) => receive(signal, isEnding) });
  try {
    for (;;) {
      const lock = await campaign.won(interrupt.signal);
      if (interruptedBy !== undefined) {
        // The leadership and the signal came together. Nothing was started under it.
        await bounded(lock.release(), CLOSE_MAX_MS, hurry.signal).catch(() => undefined);
        return exitCodeOf(interruptedBy);
      }
      remark(`leads ${JSON.stringify(plan.lockName)} with the fencing token ${lock.fencingToken}.`);
      const held = heldLock(mutex, lock);
      const running = startWhileHeld(held, plan.line, plan, output);
      receive = (signal, isEnding) => {
        // Whatever becomes of the leadership meanwhile: who was told to end does not campaign again.
        if (isEnding) interruptedBy ??= signal;
        running.receive(signal, isEnding);
      };
      const result = await running.result;
      receive = leave;
      isStuck = result.isStuck;
      if (isStuck) return abandon(held, result, output);
      const isLost = result.wasEndedByUs || lock.signal.aborted;
      const exitCode = await release(held, result, hurry.signal, output);
      if (!isLost || interruptedBy !== undefined) return exitCode;
      remark(`leads ${JSON.stringify(plan.lockName)} no longer; nothing of the command runs, and it campaigns again.`);
    }
  } catch (error) {
    if (interruptedBy !== undefined && S3MutexError.is(error, "aborted")) return exitCodeOf(interruptedBy);
    throw error;
  } finally {
    receive = leave;
    log.mute();
    // Closing gives back what is held. The process ends in a moment, and its renewals with it.
    if (!isStuck) await bounded(mutex.close({ handles: "release" }), CLOSE_MAX_MS, hurry.signal);
    letGo();
  }
}
