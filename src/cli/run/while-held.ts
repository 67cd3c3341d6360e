import type { Lock } from "../../lock.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type DeadlinePlan, guardDeadline } from "./deadline.js";
import { type Ending, ProcessGroup } from "./process-group.js";
import { exitCodeOf } from "./signals.js";

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

export interface Result {
  readonly exitCode: number;
  /** Whether it was ended because of its lock; nothing of it runs any more in that case. */
  readonly wasEndedByUs: boolean;
}

/** A command that runs under a lock. */
export interface Running {
  readonly result: Promise<Result>;
  /** Passes a signal on. */
  receive(signal: NodeJS.Signals, isEnding: boolean): void;
}

/** Starts the command, and ends it with all that it started before the lock can be anybody else's. */
export function startWhileHeld(lock: Lock, line: CommandLine, plan: DeadlinePlan, output: Output): Running {
  const group = new ProcessGroup(line.command, line.args, {
    ...line.environment,
    S3_MUTEX_FENCING_TOKEN: String(lock.fencingToken),
    S3_MUTEX_LOCK_NAME: lock.name,
  });
  // Whatever ends this process, a bug included: a command that runs on without its lock is worse than one that was killed.
  const killWithUs = () => group.signalAll("SIGKILL");
  process.once("exit", killWithUs);
  const result = end(group, lock, plan, output).then(({ ending, wasEndedByUs }) => {
    process.off("exit", killWithUs);
    const exitCode = wasEndedByUs ? EXIT.lost : exitCodeOfEnding(ending, line.command, output);
    return { exitCode, wasEndedByUs };
  });
  return {
    result,
    receive: (signal, isEnding) => (isEnding ? group.signalAll(signal) : group.signalLeader(signal)),
  };
}

interface End {
  readonly ending: Ending;
  readonly wasEndedByUs: boolean;
}

async function end(group: ProcessGroup, lock: Lock, plan: DeadlinePlan, output: Output): Promise<End> {
  let step: "none" | "terminated" | "killed" = "none";
  const name = JSON.stringify(lock.name);
  const stopGuard = guardDeadline(lock, plan, {
    terminate() {
      step = "terminated";
      output.note(
        `the lock ${name} could not be renewed and is about to be lost: the command is asked to end (SIGTERM).`,
      );
      group.signalAll("SIGTERM");
      // One that is stopped does not get round to ending.
      group.signalAll("SIGCONT");
    },
    kill() {
      output.note(step === "terminated" ? "the command did not end in time and is killed." : reasonOf(lock));
      step = "killed";
      group.signalAll("SIGKILL");
    },
  });
  const ending = await group.ended;
  const stepNow = (): string => step;
  // What the command started may need some more time to end; the guard goes on watching meanwhile.
  if (stepNow() === "terminated") await group.gone(() => stepNow() === "killed");
  stopGuard();
  return { ending, wasEndedByUs: stepNow() !== "none" };
}

function reasonOf(lock: Lock): string {
  const { reason } = lock.signal;
  const sentence = reason instanceof Error ? reason.message : `The lock ${JSON.stringify(lock.name)} ran out.`;
  return `${sentence} The command is killed.`;
}

function exitCodeOfEnding(ending: Ending, command: string, output: Output): number {
  if (ending.kind === "exited") return ending.exitCode;
  if (ending.kind === "killed") return exitCodeOf(ending.signal);
  const isMissing = ending.error.code === "ENOENT";
  output.note(`cannot run ${command}: ${isMissing ? "there is no such command" : ending.error.message}.`);
  return isMissing ? EXIT.notFound : EXIT.notExecutable;
}
