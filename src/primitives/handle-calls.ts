import { checkFunction, checkOptions } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { Settings } from "../options/mutex-options.js";
import type { Context } from "../runtime/base/context.js";
import { withoutGuards } from "../runtime/scopes/guarding.js";
import type { Scopes } from "../runtime/scopes/scopes.js";
import type { AcquireCall } from "./acquire-call.js";
import type { Acquirer } from "./acquirer.js";
import {
  ACQUIRE_OPTIONS,
  type AcquireOptions,
  TRY_ACQUIRE_OPTIONS,
  type TryAcquireOptions,
  WITH_LOCK_OPTIONS,
  type WithLockOptions,
} from "./call-options.js";
import { readHandOver } from "./hand-over.js";
import type { Locator } from "./locator.js";
import type { HeldLock, Lock } from "./lock.js";
import type { HeldLockSet, LockSet } from "./lock-set.js";
import { runBriefly, runHolding } from "./run-holding.js";
import { notFree, notFreeFor } from "./timed-out.js";

/** The calls that give handles and run functions under locks: which scope each belongs to, and how long it waits. */
export class HandleCalls {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #acquirer: Acquirer;
  readonly #locator: Locator;
  readonly #scopes: Scopes;

  constructor(context: Context, settings: Settings, acquirer: Acquirer, locator: Locator, scopes: Scopes) {
    this.#context = context;
    this.#settings = settings;
    this.#acquirer = acquirer;
    this.#locator = locator;
    this.#scopes = scopes;
  }

  async acquire(lockName: string, given: AcquireOptions): Promise<Lock> {
    const options = checkOptions("options", given, ACQUIRE_OPTIONS);
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const object = this.#locator.lock(lockName);
    const lock = await this.#scopes.line((scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }));
    if (lock !== undefined) return lock;
    throw notFree(object, options);
  }

  async tryAcquire(lockName: string, options: TryAcquireOptions): Promise<Lock | null> {
    const attempt = { ...checkOptions("options", options, TRY_ACQUIRE_OPTIONS), timeoutMs: 0 };
    const call = { options: attempt, patienceMs: 0, isAttempt: true };
    const taking = this.#scopes.line((scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }));
    return (await taking) ?? null;
  }

  withLock<T>(lockName: string, fn: (lock: Lock) => T | Promise<T>, options: WithLockOptions): Promise<T | null> {
    return this.#runWith<HeldLock, T>(fn, options, (call) => this.#acquirer.handle({ name: lockName }, call));
  }

  async acquireAll(lockNames: readonly string[], given: AcquireOptions): Promise<LockSet> {
    const options = checkOptions("options", given, ACQUIRE_OPTIONS);
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const taken = await this.#scopes.line((scope) => this.#acquirer.all(lockNames, { ...call, scope }));
    if ("set" in taken) return taken.set;
    const { name } = taken.missing;
    const sentence = `Not all of ${JSON.stringify(lockNames)} were free within ${options.timeoutMs} ms: ${JSON.stringify(name)} was not.`;
    throw notFreeFor(taken.missing, sentence, options.mode);
  }

  withLocks<T>(
    lockNames: readonly string[],
    fn: (locks: LockSet) => T | Promise<T>,
    options: WithLockOptions,
  ): Promise<T | null> {
    return this.#runWith<HeldLockSet, T>(fn, options, async (call) => {
      const taken = await this.#acquirer.all(lockNames, call);
      return "set" in taken ? taken.set : undefined;
    });
  }

  /**
   * Waits for a lock that is not shared, and gives it back whatever `use` does, which is this library's own.
   * @param asked what the caller asked for, as errors say it: part of its time may be over
   */
  async holding<T>(
    lockName: string,
    options: AcquireOptions,
    use: (lock: HeldLock) => Promise<T>,
    asked: Pick<AcquireOptions, "timeoutMs">,
  ): Promise<T> {
    const call = { options, patienceMs: Number.POSITIVE_INFINITY };
    const object = this.#locator.lock(lockName);
    const done = await this.#scopes.callback(
      (scope) => this.#acquirer.handle({ name: lockName }, { ...call, scope }),
      async (lock) => {
        await using held = lock;
        return await runBriefly(held, use);
      },
    );
    if (done === undefined) throw notFree(object, asked);
    return done.result;
  }

  scope<T>(fn: () => T): T {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    return this.#scopes.run(fn);
  }

  detached<T>(fn: () => T): T {
    const run = checkFunction<() => T>("fn", fn);
    return this.#scopes.detached(() => withoutGuards(this.#context.holdings.leases, run));
  }

  heldForChild(held: Lock | LockSet): string {
    return this.#acquirer.heldForChild(held);
  }

  async restore(text: string): Promise<Lock> {
    const { ref, place, from } = readHandOver(text);
    const { key } = this.#locator.objectOf(ref);
    const { bucketName } = this.#settings;
    if (place.bucketName !== bucketName || place.key !== key) {
      const remedy = `it is about ${place.key} in the bucket ${place.bucketName}, and this mutex would read ${key} in ${bucketName}`;
      throw invalidArgument("text", text, remedy);
    }
    return this.#scopes.line((scope) => this.#acquirer.restore(ref, from, scope));
  }

  async #runWith<Held extends HeldLock | HeldLockSet, T>(
    fn: (held: Held) => T | Promise<T>,
    given: WithLockOptions,
    take: (call: AcquireCall) => Promise<Held | undefined>,
  ): Promise<T | null> {
    if (typeof fn !== "function") throw invalidArgument("fn", fn, "pass the function to run");
    const options = checkOptions("options", given, WITH_LOCK_OPTIONS);
    const call = { options, patienceMs: this.#acquirer.patienceMs(options.retries) };
    const done = await this.#scopes.callback(
      (scope) => take({ ...call, scope }),
      (held) => runHolding(held, fn),
    );
    return done === undefined ? null : done.result;
  }
}
