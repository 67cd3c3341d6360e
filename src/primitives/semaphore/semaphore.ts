import { checkDuration, checkOptions, checkPermits, withDefault } from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { OptionNames } from "../../arguments/option-names.js";
import type { LockReport } from "../../core/report.js";
import { numberIn, numberOf } from "../../core/shares.js";
import { S3MutexError } from "../../errors.js";
import { knownLimit } from "../../runtime/acquire/acquire-request.js";
import { AskElsewhere } from "../../runtime/acquire/refusals.js";
import type { Context } from "../../runtime/base/context.js";
import { inspectLock } from "../../runtime/inspect/inspect.js";
import type { Scopes } from "../../runtime/scopes/scopes.js";
import type { LockObject } from "../../runtime/swap/lock-object.js";
import { STAYS, showAs } from "../../shown.js";
import type { AcquireCall } from "../acquire-call.js";
import type { Acquirer } from "../acquirer.js";
import type { AcquireOptions, WithLockOptions } from "../call-options.js";
import type { HeldLock, Lock } from "../lock.js";
import { runHolding } from "../run-holding.js";
import { timedOut, wasBefore } from "../timed-out.js";
import type { PermitsCall, SeveralRecords } from "./several-records.js";

/** Options of `mutex.semaphore`. */
export interface SemaphoreOptions {
  /**
   * How many permits there are where the semaphore was not used yet, from 1 to 1,000,000. From then on the number that is stored
   * counts for all callers, whatever they say, and {@link Semaphore.resize} changes it. `"stored"`: only that one.
   */
  readonly permits: number | "stored";
}

const SEMAPHORE_OPTIONS: OptionNames<SemaphoreOptions> = { permits: true };

/** Options of a semaphore's `acquire` and `tryAcquire`. */
export interface PermitOptions extends Omit<AcquireOptions, "mode" | "reentrant" | "within"> {
  /** How many to take, all or none. Where there are more than 100, some 50 at most: the message of the error says how many. @default 1 */
  readonly permits?: number | undefined;
}

const TRY_PERMIT_OPTIONS: OptionNames<Omit<PermitOptions, "timeoutMs">> = {
  permits: true,
  signal: true,
  priority: true,
  leaseMs: true,
  holdAtLeastMs: true,
  label: true,
};

const PERMIT_OPTIONS: OptionNames<PermitOptions> = { ...TRY_PERMIT_OPTIONS, timeoutMs: true };

/** Options of a semaphore's `withPermits`. */
export interface WithPermitsOptions
  extends Omit<PermitOptions, "timeoutMs">,
    Pick<WithLockOptions, "retries" | "timeoutMs"> {}

const WITH_PERMITS_OPTIONS: OptionNames<WithPermitsOptions> = { ...PERMIT_OPTIONS, retries: true };

/**
 * At most so many at once. What `acquire` returns is a handle like a lock's, with a lease and a fencing token of its own; the
 * permits of a process that dies come back when its lease ends. Order is by priority and arrival: a caller that wants many is not
 * overtaken forever by callers that want few. More than 100 permits lie in several records: then order is kept in each.
 */
export class Semaphore {
  static {
    showAs<Semaphore>(Semaphore, "Semaphore", ({ name, permits }) => ({ name, permits }));
  }

  /** @internal */
  readonly cannotBeCloned = STAYS.semaphore;
  readonly #context: Context;
  readonly #acquirer: Acquirer;
  readonly #scopes: Scopes;
  readonly #object: LockObject;
  readonly #several: SeveralRecords;
  #permits: number | "stored";
  readonly #warnedOf = new Set<string>();

  /** @internal */
  constructor(
    context: Context,
    acquirer: Acquirer,
    scopes: Scopes,
    several: SeveralRecords,
    options: SemaphoreOptions,
  ) {
    this.#context = context;
    this.#acquirer = acquirer;
    this.#scopes = scopes;
    this.#several = several;
    this.#object = several.records.anchor;
    const { permits } = checkOptions("options", options, SEMAPHORE_OPTIONS, "required");
    this.#permits = permits === "stored" ? permits : checkPermits("permits", permits, ', or "stored"');
  }

  get name(): string {
    return this.#object.name;
  }

  /** How many there are, as far as is known here: what the store said last, then what the caller said; undefined before that. */
  get permits(): number | undefined {
    const { shares } = this.#several.records;
    return shares === undefined ? knownLimit(this.#object, { limit: this.#permits }) : numberIn(shares);
  }

  /**
   * Waits for permits.
   * @throws `timed-out`, `aborted`, `deadlock`; `invalid-argument`: it asks for more than there are, of more than 100 permits for more
   * than one record has, or there is no room for one more holder; `permits-differ`: by its own number it does not ask for more, but the
   * stored one is smaller
   */
  async acquire(given: PermitOptions = {}): Promise<Lock> {
    const options = checkOptions("options", given, PERMIT_OPTIONS);
    const patienceMs = Number.POSITIVE_INFINITY;
    const permit = await this.#scopes.line((scope) => this.#acquire(options, { patienceMs, scope }));
    if (permit !== undefined) return permit;
    throw this.#timedOut(options);
  }

  #timedOut(options: PermitOptions): S3MutexError {
    return timedOut({ name: this.name, latest: this.#several.records.seen }, this.#notHad(options));
  }

  /** Says what lacked: where many ask at once, that may be time to change the record for all of them, and not permits. */
  #notHad({ permits = 1, timeoutMs }: PermitOptions): string {
    const what = `${permits === 1 ? "No permit" : `${permits} permits`} of ${JSON.stringify(this.name)}`;
    const verb = permits === 1 ? "was" : "were not";
    const { mostFree } = this.#several.records;
    const before = mostFree < permits ? this.#several.records.waiterBefore(permits) : undefined;
    if (before !== undefined) return `${what} ${verb} had within ${timeoutMs} ms.${wasBefore(before)}`;
    if (mostFree < permits) return `${what} ${verb} free within ${timeoutMs} ms.`;
    return `${what} ${verb} had within ${timeoutMs} ms, although ${mostFree} were free when that was last seen: where many ask at once, allow more time.`;
  }

  /**
   * Tries once: a handle, or null when there are not so many left or another caller waits, by what was read since it was called. Its time
   * is a third of the lease, from 2 to 10 seconds, from its turn among the callers of this process on, and 30 seconds in all.
   * @throws `timed-out` where that was up although permits were free when that was last seen: too many asked at once
   */
  async tryAcquire(options: Omit<PermitOptions, "timeoutMs"> = {}): Promise<Lock | null> {
    const attempt = { ...checkOptions("options", options, TRY_PERMIT_OPTIONS), timeoutMs: 0 };
    const call = { patienceMs: 0, isAttempt: true };
    return (await this.#scopes.line((scope) => this.#acquire(attempt, { ...call, scope }))) ?? null;
  }

  /**
   * Runs `fn` while holding permits, as `withLock` does.
   * @returns what `fn` returned, or null when others had them until the time was up
   * @throws as `withLock`; `timed-out` where the time was up although permits were free when that was last seen
   */
  async withPermits<T>(fn: (permit: Lock) => T | Promise<T>, given: WithPermitsOptions = {}): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    const options = checkOptions("options", given, WITH_PERMITS_OPTIONS);
    const patienceMs = this.#acquirer.patienceMs(options.retries);
    const done = await this.#scopes.callback(
      (scope) => this.#acquire(options, { patienceMs, scope }),
      (permit) => runHolding(permit, fn),
    );
    return done === undefined ? null : done.result;
  }

  /** Reads who holds permits now, and who waits. @returns null when it was never used */
  inspect(): Promise<LockReport | null> {
    this.#scopes.noteCall();
    return inspectLock(this.#context, this.#object);
  }

  /**
   * Changes how many permits there are, for all callers, waiters included. A holder keeps its permits: where there are fewer
   * now, no other caller comes in until enough have been given back; of several records, until enough of that record's have been.
   * @returns the number before; null when there was none yet
   */
  async resize(permits: number): Promise<number | null> {
    this.#scopes.noteCall();
    const limit = checkPermits("permits", permits);
    const from = await this.#several.resize(limit);
    this.#permits = limit;
    return from ?? null;
  }

  async #acquire(
    options: PermitOptions,
    how: Pick<AcquireCall, "patienceMs" | "scope" | "isAttempt">,
  ): Promise<HeldLock | undefined> {
    const permits = withDefault("permits", options.permits, 1, checkPermits);
    const limit = this.#permits;
    const { timeoutMs, signal, priority, leaseMs, holdAtLeastMs, label } = options;
    const call: PermitsCall = {
      options: { timeoutMs, signal, priority, leaseMs, holdAtLeastMs, label },
      ...how,
      permits,
      limit,
    };
    const startedAtMs = this.#context.effects.monotonicMs();
    try {
      return await this.#take(call);
    } catch (error) {
      if (!S3MutexError.is(error, "timed-out")) throw error;
      const tookMs = Math.round(this.#context.effects.monotonicMs() - startedAtMs);
      throw this.#timedOut({ permits, timeoutMs: timeoutMs || tookMs });
    } finally {
      this.#warnOf(limit);
    }
  }

  /** Takes permits out of its record; or, if that turns out to be one of several, out of one of those. */
  async #take(call: PermitsCall): Promise<HeldLock | undefined> {
    const { effects, capacity } = this.#context;
    const startedAtMs = effects.monotonicMs();
    const patienceMs = withDefault("timeoutMs", call.options.timeoutMs, call.patienceMs, checkDuration);
    const later = () => {
      const waitedMs = effects.monotonicMs() - startedAtMs;
      const timeoutMs = Math.max(0, patienceMs - waitedMs);
      return { ...call, options: { ...call.options, timeoutMs }, waitedBeforeMs: waitedMs };
    };
    const { records } = this.#several;
    let isSeveral =
      records.shares !== undefined || (!records.isFound && call.limit !== "stored" && call.limit > capacity.inOne);
    for (let isFirst = true; ; isFirst = false) {
      const asked = isFirst ? call : later();
      if (isSeveral) {
        const taken = await this.#several.take(asked);
        if (taken !== "one-record") return taken;
        isSeveral = false;
        continue;
      }
      try {
        return await this.#acquirer.handle(this.#object.ref, asked);
      } catch (error) {
        if (!(error instanceof AskElsewhere)) throw error;
        isSeveral = true;
      }
    }
  }

  /** Warns of what may surprise an operator, once each. */
  #warnOf(said: number | "stored"): void {
    const { record } = this.#object.latest ?? {};
    if (record === undefined) return;
    const limit = numberOf(record);
    const name = JSON.stringify(this.name);
    if (said !== "stored" && said !== limit) {
      this.#warnOnce(
        `${name} has ${limit} permits, and this caller says ${said}: the stored number counts, resize() changes it`,
      );
    }
  }

  #warnOnce(message: string): void {
    if (this.#warnedOf.has(message)) return;
    this.#warnedOf.add(message);
    this.#context.logger.warn(`the semaphore ${message}.`);
  }
}
