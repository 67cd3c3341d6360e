import { type ChildProcess, spawn } from "node:child_process";
import { GroupChecks } from "./group-checks.js";
import { checkGroup, hasProc, livingMembers, type Member } from "./living-members.js";

/** How a command ended: by itself, by a signal, or it could not be started at all. */
export type Ending =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "killed"; readonly signal: NodeJS.Signals }
  | { readonly kind: "not-started"; readonly error: NodeJS.ErrnoException };

/** Windows has no process groups: there only the command itself can be reached. */
const HAS_GROUPS = process.platform !== "win32";

/**
 * A command in a process group of its own, so that whatever it starts can be ended with it. Standard input, output and
 * error are ours.
 */
export class ProcessGroup {
  readonly #child: ChildProcess | undefined;
  readonly ended: Promise<Ending>;
  #isOver = false;
  readonly #checks = new GroupChecks();

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
    const child = spawned(command, args, environment);
    this.#child = child instanceof Error ? undefined : child;
    this.ended = child instanceof Error ? Promise.resolve({ kind: "not-started", error: child }) : endOf(child);
    void this.ended.then(() => {
      this.#isOver = true;
    });
  }

  /** Whether the command itself has ended; what it started may go on. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends a signal to the command alone. */
  signalLeader(signal: NodeJS.Signals): void {
    if (!this.#isOver) this.#child?.kill(signal);
  }

  /** Sends a signal to everything in the group, also when the command itself is gone. Harmless when nothing is left. */
  signalAll(signal: NodeJS.Signals): void {
    if (!HAS_GROUPS) this.signalLeader(signal);
    else this.#toGroup(signal);
  }

  /** Says whether a process of the group has not ended yet, the command itself or another. */
  hasMembers(): boolean {
    const pid = this.#child?.pid;
    if (!HAS_GROUPS || pid === undefined) return pid !== undefined && !this.#isOver;
    const answer = this.#toGroup(0);
    if (answer === "none") return false;
    if (!hasProc()) return answer === "sent" || livingMembers(pid).length > 0;
    // Where process 1 does not bury the dead (many containers), the dead count as members until the end of days: look closer.
    return !this.#checks.areAllDead(checkGroup(pid, this.#checks.lastSeen));
  }

  /** Lists those of the group that have not ended yet. */
  members(): readonly Member[] {
    const pid = this.#child?.pid;
    return HAS_GROUPS && pid !== undefined && this.hasMembers() ? livingMembers(pid) : [];
  }

  #toGroup(signal: NodeJS.Signals | 0): "sent" | "out-of-reach" | "none" {
    const pid = this.#child?.pid;
    if (pid === undefined) return "none";
    try {
      process.kill(-pid, signal);
      return "sent";
    } catch (error) {
      // EPERM: all that is left runs as another user; on macOS, or is dead and not buried.
      return (error as NodeJS.ErrnoException).code === "EPERM" ? "out-of-reach" : "none";
    }
  }
}

/** Starts a command. Of what the system refuses Node throws the less usual part, such as ENOTDIR and E2BIG, and emits the rest. */
function spawned(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): ChildProcess | NodeJS.ErrnoException {
  try {
    return spawn(command, args, { stdio: "inherit", detached: HAS_GROUPS, env: environment });
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      // A signal that could not be sent is reported here as well; it ends nothing.
      if (child.pid === undefined) resolve({ kind: "not-started", error });
    });
    child.once("exit", (exitCode, signal) => {
      resolve(signal === null ? { kind: "exited", exitCode: exitCode ?? 0 } : { kind: "killed", signal });
    });
  });
}
