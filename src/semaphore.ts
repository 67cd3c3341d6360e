import type { AcquireCall, Acquirer } from "./acquirer.js";
import { checkOptions, checkPermits, invalidArgument, withDefault } from "./arguments.js";
import type { AcquireOptions, WithLockOptions } from "./call-options.js";
import type { LockReport } from "./core/report.js";
import { resize } from "./core/transition/resize.js";
import type { HeldLock, Lock } from "./lock.js";
import type { OptionNames } from "./option-names.js";
import { runHolding } from "./run-holding.js";
import { Attempts } from "./runtime/attempts.js";
import type { Context } from "./runtime/context.js";
import { inspectLock } from "./runtime/inspect.js";
import type { LockObject } from "./runtime/lock-object.js";
import type { Scopes } from "./runtime/scope.js";
import { MAX_REQUEST_MS } from "./runtime/timing.js";
import { timedOut } from "./timed-out.js";

/** Options of `mutex.semaphore`. */
export interface SemaphoreOptions {
  /** How many permits there are, from 1 to 1,000,000; everybody has to say the same number. */
  readonly permits: number;
}

const SEMAPHORE_OPTIONS: OptionNames<SemaphoreOptions> = { permits: true };

/** Options of a semaphore's `acquire` and `tryAcquire`. */
export interface PermitOptions extends Omit<AcquireOptions, "mode" | "reentrant" | "within"> {
  /** How many to take, all or none. @default 1 */
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
export interface WithPermitsOptions extends PermitOptions, Pick<WithLockOptions, "retries"> {}

const WITH_PERMITS_OPTIONS: OptionNames<WithPermitsOptions> = { ...PERMIT_OPTIONS, retries: true };

/**
 * At most so many at once. What `acquire` returns is a handle like a lock's, with a lease and a fencing token of its own; the
 * permits of a process that dies come back when its lease ends. Order is by priority and arrival: one who wants many is not
 * overtaken for ever by those who want few.
 */
export class Semaphore {
  readonly #context: Context;
  readonly #acquirer: Acquirer;
  readonly #scopes: Scopes;
  readonly #object: LockObject;
  #permits: number;

  /** @internal */
  constructor(context: Context, acquirer: Acquirer, scopes: Scopes, object: LockObject, options: SemaphoreOptions) {
    this.#context = context;
    this.#acquirer = acquirer;
    this.#scopes = scopes;
    this.#object = object;
    this.#permits = checkPermits("permits", checkOptions("options", options, SEMAPHORE_OPTIONS).permits);
  }

  get name(): string {
    return this.#object.name;
  }

  /** How many there are, as far as this instance has been told. */
  get permits(): number {
    return this.#permits;
  }

  /**
   * Waits for permits.
   * @throws `timed-out`, `aborted`, `deadlock`, `permits-differ`
   */
  async acquire(options: PermitOptions = {}): Promise<Lock> {
    checkOptions("options", options, PERMIT_OPTIONS);
    const patienceMs = Number.POSITIVE_INFINITY;
    const permit = await this.#scopes.line((scope) => this.#acquire(options, { patienceMs, scope }));
    if (permit !== undefined) return permit;
    const { permits = 1, timeoutMs } = options;
    const what = permits === 1 ? "No permit of" : `${permits} permits of`;
    const [verb, within] = [permits === 1 ? "was" : "were not", `within ${timeoutMs} ms`];
    throw timedOut(this.#object, `${what} ${JSON.stringify(this.name)} ${verb} free ${within}.`);
  }

  /** One attempt: a handle, or null when there are not so many left, or somebody waits. */
  async tryAcquire(options: Omit<PermitOptions, "timeoutMs"> = {}): Promise<Lock | null> {
    const attempt = { ...checkOptions("options", options, TRY_PERMIT_OPTIONS), timeoutMs: 0 };
    const call = { patienceMs: 0, isAttempt: true };
    return (await this.#scopes.line((scope) => this.#acquire(attempt, { ...call, scope }))) ?? null;
  }

  /**
   * Runs `fn` while holding permits, as `withLock` does.
   * @returns what `fn` returned, or null when they were not had in time
   */
  async withPermits<T>(fn: (permit: Lock) => T | Promise<T>, options: WithPermitsOptions = {}): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    const { retries } = checkOptions("options", options, WITH_PERMITS_OPTIONS);
    const patienceMs = this.#acquirer.patienceMs(retries);
    const done = await this.#scopes.callback(
      (scope) => this.#acquire(options, { patienceMs, scope }),
      (permit) => runHolding(permit, fn),
    );
    return done === undefined ? null : done.result;
  }

  /** Who holds permits now, and who waits. @returns null when nobody has ever used it */
  inspect(): Promise<LockReport | null> {
    return inspectLock(this.#context, this.#object);
  }

  /**
   * Changes how many permits there are, for everybody. Who holds some keeps them. Processes that still say the old number get
   * `permits-differ` from then on.
   * @returns the number before; null when there was none yet
   */
  async resize(permits: number): Promise<number | null> {
    const limit = checkPermits("permits", permits);
    const { reply } = await this.#object.swap((record, attempt) => resize(record, limit, attempt), {
      attempts: new Attempts(),
      role: "contender",
      fromStore: true,
      timeoutMs: MAX_REQUEST_MS,
      untilMs: this.#context.effects.monotonicMs() + RESIZE_PATIENCE_MS,
    });
    this.#permits = limit;
    return reply.from ?? null;
  }

  #acquire(
    options: PermitOptions,
    how: Pick<AcquireCall, "patienceMs" | "scope" | "isAttempt">,
  ): Promise<HeldLock | undefined> {
    const permits = withDefault("permits", options.permits, 1, checkPermits);
    const limit = this.#permits;
    if (permits > limit)
      throw invalidArgument("permits", permits, `the semaphore has ${limit}; ask for that many at most`);
    const { timeoutMs, signal, priority, leaseMs, holdAtLeastMs, label } = options;
    const call: AcquireCall = {
      options: { timeoutMs, signal, priority, leaseMs, holdAtLeastMs, label },
      ...how,
      permits,
      limit,
    };
    return this.#acquirer.handle(this.#object.ref, call);
  }
}

/** How long a store that does not answer is asked again. */
const RESIZE_PATIENCE_MS = 10_000;
