import type { Lock } from "../../lock.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { bounded } from "./bounded.js";
import type { Result } from "./while-held.js";

/** How long the command's exit code is held back by a store that does not answer to the release. */
const RELEASE_MAX_MS = 10_000;

/** The command's exit code, unless it turns out that its lock was lost while it ran. */
export async function release(
  lock: Lock,
  { exitCode, wasEndedByUs }: Result,
  hurry: AbortSignal,
  output: Output,
): Promise<number> {
  let problem: string | undefined;
  try {
    const answer = await bounded(lock.release(), RELEASE_MAX_MS, hurry);
    if (answer === undefined) problem = "the store did not answer in time";
  } catch (error) {
    problem = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
  }
  // What there is to say was said when the command was ended.
  if (wasEndedByUs) return exitCode;
  if (lock.signal.aborted) {
    const { reason } = lock.signal;
    const sentence = reason instanceof Error ? reason.message : "The lock was lost.";
    output.note(`${sentence} The command had ended with ${exitCode}.`);
    return EXIT.lost;
  }
  if (problem !== undefined) output.note(notReleased(lock, problem));
  return exitCode;
}

function notReleased(lock: Lock, why: string): string {
  return `the lock ${JSON.stringify(lock.name)} could not be released and becomes free when its lease ends: ${why}.`;
}
