import { checkFiniteDuration, checkOptions, withDefault } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { OptionNames } from "../arguments/option-names.js";
import { onAbort } from "../runtime/base/abort.js";
import type { Context } from "../runtime/base/context.js";
import type { CloseReport, LeftBehind } from "../runtime/base/events.js";
import type { Held } from "../runtime/base/holdings.js";
import { settledWithin, sleepUntil } from "../runtime/base/timing.js";
import { guardsOfCaller } from "../runtime/scopes/guarding.js";

/** Options of `mutex.close`. */
export interface CloseOptions {
  /**
   * How long work under locks may take to come to its end, in milliseconds. A later call may shorten it, and never lengthens it.
   * @default 7000: with two seconds for a slow store it fits the ten that orchestrators give
   */
  readonly graceMs?: number | undefined;
  /**
   * What to do with handles that no function of `withLock` and its like runs under: wait until they are released, or release
   * them at once, where it is known that no work goes on under them. @default "wait"
   */
  readonly handles?: "wait" | "release" | undefined;
}

const CLOSE_OPTIONS: OptionNames<CloseOptions> = { graceMs: true, handles: true };

/** Checks the options of a close. @throws `invalid-argument` */
export function checkedCloseOptions(options: CloseOptions): CloseOptions {
  const { graceMs, handles } = checkOptions("options", options, CLOSE_OPTIONS);
  return {
    graceMs: withDefault("graceMs", graceMs, undefined, checkGrace),
    handles: withDefault("handles", handles, "wait", checkHandles),
  };
}

/** What closing works with, besides what everything of the mutex shares. */
export interface ClosingParts {
  /** Ends all waits with `closed`. */
  readonly stopWaiting: () => void;
  readonly releaseHandles: () => void;
  /** Ends all requests. */
  readonly shutDown: () => void;
}

/**
 * The end of a mutex. Nothing is given back before the work under it has ended: it is asked to end, its locks are renewed
 * meanwhile, and what has not ended in time is left to run out rather than given away.
 */
export class Closing {
  readonly #context: Context;
  readonly #parts: ClosingParts;
  readonly #graceOver = new AbortController();
  readonly #done = new AbortController();
  /** What the callers of the close work under: they can end once they have got their answer. */
  readonly #ofCallers = new Set<Held>();
  readonly #left = new Map<Held, LeftBehind["kind"]>();
  #report: Promise<CloseReport> | undefined;

  constructor(context: Context, parts: ClosingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  get hasBegun(): boolean {
    return this.#report !== undefined;
  }

  close(options: CloseOptions): Promise<CloseReport> {
    const { graceMs, handles } = checkedCloseOptions(options);
    const isFirst = !this.hasBegun;
    const grace = graceMs ?? (isFirst ? DEFAULT_GRACE_MS : undefined);
    const own = guardsOfCaller();
    for (const lease of own) this.#ofCallers.add(lease);
    // First of all: the functions that are asked to stop may ask for the end themselves.
    this.#report ??= Promise.resolve().then(() => this.#finish());
    if (grace !== undefined) void this.#endGraceIn(grace);
    if (isFirst) this.#askAllToStop();
    if (handles === "release") this.#parts.releaseHandles();
    return this.#leases.some((lease) => own.has(lease)) ? this.#reportWithout(own) : this.#report;
  }

  get #leases(): readonly Held[] {
    return this.#context.holdings.leases;
  }

  #askAllToStop(): void {
    // Waiters are sent away before: work that waits for a lock of this mutex ends by that.
    this.#parts.stopWaiting();
    for (const { standing } of this.#leases) standing.askToStop("closed");
  }

  async #endGraceIn(graceMs: number): Promise<void> {
    const { effects } = this.#context;
    await sleepUntil(effects, effects.monotonicMs() + graceMs, { keepAlive: true, signal: this.#done.signal });
    this.#graceOver.abort();
  }

  async #finish(): Promise<CloseReport> {
    const { holdings, background } = this.#context;
    const graceOver = new Promise<void>((resolve) => onAbort(this.#graceOver.signal, resolve));
    await Promise.race([holdings.until(() => this.#isUnused), graceOver]);
    this.#leave(this.#leases.filter((lease) => isWorkedUnder(lease) && !this.#ofCallers.has(lease)));
    const settled = holdings.until(() => this.#isSettled).then(() => background.idle());
    await this.#giveStoreTime(settled);
    this.#leave(this.#leases);
    this.#done.abort();
    const { unclear } = background;
    this.#parts.shutDown();
    const report = this.#describe();
    this.#tell(report, unclear);
    return report;
  }

  /** Waits for the last answers, and anew where the process stood still and could not hear them. */
  async #giveStoreTime(settled: Promise<void>): Promise<void> {
    const { effects } = this.#context;
    for (let overslept = true; overslept; ) {
      const untilMs = effects.monotonicMs() + PATIENCE_MS;
      if (await settledWithin(effects, settled, PATIENCE_MS)) return;
      overslept = effects.monotonicMs() > untilMs + OVERSLEPT_MS;
    }
  }

  /** Whether no work is done under anything any more. */
  get #isUnused(): boolean {
    return !this.#context.holdings.areArriving && this.#leases.every(({ standing }) => standing.isOver);
  }

  /** Whether everything was given back, but for what is left. */
  get #isSettled(): boolean {
    return !this.#context.holdings.areArriving && this.#leases.every(({ standing }) => standing.isLeft);
  }

  /** Leaves leases: what is not over runs out; what is being given back and was not answered stays in its record just as long. */
  #leave(leases: readonly Held[]): void {
    for (const lease of leases) {
      if (this.#left.has(lease)) continue;
      this.#left.set(lease, kindOf(lease));
      lease.leaveToRunOut();
    }
    this.#context.holdings.noteChange();
  }

  /** Reports to a caller whose own work asks for the end, without waiting for that work: it would wait for itself. */
  async #reportWithout(own: ReadonlySet<Held>): Promise<CloseReport> {
    const { holdings } = this.#context;
    // After the grace, what is still being given back keeps the close, and not the callers whose own locks wait for its report.
    const isPast = (lease: Held) =>
      this.#graceOver.signal.aborted && (this.#ofCallers.has(lease) || !isWorkedUnder(lease));
    const mayGoOn = (lease: Held) => own.has(lease) || lease.standing.isLeft || isPast(lease);
    const others = holdings.until(() => !holdings.areArriving && this.#leases.every(mayGoOn));
    await Promise.race([others, this.#report]);
    return this.#describe();
  }

  #describe(): CloseReport {
    const leftBehind = [...this.#left].map(([{ holder, standing }, kind]) => ({
      lockName: standing.lockName,
      acquisitionId: holder.id,
      fencingToken: holder.token,
      expiresAt: holder.expiresAtMs,
      kind,
    }));
    return { leftBehind };
  }

  /** Tells all in one line: of what fails since the mutex is closed, nothing more is said. */
  #tell(report: CloseReport, unclear: ReadonlySet<string>): void {
    const { logger, emit } = this.#context;
    const { leftBehind } = report;
    const kept = new Set(leftBehind.map(({ lockName }) => lockName));
    const asked = [...unclear].filter((lockName) => !kept.has(lockName));
    const held = `without giving back ${listed(kept)}, since work went on, it was not released, or no release got through: free when the lease ends`;
    const unclean = `without clearing up after calls for ${listed(asked)}, since no write got through: a place in a queue is passed over, and what was granted runs out`;
    const parts = [...(kept.size > 0 ? [held] : []), ...(asked.length > 0 ? [unclean] : [])];
    if (parts.length > 0) logger.warn(`closed ${parts.join("; and ")}`, { leftBehind });
    emit("closed", report);
  }
}

function listed(names: Iterable<string>): string {
  return [...names].map((name) => JSON.stringify(name)).join(", ");
}

/** Says whether work of a caller may go on under it; what this library does itself is waited for as a release is. */
function isWorkedUnder({ standing }: Held): boolean {
  return !standing.isOver && !standing.isBrief;
}

function kindOf(lease: Held): LeftBehind["kind"] {
  if (!isWorkedUnder(lease)) return "release";
  return lease.standing.isGuarding ? "callback" : "handle";
}

function checkGrace(argument: string, value: unknown): number | undefined {
  return checkFiniteDuration(argument, value);
}

function checkHandles(argument: string, value: unknown): "wait" | "release" {
  if (value === "wait" || value === "release") return value;
  throw invalidArgument(argument, value, 'use "wait" or "release"');
}

/** With {@link PATIENCE_MS}, less than the ten seconds that Docker leaves between SIGTERM and SIGKILL. */
const DEFAULT_GRACE_MS = 7000;
/** How long a store that does not answer is waited for, once all work has ended. */
const PATIENCE_MS = 2000;
/** So much later than its timer: the process stood still. */
const OVERSLEPT_MS = 500;
