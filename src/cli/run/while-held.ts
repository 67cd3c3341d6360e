import { getSystemErrorMap } from "node:util";
import { S3MutexError } from "../../index.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { inOwnWords } from "../base/own-words.js";
import { GroupEnd } from "../process/group-end.js";
import type { Member } from "../process/living-members.js";
import { type Ending, ProcessGroup } from "../process/process-group.js";
import { exitCodeOf } from "../process/signals.js";
import { type DeadlinePlan, guardDeadline } from "./deadline.js";
import { type Held, LOCK_VARIABLES } from "./held.js";
import { LastFailure } from "./last-failure.js";
import { wordsOfMissing } from "./not-found.js";

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

export interface Result {
  readonly exitCode: number;
  /** Whether it was ended because of its lock. */
  readonly wasEndedByUs: boolean;
  /** Whether part of it was to end, does not, and is out of reach: its lock may not be given to another process. */
  readonly isStuck: boolean;
  /** Lists what it started and has left running, at this moment. */
  leftBehind(): readonly Member[];
}

/** A command that runs under a lock. */
export interface Running {
  readonly result: Promise<Result>;
  /** Passes a signal on. */
  receive(signal: NodeJS.Signals, isEnding: boolean): void;
}

export interface EndPlan {
  readonly deadline: DeadlinePlan;
  /** From an ending signal to SIGKILL; undefined: as {@link GroupEnd} has it. */
  readonly groupGraceMs: number | undefined;
}

/** Says whether a command may be started under what was granted a moment ago; says why not. */
export async function mayStart(held: Pick<Held, "confirm">, output: Pick<Output, "note">): Promise<boolean> {
  try {
    await held.confirm();
    return true;
  } catch (error) {
    if (!S3MutexError.is(error)) throw error;
    output.note(`${inOwnWords(error.message)} The command was not started.`);
    return false;
  }
}

/** Starts the command, and ends it with all that it started before another process can have the lock. */
export function startWhileHeld(held: Held, line: CommandLine, plan: EndPlan, output: Output): Running {
  const inherited = Object.entries(line.environment).filter(([name]) => !LOCK_VARIABLES.some((one) => one === name));
  const environment = { ...Object.fromEntries(inherited), ...held.environment };
  const group = new ProcessGroup(line.command, line.args, environment);
  // Whatever ends this process, a bug included: a command that runs on without its lock is worse than one that was killed.
  const killWithUs = () => group.signalAll("SIGKILL");
  process.once("exit", killWithUs);
  const groupEnd = new GroupEnd(group, plan.groupGraceMs, (message) => output.note(message));
  const result = end(group, groupEnd, held, plan.deadline, output).then(({ ending, wasEndedByUs, isStuck }) => {
    process.off("exit", killWithUs);
    const exitCode = wasEndedByUs ? EXIT.lost : exitCodeOfEnding(ending, line, output);
    return { exitCode, wasEndedByUs, isStuck, leftBehind: () => group.members() };
  });
  return {
    result,
    receive: (signal, isEnding) => (isEnding ? groupEnd.receive(signal) : group.signalLeader(signal)),
  };
}

interface End {
  readonly ending: Ending;
  readonly wasEndedByUs: boolean;
  readonly isStuck: boolean;
}

async function end(
  group: ProcessGroup,
  groupEnd: GroupEnd,
  held: Held,
  plan: DeadlinePlan,
  output: Output,
): Promise<End> {
  let step: "none" | "terminated" | "killed" = "none";
  let isOver = false;
  const unlessOver = (act: () => void) => afterNews(() => !isOver && act());
  const failure = new LastFailure();
  const stopGuard = guardDeadline(held, plan, {
    terminate: () =>
      unlessOver(() => {
        step = "terminated";
        const lost = `${held.title} could not be renewed and is about to be lost`;
        output.note(`${lost}: the command is asked to end (SIGTERM).${inOwnWords(failure.sentence)}`);
        groupEnd.terminate();
      }),
    kill: () =>
      unlessOver(() => {
        output.note(step === "terminated" ? "the command did not end in time and is killed." : reasonOf(held));
        step = "killed";
        groupEnd.kill();
      }),
  });
  const ending = await group.ended;
  // The guard goes on watching meanwhile, and the lock is renewed.
  const isGone = groupEnd.wasTold || diedOfSignal(ending) ? await groupEnd.complete() : true;
  groupEnd.stop();
  stopGuard();
  isOver = true;
  failure.stop();
  const stepNow = (): string => step;
  return { ending, wasEndedByUs: stepNow() !== "none", isStuck: !isGone };
}

/**
 * Acts once the events have come in that are there already: a process that stood still hears of its timers first, and of the end of its
 * command, which may have been long before, only then. The first of the two may come in the middle of a round of events.
 */
function afterNews(act: () => void): void {
  setImmediate(() => setImmediate(act));
}

/** Shells and npm tell of such a death by an exit code. SIGKILL's is left out: that is of one process, and does not ask it to end. */
const ASKED_TO_END = (["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const).map(exitCodeOf);

function diedOfSignal(ending: Ending): boolean {
  return ending.kind === "killed" || (ending.kind === "exited" && ASKED_TO_END.includes(ending.exitCode));
}

function reasonOf({ signal: { reason }, title }: Held): string {
  const sentence = reason instanceof Error ? reason.message : `${title} ran out.`;
  return `${inOwnWords(sentence)} The command is killed.`;
}

function exitCodeOfEnding(ending: Ending, { command, environment }: CommandLine, output: Output): number {
  if (ending.kind === "exited") return ending.exitCode;
  if (ending.kind === "killed") return exitCodeOf(ending.signal);
  const isMissing = isNotFound(ending.error, command);
  const why = isMissing ? wordsOfMissing(command, environment["PATH"] ?? "") : wordsOf(ending.error);
  output.note(`cannot run ${command}: ${why}.`);
  return isMissing ? EXIT.notFound : EXIT.notExecutable;
}

/** Says whether there is no such command, as bash judges: a name without a slash is searched for, and a search may end at any of these. */
function isNotFound({ code = "" }: NodeJS.ErrnoException, command: string): boolean {
  return code === "ENOENT" || (!command.includes("/") && ["ENOTDIR", "ELOOP", "ENAMETOOLONG"].includes(code));
}

/** Gives what the system says: Node's own message is `spawn ENOTDIR`. */
function wordsOf({ errno, code, message }: NodeJS.ErrnoException): string {
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return words === undefined ? message : `${words} (${code})`;
}
