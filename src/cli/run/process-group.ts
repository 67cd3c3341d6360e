import { type ChildProcess, spawn } from "node:child_process";
import { hasLivingMember } from "./living-members.js";

/** How a command ended: by itself, by a signal, or it could not be started at all. */
export type Ending =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "killed"; readonly signal: NodeJS.Signals }
  | { readonly kind: "not-started"; readonly error: NodeJS.ErrnoException };

/** Windows has no process groups: there only the command itself can be reached. */
const HAS_GROUPS = process.platform !== "win32";

/** How often a group whose leader is gone is looked at: nothing reports the end of a process that is not our child. */
const GONE_POLL_MS = 50;

/**
 * A command in a process group of its own, so that whatever it starts can be ended with it. Standard input, output and
 * error are ours.
 */
export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ending>;
  #isOver = false;

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { stdio: "inherit", detached: HAS_GROUPS, env: environment });
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending) => {
        this.#isOver = true;
        resolve(ending);
      };
      this.#child.once("error", (error) => {
        // A signal that could not be sent is reported here as well; it ends nothing.
        if (this.#child.pid === undefined) end({ kind: "not-started", error });
      });
      this.#child.once("exit", (exitCode, signal) => {
        end(signal === null ? { kind: "exited", exitCode: exitCode ?? 0 } : { kind: "killed", signal });
      });
    });
  }

  /** Whether the command itself has ended; what it started may go on. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** To the command alone. */
  signalLeader(signal: NodeJS.Signals): void {
    if (!this.#isOver) this.#child.kill(signal);
  }

  /** To everything in the group, also when the command itself is gone. Harmless when nothing is left. */
  signalAll(signal: NodeJS.Signals): void {
    if (!HAS_GROUPS) this.signalLeader(signal);
    else this.#toGroup(signal);
  }

  /** Resolves when no process of the group is left, or when there is no point in waiting any longer. */
  async gone(isPointless: () => boolean): Promise<void> {
    while (HAS_GROUPS && !isPointless() && this.#hasMembers()) {
      await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
    }
  }

  #hasMembers(): boolean {
    const { pid } = this.#child;
    // Where process 1 buries nobody (many containers), the dead count as members until the end of days: look closer.
    return pid !== undefined && this.#toGroup(0) && hasLivingMember(pid) !== false;
  }

  #toGroup(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#child;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch {
      // ESRCH: nobody is left. EPERM: what is left runs as somebody else and is out of reach.
      return false;
    }
  }
}
