import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";
import { fitted, printable } from "../base/text.js";
import type { Member } from "../process/living-members.js";
import type { Held, Rest } from "./held.js";
import type { Interruption } from "./interruption.js";
import type { Result } from "./while-held.js";

/** Gives back what is held, and says what is odd about the end; the command's exit code, unless it turns out that its lock was lost while it ran. */
export async function release(held: Held, result: Result, interruption: Interruption, output: Output): Promise<number> {
  const { exitCode, wasEndedByUs } = result;
  let problem: string | undefined;
  try {
    const answer = await interruption.tidied(held.release());
    if (answer === undefined) problem = NOT_CONFIRMED;
  } catch (error) {
    problem = error instanceof Error ? inOwnWords(error.message.replace(/\.$/, "")) : String(error);
  }
  nameLeftBehind(result, output);
  // What there is to say was said when the command was ended.
  if (wasEndedByUs) return exitCode;
  if (held.signal.aborted) {
    const { reason } = held.signal;
    const sentence = reason instanceof Error ? inOwnWords(reason.message) : "The lock was lost.";
    output.note(`${sentence} The command had ended with ${exitCode}.`);
    return EXIT.lost;
  }
  if (problem !== undefined) output.note(notReleased(held.rest(), problem));
  return exitCode;
}

/** Says what the command has started and goes on without the lock. */
export function nameLeftBehind({ leftBehind }: Result, output: Output): void {
  const left = leftBehind();
  if (left.length > 0) output.note(`the command has ended and left running, without the lock: ${namesOf(left)}.`);
}

/** Leaves a lock to its lease when its command cannot be ended. */
export function abandon(held: Held, { exitCode, leftBehind }: Result, output: Output): number {
  const why = `${namesOf(leftBehind()) || "a process of the command"} cannot be ended`;
  const { title, isSeveral } = held.rest();
  const free = isSeveral
    ? "are not released and become free when their leases end"
    : "is not released and becomes free when the lease ends";
  output.note(`${title} ${free}: ${why}.`);
  return exitCode;
}

const NAMED_MAX = 8;
const COMMAND_WIDTH_MAX = 60;

/** Names processes: `4711 (sleep 600), 4712` */
function namesOf(members: readonly Member[]): string {
  const names = members.slice(0, NAMED_MAX).map(({ pid, command }) => {
    const shown = fitted(printable(command), COMMAND_WIDTH_MAX);
    return shown === "" ? String(pid) : `${pid} (${shown})`;
  });
  const more = members.length - names.length;
  return [...names, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

export const NOT_CONFIRMED = "the store has not confirmed the release in time";

export function notReleased({ title, isSeveral }: Rest, why: string): string {
  const free = isSeveral ? "become free when their leases end" : "becomes free when the lease ends";
  return `${title} could not be released and ${free}: ${why}.`;
}
