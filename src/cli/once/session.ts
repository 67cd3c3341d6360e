import { type OnceRun, S3Mutex, S3MutexError } from "../../index.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { ageText } from "../base/text.js";
import { createLog } from "../process/log.js";
import { exitCodeOf } from "../process/signals.js";
import { heldLock, titleOf } from "../run/held.js";
import { Interruption } from "../run/interruption.js";
import type { HoldingPlan } from "../run/plan.js";
import { abandon, NOT_CONFIRMED, nameLeftBehind, notReleased } from "../run/release.js";
import { announceWait, noticePlan, whoHas } from "../run/waiting.js";
import type { Wanted } from "../run/wanted.js";
import { type Result, startWhileHeld } from "../run/while-held.js";

/** Everything that `once` was told. */
export interface OncePlan extends HoldingPlan {
  readonly key: string;
  /** Undefined: without a limit; 0: one attempt. */
  readonly waitMs: number | undefined;
  readonly conflictExitCode: number;
}

/** The command has ended in a way that is not remembered. */
class NotDone extends Error {
  override readonly name = "NotDone";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("The command did not end with 0.");
    this.exitCode = exitCode;
  }
}

/** Runs the command unless it was done before; resolves with the exit code. */
export async function onceSession(plan: OncePlan, output: Output): Promise<number> {
  const log = createLog(plan.isDebugging, output);
  const mutex = new S3Mutex({ ...plan.mutex, logger: log.logger });
  const interruption = new Interruption();
  const letGo = interruption.listen();
  let isStuck = false;
  let ended: Result | undefined;
  try {
    let tellEnd: (result: Result) => void = () => {};
    const end = new Promise<Result>((resolve) => {
      tellEnd = resolve;
    });
    const run = async (held: OnceRun) => {
      const result = await runUnder(mutex, held, plan, interruption, output);
      ended = result;
      tellEnd(result);
      if (result.isStuck) {
        isStuck = true;
        // What is still running is under the lock: it is left to its lease, and nothing is remembered.
        return new Promise<never>(() => {});
      }
      if (result.exitCode !== EXIT.ok) throw new NotDone(result.exitCode);
      return { exitCode: EXIT.ok };
    };
    const { priority, waitMs: timeoutMs } = plan;
    const stopAnnouncing = plan.isQuiet
      ? () => {}
      : announceWait(mutex, wantedOf(plan), noticePlan(output.isWatched), output);
    const started = (held: OnceRun) => {
      stopAnnouncing();
      return run(held);
    };
    const done = mutex
      .runOnce(plan.key, started, { priority, timeoutMs, signal: interruption.signal })
      .finally(stopAnnouncing)
      .then(({ ran }) => {
        if (!ran && !plan.isQuiet) output.note(`${JSON.stringify(plan.key)} was done before: nothing was run.`);
        return EXIT.ok;
      });
    return await Promise.race([done, end.then((result) => exitCodeAfter(result, done, plan, interruption, output))]);
  } catch (error) {
    if (error instanceof NotDone) return error.exitCode;
    if (interruption.by !== undefined && S3MutexError.is(error, "aborted")) return exitCodeOf(interruption.by);
    if (!S3MutexError.is(error, "timed-out")) throw error;
    await sayWhoHasIt(mutex, plan, output);
    return plan.conflictExitCode;
  } finally {
    log.mute();
    if (ended !== undefined && !isStuck) nameLeftBehind(ended, output);
    if (!isStuck) await interruption.close(mutex);
    letGo();
  }
}

/**
 * Waits for the release, and for what was done to be remembered: as long as the lease lasts where that is all that is left to do, ten
 * seconds where the command failed or was told to end, and no longer than until a signal.
 */
async function exitCodeAfter(
  { exitCode, isStuck }: Result,
  done: Promise<number>,
  { key }: OncePlan,
  interruption: Interruption,
  output: Output,
): Promise<number> {
  if (isStuck) return exitCode;
  const isToRemember = exitCode === EXIT.ok && interruption.by === undefined;
  if (!isToRemember) interruption.leave();
  const answer = await (isToRemember ? interruption.unlessInterrupted(done) : interruption.tidied(done));
  if (answer !== undefined) return answer;
  output.note(
    exitCode === EXIT.ok
      ? `${JSON.stringify(key)} was done, and the store has not confirmed in time that this is remembered: the next one may run again.`
      : notReleased({ title: titleOf([`once/${key}`]), isSeveral: false }, NOT_CONFIRMED),
  );
  return exitCode !== EXIT.ok || interruption.by === undefined ? exitCode : exitCodeOf(interruption.by);
}

async function runUnder(
  mutex: S3Mutex,
  { lock }: OnceRun,
  plan: OncePlan,
  interruption: Interruption,
  output: Output,
): Promise<Result> {
  // The lock and the signal came together. Nothing was started under it.
  if (interruption.by !== undefined) throw new NotDone(exitCodeOf(interruption.by));
  const held = heldLock(mutex, lock);
  const running = startWhileHeld(held, plan.line, plan, output);
  interruption.passTo(running);
  const result = await running.result;
  interruption.passTo(undefined);
  if (result.isStuck) abandon(held, result, output);
  return result;
}

function wantedOf({ key }: OncePlan): Wanted {
  return { kind: "locks", names: [`once/${key}`], isShared: false };
}

async function sayWhoHasIt(mutex: S3Mutex, plan: OncePlan, output: Output): Promise<void> {
  if (plan.isQuiet) return;
  const { key, waitMs = 0 } = plan;
  const after = waitMs === 0 ? "" : ` after ${ageText(waitMs)}`;
  const who = await whoHas(mutex, wantedOf(plan));
  output.note(
    `another process is${waitMs === 0 ? "" : " still"} at ${JSON.stringify(key)}${after}.${who === undefined ? "" : ` ${who}`}`,
  );
}

/** Forgets that it was done. */
export async function forgetCommand(
  mutex: S3Mutex,
  { key, isQuiet }: Pick<OncePlan, "key" | "isQuiet">,
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  const wasDone = await mutex.forget(key, { signal });
  if (wasDone && isQuiet) return EXIT.ok;
  if (wasDone) output.line(`Forgot ${JSON.stringify(key)}: the next one runs again.`);
  else output.note(`${JSON.stringify(key)} was not done.`);
  return wasDone ? EXIT.ok : EXIT.failed;
}
