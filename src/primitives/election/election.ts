import {
  checkDuration,
  checkFiniteDuration,
  checkFunction,
  checkLabel,
  checkLease,
  checkOptions,
  checkPriority,
  checkSignal,
  withDefault,
} from "../../arguments/checks.js";
import { DEFAULT_ELECTION_LEASE_MS } from "../../arguments/defaults.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { OptionNames } from "../../arguments/option-names.js";
import { usableMs } from "../../core/lease.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../../runtime/base/context.js";
import type { LeaseTiming } from "../../runtime/hold/lease-clock.js";
import { type Leader, LeaderWatch } from "../../runtime/inspect/leader-watch.js";
import { outlast } from "../../runtime/inspect/outlast.js";
import type { Scope } from "../../runtime/scopes/scope.js";
import type { Scopes } from "../../runtime/scopes/scopes.js";
import type { LockObject } from "../../runtime/swap/lock-object.js";
import { STAYS, showAs } from "../../shown.js";
import type { Acquirer } from "../acquirer.js";
import type { AcquireOptions } from "../call-options.js";
import type { HeldLock, Lock } from "../lock.js";
import { timedOut } from "../timed-out.js";
import { type LeaderFunction, Leadership } from "./leadership.js";

/** Options of `mutex.election`. It must hold that `leaseMs` > `renewalDeadlineMs` > `retryMs`. */
export interface ElectionOptions {
  /** After a leader has died, how long it takes until another can lead, in milliseconds. @default 15000 */
  readonly leaseMs?: number | undefined;
  /** A leader that could not renew for this long steps down, before another candidate can lead. @default two thirds of `leaseMs` */
  readonly renewalDeadlineMs?: number | undefined;
  /** How often a leader renews, in milliseconds. @default a third of `leaseMs` */
  readonly retryMs?: number | undefined;
  /** Candidates of higher priority come first; none ever ends another's leadership. @default 0 */
  readonly priority?: number | undefined;
  /** A word about this candidate, for people to read. @default the mutex's `label` */
  readonly label?: string | undefined;
}

const ELECTION_OPTIONS: OptionNames<ElectionOptions> = {
  leaseMs: true,
  renewalDeadlineMs: true,
  retryMs: true,
  priority: true,
  label: true,
};

/** Options of `campaign`. */
type CampaignOptions = Pick<AcquireOptions, "timeoutMs" | "signal">;

const CAMPAIGN_OPTIONS: OptionNames<CampaignOptions> = { timeoutMs: true, signal: true };

/** Options of `runWhenLeader`. */
type LeadOptions = Pick<AcquireOptions, "signal">;

const LEAD_OPTIONS: OptionNames<LeadOptions> = { signal: true };

/** Options of `resign`. */
export interface ResignOptions {
  /** How long it may take until the function that leads has ended and the lead is given back, in milliseconds. @default as long as it takes */
  readonly timeoutMs?: number | undefined;
}

const RESIGN_OPTIONS: OptionNames<ResignOptions> = { timeoutMs: true };

/** Options of `observe`. */
export interface ObserveOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
  /** How often to poll, in milliseconds; a poll that finds nothing new is a 304. @default 1000 */
  readonly intervalMs?: number | undefined;
}

const OBSERVE_OPTIONS: OptionNames<ObserveOptions> = { signal: true, intervalMs: true };

/**
 * One leader among many candidates. A leader's signal is aborted when it steps down: at its renewal deadline at the latest,
 * which is before another candidate can lead. Work that outlives the signal needs the fencing token.
 */
export class Election {
  static {
    showAs<Election>(Election, "Election", ({ name }) => ({ name }));
  }

  /** @internal */
  readonly cannotBeCloned = STAYS.election;
  readonly #context: Context;
  readonly #acquirer: Acquirer;
  readonly #scopes: Scopes;
  readonly #object: LockObject;
  readonly #options: Pick<AcquireOptions, "leaseMs" | "priority" | "label">;
  readonly #timing: LeaseTiming;
  readonly #turns = new Set<Leadership>();

  /** @internal */
  constructor(context: Context, acquirer: Acquirer, scopes: Scopes, object: LockObject, options: ElectionOptions) {
    this.#context = context;
    this.#acquirer = acquirer;
    this.#scopes = scopes;
    this.#object = object;
    const leaseMs = withDefault(
      "leaseMs",
      checkOptions("options", options, ELECTION_OPTIONS).leaseMs,
      DEFAULT_ELECTION_LEASE_MS,
      checkLease,
    );
    this.#options = {
      leaseMs,
      priority: withDefault("priority", options.priority, 0, checkPriority),
      label: withDefault("label", options.label, undefined, checkLabel),
    };
    this.#timing = checkTiming(leaseMs, options);
  }

  get name(): string {
    return this.#object.name;
  }

  /** Whether this instance leads at this very moment, by the clocks. */
  get isLeader(): boolean {
    return [...this.#turns].some((turn) => turn.isHeld);
  }

  /**
   * Lets another candidate lead. The signal of the function that {@link runWhenLeader} runs is aborted, with `lost` and the reason
   * `resigned`, and the lead is kept and renewed until the function has ended; called from within it, this does not wait for that.
   * A handle of {@link campaign} is released at once; where a function nests in it, this resolves to true at once all the same, and the
   * lead is kept and renewed until that function has ended.
   * @returns false when this instance does not lead, or not any more: then nothing changes, and {@link runWhenLeader} campaigns again. Where
   * the lead is lost only while the function comes to its end, false as well, and {@link runWhenLeader} ends
   * @throws `timed-out`: the function has not ended in time, and leads until it has; `store-unavailable`: the store has not taken
   * the lead back in time
   */
  async resign(options: ResignOptions = {}): Promise<boolean> {
    this.#scopes.noteCall();
    const { timeoutMs } = checkOptions("options", options, RESIGN_OPTIONS);
    const patienceMs = withDefault("timeoutMs", timeoutMs, Number.POSITIVE_INFINITY, checkDuration);
    const outcomes = await Promise.all([...this.#turns].map((turn) => turn.resign(patienceMs)));
    return outcomes.includes(true);
  }

  /**
   * Waits until this candidate leads. The handle is a lock's: `signal` tells when it has to step down, `release()` and {@link resign} let another candidate lead.
   * @throws `timed-out`, `aborted`
   */
  async campaign(options: Pick<AcquireOptions, "timeoutMs" | "signal"> = {}): Promise<Lock> {
    checkOptions("options", options, CAMPAIGN_OPTIONS);
    const lock = await this.#scopes.line((scope) => this.#win(options, scope));
    this.#begin(lock, "handle");
    return lock;
  }

  async #win({ timeoutMs, signal }: CampaignOptions, scope: Scope, unreachableMs?: number): Promise<HeldLock> {
    const lock = await this.#acquirer.handle(this.#object.ref, {
      options: { ...this.#options, timeoutMs, signal },
      patienceMs: Number.POSITIVE_INFINITY,
      scope,
      timing: this.#timing,
      longestPollMs: LONGEST_POLL_MS,
      mayNest: false,
      ...(unreachableMs === undefined ? {} : { unreachableMs }),
    });
    if (lock !== undefined) return lock;
    throw timedOut(this.#object, `Another candidate led ${JSON.stringify(this.name)} for the whole ${timeoutMs} ms.`);
  }

  /**
   * Runs `fn` whenever this candidate leads, and campaigns again when it was lost. An outage of the store, however long, is said
   * once to the logger and outlasted. It ends when `fn` is done, having resigned,
   * or when the signal of the options is aborted, once `fn` has come to its end.
   * @returns what `fn` returned; undefined when it was aborted, or threw after {@link resign} had aborted its signal
   * @throws what `fn` throws while it leads; what it throws after a loss or a resignation is reported to the logger; `closed`;
   * `lost`, with `result`, when `fn` has outlasted the grace of `close()`
   */
  async runWhenLeader<T>(fn: LeaderFunction<T>, options: Pick<AcquireOptions, "signal"> = {}): Promise<T | undefined> {
    checkFunction("fn", fn);
    const signal = withDefault("signal", checkOptions("options", options, LEAD_OPTIONS).signal, undefined, checkSignal);
    for (;;) {
      const turn = await this.#scopes.callback(
        (scope) => this.#winUnlessAborted(signal, scope),
        (lock) => this.#begin(lock, "function").run(fn, signal),
      );
      if (turn === undefined) return undefined;
      if (turn.result.kind === "over") return turn.result.result;
    }
  }

  /** Reads who leads now; null when there is no leader. */
  async leader(): Promise<Leader | null> {
    this.#scopes.noteCall();
    return new LeaderWatch(this.#context, this.#object).read();
  }

  /**
   * Yields who leads now, and then each new leader; null while there is none. A store that does not answer is asked again.
   * @throws `access-denied` and others when the store refuses
   */
  observe(options: ObserveOptions = {}): AsyncIterable<Leader | null> {
    this.#scopes.noteCall();
    const { signal, intervalMs } = checkOptions("options", options, OBSERVE_OPTIONS);
    return new LeaderWatch(this.#context, this.#object).observe({
      signal: withDefault("signal", signal, undefined, checkSignal),
      intervalMs: withDefault("intervalMs", intervalMs, DEFAULT_INTERVAL_MS, checkFiniteDuration),
    });
  }

  #begin(lock: HeldLock, leads: "handle" | "function"): Leadership {
    const turn = new Leadership(this.#context, lock, leads);
    this.#turns.add(turn);
    lock.lease.onEnd(() => this.#turns.delete(turn));
    return turn;
  }

  async #winUnlessAborted(signal: AbortSignal | undefined, scope: Scope): Promise<HeldLock | undefined> {
    const win = () => this.#win({ signal }, scope, Number.POSITIVE_INFINITY);
    for (;;) {
      try {
        return await outlast(this.#context, this.name, win, signal);
      } catch (error) {
        if (S3MutexError.is(error, "aborted")) return undefined;
        // It was lost in the moment in which it was won.
        if (!S3MutexError.is(error, "lost")) throw error;
      }
    }
  }
}

/** Checks the timing, as others have it: the lease is over after the leader has stepped down, and it had tried several times by then. */
function checkTiming(leaseMs: number, options: ElectionOptions): LeaseTiming {
  const renewalDeadlineMs = withDefault(
    "renewalDeadlineMs",
    options.renewalDeadlineMs,
    (leaseMs * 2) / 3,
    checkFiniteDuration,
  );
  const renewEveryMs = withDefault("retryMs", options.retryMs, leaseMs / 3, checkFiniteDuration);
  const longestMs = Math.floor(usableMs(leaseMs));
  if (renewalDeadlineMs > longestMs) {
    const remedy = `a leader has to step down before its lease of ${leaseMs} ms is over; use at most ${longestMs}, or a longer leaseMs`;
    throw invalidArgument("renewalDeadlineMs", renewalDeadlineMs, remedy);
  }
  if (renewEveryMs <= 0 || renewEveryMs >= renewalDeadlineMs) {
    const remedy = `a leader has to renew before its renewalDeadlineMs of ${renewalDeadlineMs}; use less than that, and more than 0`;
    throw invalidArgument("retryMs", renewEveryMs, remedy);
  }
  return { renewEveryMs, renewalDeadlineMs };
}

/** An observer knows of a new leader within a second, for a GET a second: $1 a month on S3. */
const DEFAULT_INTERVAL_MS = 1000;
/** A leader that resigns after months is followed within a second all the same. */
const LONGEST_POLL_MS = 500;
