import { constants } from "node:os";
import { formatDuration } from "../base/duration.js";
import type { ProcessGroup } from "./process-group.js";

/** How long what a command started may take to end after it, unless `--group-grace` says: within the ten seconds of orchestrators. */
const GRACE_MS = 7000;

/**
 * What is left then and was not sent SIGTERM yet, is: a shell without job control starts its background children deaf to
 * SIGINT and SIGQUIT, and of a command that died by itself they have not heard at all.
 */
const TERMINATE_AFTER_MS = 1000;

/** What SIGKILL does not end in this time runs as another user, or hangs in the kernel. */
const KILL_TAKES_MAX_MS = 2000;

/** How often at least a group whose leader is gone is checked: nothing reports the end of a process that is not our child. */
const CHECK_EVERY_MS = 50;

/** A user that presses Ctrl-C for the third time wants something else. */
const HINT_AT_INTERRUPT = 3;

const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * The end of a command and of all that it started. As long as the command itself lives, a signal is its business: Ctrl-C does
 * not end a debugger or a database's shell. Only SIGTERM means nothing else, so that is bounded by a grace that was
 * asked for, and repeated it is a kill.
 */
export class GroupEnd {
  readonly #group: Pick<ProcessGroup, "isOver" | "signalAll" | "hasMembers">;
  /** Undefined: the command takes as long as it wants, what it started has {@link GRACE_MS} from its end on. */
  #graceMs: number | undefined;
  readonly #note: (message: string) => void;
  readonly #sent = new Set<NodeJS.Signals>();
  #interrupts = 0;
  #timer: NodeJS.Timeout | undefined;
  #killAtMs = Number.POSITIVE_INFINITY;
  #killedAtMs = Number.POSITIVE_INFINITY;

  constructor(
    group: Pick<ProcessGroup, "isOver" | "signalAll" | "hasMembers">,
    graceMs: number | undefined,
    note: (message: string) => void,
  ) {
    this.#group = group;
    this.#graceMs = graceMs;
    this.#note = note;
  }

  /** Whether the group has been told to end. */
  get wasTold(): boolean {
    return this.#sent.size > 0;
  }

  /** Passes on the signal by which the user asks for the end, or kills where that was asked before. */
  receive(signal: NodeJS.Signals): void {
    this.#hintAt(signal);
    const isRepeated = this.#group.isOver ? this.wasTold : signal === "SIGTERM" && this.#sent.has(signal);
    if (isRepeated) {
      this.#kill(`${signal} once more: what is left of the command is killed.`);
      return;
    }
    this.#send(signal);
    if (signal === "SIGTERM" || signal === "SIGHUP") this.#wake();
    if (signal !== "SIGTERM" || this.#graceMs === undefined) return;
    this.#killAtMs = performance.now() + this.#graceMs;
    this.#timer = setTimeout(() => this.#killLate(), Math.min(this.#graceMs, TIMER_MAX_MS));
  }

  /** Hints at how a command is ended that takes Ctrl-C for something else: it does not tell itself. */
  #hintAt(signal: NodeJS.Signals): void {
    if (signal !== "SIGINT" || this.#group.isOver) return;
    this.#interrupts += 1;
    if (this.#interrupts !== HINT_AT_INTERRUPT) return;
    this.#note(
      `the command is told of each Ctrl-C, and goes on. To end it: kill ${process.pid}, and once more to kill it at once.`,
    );
  }

  /** Tells the group to end, as the lock is about to be lost: the caller kills in time, so there is no other grace. */
  terminate(): void {
    if (!this.wasTold) this.#graceMs = Number.POSITIVE_INFINITY;
    this.#terminate();
  }

  /** Kills the group: nothing may run on. */
  kill(): void {
    this.#killedAtMs = Math.min(this.#killedAtMs, performance.now());
    this.#group.signalAll("SIGKILL");
  }

  /** Ends what the ended command has left: resolves when nothing of its group runs any more; false when that cannot be had. */
  async complete(): Promise<boolean> {
    const startedAtMs = performance.now();
    this.#killAtMs = Math.min(this.#killAtMs, startedAtMs + (this.#graceMs ?? GRACE_MS));
    const terminateAtMs = startedAtMs + Math.min(TERMINATE_AFTER_MS, (this.#killAtMs - startedAtMs) / 2);
    let isGone = !this.#group.hasMembers();
    for (let checkMs = 2; !isGone && performance.now() < this.#killedAtMs + KILL_TAKES_MAX_MS; checkMs *= 2) {
      const nowMs = performance.now();
      if (nowMs >= this.#killAtMs) this.#killLate();
      else if (nowMs >= terminateAtMs && !this.#sent.has("SIGTERM")) this.#terminate();
      await new Promise((resolve) => setTimeout(resolve, Math.min(checkMs, CHECK_EVERY_MS)));
      isGone = !this.#group.hasMembers();
    }
    clearTimeout(this.#timer);
    return isGone;
  }

  /** Cancels the kill that is planned, when there is nothing to wait for. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #terminate(): void {
    this.#send("SIGTERM");
    this.#wake();
  }

  /** Lets members that are stopped go on: they do not get round to ending. Service managers and shells do the same. */
  #wake(): void {
    if ("SIGCONT" in constants.signals) this.#group.signalAll("SIGCONT");
  }

  #send(signal: NodeJS.Signals): void {
    this.#sent.add(signal);
    this.#group.signalAll(signal);
  }

  #killLate(): void {
    const time =
      this.#graceMs === undefined
        ? `${formatDuration(GRACE_MS)} of the command's own end (the default of --group-grace)`
        : `${formatDuration(this.#graceMs)} (--group-grace)`;
    this.#kill(`what is left of the command did not end within ${time} and is killed.`);
  }

  #kill(why: string): void {
    if (this.#killedAtMs !== Number.POSITIVE_INFINITY) return;
    this.#note(why);
    this.kill();
  }
}
