import { type Lock, S3Mutex, S3MutexError } from "../../index.js";
import type { Output } from "../base/output.js";
import { createLog } from "../process/log.js";
import { exitCodeOf } from "../process/signals.js";
import { type Held, heldLock } from "../run/held.js";
import { Interruption } from "../run/interruption.js";
import type { HoldingPlan } from "../run/plan.js";
import { abandon, release } from "../run/release.js";
import { mayStart, startWhileHeld } from "../run/while-held.js";
import { Campaign } from "./campaign.js";

/** Everything that `elect` was told. */
export interface ElectPlan extends HoldingPlan {
  readonly lockName: string;
}

/** Runs the command whenever this candidate leads; resolves with the exit code when the command ends by itself. */
export async function electSession(plan: ElectPlan, output: Output): Promise<number> {
  const log = createLog(plan.isDebugging, output);
  const remark = (sentence: string) => {
    if (!plan.isQuiet) output.note(sentence);
  };
  const mutex = new S3Mutex({ ...plan.mutex, logger: log.logger });
  const interruption = new Interruption();
  let isStuck = false;
  const { lockName, priority, leaseMs } = plan;
  // Nearly the whole lease: the command is ended by its own plan, well before.
  const election = mutex.election(lockName, { leaseMs, priority, renewalDeadlineMs: leaseMs * 0.95 });
  const campaign = new Campaign(election, output, log);
  const letGo = interruption.listen();
  try {
    for (;;) {
      const { lock, held } = await wonToStart(mutex, campaign, interruption, output);
      if (interruption.by !== undefined) {
        // The leadership and the signal came together. Nothing was started under it.
        await interruption.tidied(lock.release()).catch(() => undefined);
        return exitCodeOf(interruption.by);
      }
      remark(`leads ${JSON.stringify(plan.lockName)} with the fencing token ${lock.fencingToken}.`);
      const running = startWhileHeld(held, plan.line, plan, output);
      interruption.passTo(running);
      const result = await running.result;
      interruption.passTo(undefined);
      isStuck = result.isStuck;
      if (isStuck) return abandon(held, result, output);
      const isLost = () => result.wasEndedByUs || lock.signal.aborted;
      const wasLost = isLost();
      if (!wasLost || interruption.by !== undefined) interruption.leave();
      const exitCode = await release(held, result, interruption, output);
      // The release may be the first to hear that another candidate leads.
      if (!isLost() || interruption.by !== undefined) return exitCode;
      interruption.stay();
      remark(`leads ${JSON.stringify(plan.lockName)} no longer; nothing of the command runs, and it campaigns again.`);
    }
  } catch (error) {
    if (interruption.by !== undefined && S3MutexError.is(error, "aborted")) return exitCodeOf(interruption.by);
    throw error;
  } finally {
    log.mute();
    if (!isStuck) await interruption.close(mutex);
    letGo();
  }
}

/** Wins a lead that a command may be started under: not one that was lost by then, as where this process stood still. */
async function wonToStart(
  mutex: S3Mutex,
  campaign: Campaign,
  interruption: Interruption,
  output: Output,
): Promise<{ readonly lock: Lock; readonly held: Held }> {
  for (;;) {
    const lock = await campaign.won(interruption.signal);
    const held = heldLock(mutex, lock);
    if (await mayStart(held, output)) return { lock, held };
    await interruption.tidied(lock.release()).catch(() => undefined);
  }
}
