import { S3Mutex, S3MutexError } from "../../index.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { createLog } from "../process/log.js";
import { exitCodeOf } from "../process/signals.js";
import { acquire, type RunPlan } from "./acquire.js";
import { Interruption } from "./interruption.js";
import { abandon, release } from "./release.js";
import { mayStart, startWhileHeld } from "./while-held.js";

/** Takes the lock, runs the command, releases; resolves with the exit code. */
export async function runSession(plan: RunPlan, output: Output): Promise<number> {
  const log = createLog(plan.isDebugging, output);
  const mutex = new S3Mutex({ ...plan.mutex, logger: log.logger });
  const interruption = new Interruption();
  const letGo = interruption.listen();
  let isStuck = false;
  try {
    const held = await acquire(mutex, plan, interruption.signal, output);
    if (held === undefined) return plan.conflictExitCode;
    if (!(await mayStart(held, output))) return EXIT.lost;
    if (interruption.by !== undefined) {
      // The lock and the signal came together. Nothing was started under it.
      await interruption.tidied(held.release()).catch(() => undefined);
      return exitCodeOf(interruption.by);
    }
    const running = startWhileHeld(held, plan.line, plan, output);
    interruption.passTo(running);
    const result = await running.result;
    log.mute();
    isStuck = result.isStuck;
    if (isStuck) return abandon(held, result, output);
    interruption.leave();
    return await release(held, result, interruption, output);
  } catch (error) {
    if (interruption.by !== undefined && S3MutexError.is(error, "aborted")) return exitCodeOf(interruption.by);
    throw error;
  } finally {
    log.mute();
    if (!isStuck) await interruption.close(mutex);
    letGo();
  }
}
