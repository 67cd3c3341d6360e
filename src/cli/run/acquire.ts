import { type S3Mutex, S3MutexError } from "../../index.js";
import type { Output } from "../base/output.js";
import { ageText } from "../base/text.js";
import type { Held } from "./held.js";
import type { HoldingPlan } from "./plan.js";
import { announceWait, noticePlan, whoHas } from "./waiting.js";
import { take, titleOfWanted, type Wanted } from "./wanted.js";

/** Everything that `run` was told. */
export interface RunPlan extends HoldingPlan {
  readonly wanted: Wanted;
  /** How long the lock stays held from the grant, however soon the command ends. */
  readonly holdAtLeastMs?: number | undefined;
  /** Undefined: without a limit; 0: one attempt. */
  readonly waitMs: number | undefined;
  readonly conflictExitCode: number;
}

/** Acquires what was asked for; undefined, after saying so, when another caller still has it when the time is up. */
export async function acquire(
  mutex: S3Mutex,
  plan: RunPlan,
  signal: AbortSignal,
  output: Output,
): Promise<Held | undefined> {
  const { wanted, priority, waitMs, holdAtLeastMs, isQuiet } = plan;
  const stopAnnouncing = isQuiet ? () => {} : announceWait(mutex, wanted, noticePlan(output.isWatched), output);
  try {
    const held = await take(mutex, wanted, { priority, signal, holdAtLeastMs, timeoutMs: waitMs });
    if (held !== undefined) return held;
  } catch (error) {
    if (!S3MutexError.is(error, "timed-out")) throw error;
  } finally {
    stopAnnouncing();
  }
  if (isQuiet) return undefined;
  const hasWaited = waitMs !== 0 && waitMs !== undefined;
  const after = hasWaited ? ` after ${ageText(waitMs)}` : "";
  const who = await whoHas(mutex, wanted);
  const what = whatWasNotHad(wanted, hasWaited);
  output.note(`${what}${after}.${who === undefined ? "" : ` ${who}`}`);
  return undefined;
}

/** Says what was not had. Of several, one that is held is enough; a share or a permit may be kept for a caller that has nothing yet. */
function whatWasNotHad(wanted: Wanted, hasWaited: boolean): string {
  const title = titleOfWanted(wanted);
  if (wanted.kind === "permit") return `${title} was not to be had`;
  if (wanted.names.length > 1) return `not all of ${title} were free`;
  if (wanted.isShared) return `${title} was not to be shared`;
  return `another process ${hasWaited ? "still has" : "has"} ${title}`;
}
