import { formatDuration } from "../base/duration.js";
import { UsageError } from "../base/usage-error.js";

/** When a command is ended, as what is left of the lease, so that it is over before another process can have the lock. */
export interface DeadlinePlan {
  /** With this much left, the group gets SIGTERM. */
  readonly terminateAtMs: number;
  /** With this much left, SIGKILL. */
  readonly killAtMs: number;
}

const KILL_MARGIN_MAX_MS = 1000;
const GRACE_MAX_MS = 10_000;

/**
 * Plans the end of a command before that of its lease. The first renewal is due with two thirds of the lease left, so the grace may not
 * reach up there: one that is given more than a third would end commands whose lock is in no danger.
 */
export function planDeadline(leaseMs: number, graceMs: number | undefined): DeadlinePlan {
  const killAtMs = Math.min(leaseMs / 10, KILL_MARGIN_MAX_MS);
  if (graceMs !== undefined && graceMs > leaseMs / 3) {
    const [grace, longest] = [formatDuration(graceMs), formatDuration(leaseMs / 3)];
    throw new UsageError(
      `--grace ${grace} is more than a third of the lease: use at most ${longest}, or a longer --lease.`,
    );
  }
  return { killAtMs, terminateAtMs: killAtMs + (graceMs ?? Math.min(leaseMs / 5, GRACE_MAX_MS)) };
}

/** What the guard needs to know of a lock. */
export interface Remaining {
  readonly remainingMs: number;
  readonly signal: AbortSignal;
  renew(): Promise<boolean>;
}

export interface DeadlineActions {
  /** Asks the command to end: there is time for it to do so by itself. */
  terminate(): void;
  /** Kills the command: there is no time for that. */
  kill(): void;
}

/** Clocks jump when a machine is suspended: check again at least this often. */
const CHECK_EVERY_MS = 1000;

/** What is left of a lease falls by as much as time passes, and by this much more where clocks are read a moment apart. */
const JUMP_MS = 100;

/**
 * What is left of the lease, as far as the monotonic clock can tell while that is in doubt. Where it falls by more than the
 * time that has passed, the wall clock was set or the machine slept: the lock is renewed at once, and until that is answered
 * it counts as before. If another holder took it over meanwhile, the answer says so.
 */
class LeftOver {
  readonly #lock: Remaining;
  readonly #onAnswer: () => void;
  #before = { leftMs: 0, atMs: 0 };
  #isAsking = false;

  constructor(lock: Remaining, onAnswer: () => void) {
    this.#lock = lock;
    this.#onAnswer = onAnswer;
  }

  read(): number {
    const nowMs = performance.now();
    const leftMs = this.#lock.signal.aborted ? 0 : this.#lock.remainingMs;
    const expectedMs = this.#before.leftMs - (nowMs - this.#before.atMs);
    if (leftMs < expectedMs - JUMP_MS && !this.#lock.signal.aborted) {
      this.#ask();
      return expectedMs;
    }
    this.#before = { leftMs, atMs: nowMs };
    return leftMs;
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const answered = () => {
      this.#isAsking = false;
      // Whatever is left by now is all there is.
      this.#before = { leftMs: 0, atMs: 0 };
      this.#onAnswer();
    };
    this.#lock.renew().then(answered, answered);
  }
}

/**
 * Watches what is left of the lease by a timer of its own: it falls steadily while nothing renews, whatever the reason. A
 * loss that is certain (taken over, released by force) leaves no time to be polite. Returns how to stop watching.
 */
export function guardDeadline(lock: Remaining, plan: DeadlinePlan, actions: DeadlineActions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isTerminating = false;
  let isOver = false;
  let killAtMs = Number.POSITIVE_INFINITY;
  const stop = () => {
    isOver = true;
    clearTimeout(timer);
    lock.signal.removeEventListener("abort", look);
  };
  const look = () => {
    if (isOver) return;
    clearTimeout(timer);
    const leftMs = left.read();
    if (leftMs <= plan.killAtMs || performance.now() >= killAtMs) {
      stop();
      actions.kill();
      return;
    }
    if (leftMs <= plan.terminateAtMs && !isTerminating) {
      isTerminating = true;
      // Also when a renewal succeeds after all: who was told to end is not waited for any longer than that.
      killAtMs = performance.now() + leftMs - plan.killAtMs;
      actions.terminate();
    }
    const nextMs = isTerminating
      ? Math.min(leftMs - plan.killAtMs, killAtMs - performance.now())
      : leftMs - plan.terminateAtMs;
    timer = setTimeout(look, Math.max(1, Math.min(nextMs, CHECK_EVERY_MS)));
  };
  const left = new LeftOver(lock, look);
  lock.signal.addEventListener("abort", look, { once: true });
  look();
  return stop;
}
