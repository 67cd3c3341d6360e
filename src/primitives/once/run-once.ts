import {
  checkDuration,
  checkFunction,
  checkLockName,
  checkNonEmptyString,
  checkOptions,
  checkSignal,
  withDefault,
} from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { OptionNames } from "../../arguments/option-names.js";
import { keyOfName, MAX_KEY_BYTES } from "../../core/names.js";
import { refusalOf } from "../../core/transition/fenced.js";
import { reworded, S3MutexError } from "../../errors.js";
import type { Settings } from "../../options/mutex-options.js";
import { wasClosed } from "../../runtime/base/closed.js";
import type { Context } from "../../runtime/base/context.js";
import { UNREACHABLE_MS } from "../../runtime/base/timing.js";
import { refusalError } from "../../runtime/fenced/fenced-refusal.js";
import { readFenced } from "../../runtime/fenced/read-fenced.js";
import { guarding } from "../../runtime/scopes/guarding.js";
import type { Scopes } from "../../runtime/scopes/scopes.js";
import type { AcquireOptions } from "../call-options.js";
import { contentOf } from "../fenced/fenced-content.js";
import type { HandleCalls } from "../handle-calls.js";
import type { Locator } from "../locator.js";
import type { HeldLock, Lock } from "../lock.js";
import { untilTaken } from "./until-taken.js";

/** Options of `runOnce` and `forget`. */
export type RunOnceOptions = Omit<AcquireOptions, "mode" | "reentrant" | "within" | "holdAtLeastMs">;

const RUN_ONCE_OPTIONS: OptionNames<RunOnceOptions> = {
  timeoutMs: true,
  signal: true,
  priority: true,
  leaseMs: true,
  label: true,
};

/** What the function of `runOnce` is given. */
export interface OnceRun {
  /** Aborted when the lock is lost: another process may begin to run the function. */
  readonly signal: AbortSignal;
  /** Greater than that of every earlier run: for a resource that refuses lower ones. */
  readonly fencingToken: number;
  /** The lock that the run is under, to ask the clocks, and to tell processes that are part of it (`heldForChild`). */
  readonly lock: Lock;
}

/** What JSON gives back of a value: a text for a `Date`, nothing for a function. */
export type AsJson<T> = 0 extends 1 & T
  ? T
  : T extends { toJSON(): infer Json }
    ? AsJson<Json>
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends bigint | symbol | ((...values: never[]) => unknown)
        ? undefined
        : T extends object
          ? { -readonly [Name in keyof T]: AsJson<T[Name]> }
          : T;

/** What `runOnce` has to say. */
export interface RunOnceResult<T> {
  /** Whether this very call has run the function; false where it had been done before. */
  readonly ran: boolean;
  /** What the function returned, as JSON has it, in this call or long ago. */
  readonly result: AsJson<T>;
}

/** What is remembered of a run. */
interface Done {
  readonly result?: unknown;
  /** In epoch milliseconds of store time. */
  readonly doneAtMs: number;
  readonly owner: string;
}

interface Place {
  readonly name: string;
  readonly lockName: string;
  readonly lock: string;
  readonly key: string;
}

/** Runs functions once, and remembers that. */
export class Once {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #scopes: Scopes;
  readonly #locator: Locator;
  readonly #handles: HandleCalls;

  constructor(context: Context, settings: Settings, locator: Locator, scopes: Scopes, handles: HandleCalls) {
    this.#context = context;
    this.#settings = settings;
    this.#scopes = scopes;
    this.#locator = locator;
    this.#handles = handles;
  }

  async run<T>(name: string, fn: (run: OnceRun) => T | Promise<T>, given: RunOnceOptions): Promise<RunOnceResult<T>> {
    this.#locator.checkOpen();
    this.#scopes.noteCall();
    const place = this.#place(name);
    checkFunction("fn", fn);
    const options = checkOptions("options", given, RUN_ONCE_OPTIONS);
    const startedAtMs = this.#context.effects.monotonicMs();
    const known = await this.#read(place, options);
    if (known.done !== undefined) return { ran: false, result: known.done.result as AsJson<T> };
    let hasBegun = false;
    const begin = (lock: HeldLock) => {
      if (this.#context.closing.aborted) throw wasClosed(place.lockName);
      // This process may have stood still since it was granted the lock, and another process may have done it.
      lock.assertHeld();
      hasBegun = true;
      const run = { signal: lock.signal, fencingToken: lock.fencingToken, lock };
      return guarding([lock.lease], () => fn(run));
    };
    try {
      return await this.#hold(place, options, startedAtMs, (lock) => this.#runHolding(place, lock, begin));
    } catch (error) {
      if (hasBegun || !(S3MutexError.is(error, "fenced-out") || S3MutexError.is(error, "lost"))) throw error;
      // The lock was lost before anything was done: a newer holder is at it.
      return this.run(name, fn, this.#restOf(options, startedAtMs));
    }
  }

  async #runHolding<T>(place: Place, lock: HeldLock, begin: (lock: HeldLock) => Promise<T>): Promise<RunOnceResult<T>> {
    const memory = await lock.fencedObject<Done>({ key: place.key });
    // Another process may have done it while this one waited.
    const done = await memory.read();
    if (done !== undefined) return { ran: false, result: done.result as AsJson<T> };
    const result = await begin(lock);
    const stored = storedResult(place, result);
    const write = () => memory.write({ ...stored, ...this.#stamp() });
    await untilTaken(this.#context, place, lock, write).catch((error) => {
      throw notRecorded(place, lock, error, result);
    });
    return { ran: true, result: stored.result as AsJson<T> };
  }

  /** @returns whether there was anything to forget */
  async forget(name: string, given: RunOnceOptions): Promise<boolean> {
    this.#locator.checkOpen();
    this.#scopes.noteCall();
    const place = this.#place(name);
    const options = checkOptions("options", given, RUN_ONCE_OPTIONS);
    const startedAtMs = this.#context.effects.monotonicMs();
    const known = await this.#read(place, options);
    if (known.isAbsent) return false;
    const forgetHolding = (lock: HeldLock) => lock.fencedObject({ key: place.key }).delete();
    return await this.#hold(place, options, startedAtMs, forgetHolding);
  }

  /** Runs `use` under the lock, within what is left of the time of a call that began then. */
  async #hold<T>(
    place: Place,
    options: RunOnceOptions,
    startedAtMs: number,
    use: (lock: HeldLock) => Promise<T>,
  ): Promise<T> {
    const rest = this.#restOf(options, startedAtMs);
    let isHeld = false;
    const begin = (lock: HeldLock) => {
      isHeld = true;
      return use(lock);
    };
    try {
      return await this.#handles.holding(place.lockName, alone(rest), begin, options);
    } catch (error) {
      if (isHeld) throw error;
      throw withoutNesting(place, error, this.#context.ownerId);
    }
  }

  /** Gives the same options with what is left of the caller's time; where there was any, it is not turned into a single attempt. */
  #restOf(options: RunOnceOptions, startedAtMs: number): RunOnceOptions {
    const { timeoutMs } = options;
    if (timeoutMs === undefined || timeoutMs === 0) return options;
    const restMs = timeoutMs - (this.#context.effects.monotonicMs() - startedAtMs);
    return { ...options, timeoutMs: Math.max(1, Math.ceil(restMs)) };
  }

  /** Reads what is known without the lock: once done, that is all it takes. */
  async #read(place: Place, options: RunOnceOptions): Promise<{ readonly isAbsent: boolean; readonly done?: Done }> {
    const patienceMs = Math.min(
      withDefault("timeoutMs", options.timeoutMs, UNREACHABLE_MS, checkDuration),
      UNREACHABLE_MS,
    );
    const signal = withDefault("signal", options.signal, undefined, checkSignal);
    const found = await readFenced(this.#context, { lockName: place.lockName, key: place.key, patienceMs, signal });
    const fence = { lock: place.lock, token: Number.MAX_SAFE_INTEGER };
    const refusal = refusalOf(found, fence);
    const { bucketName } = this.#settings;
    if (refusal !== undefined) throw refusalError(refusal, { ...place, ...fence, bucketName, maybeApplied: false });
    if (found.kind !== "envelope") return { isAbsent: true };
    const done = found.envelope.content as Done | undefined;
    return { isAbsent: false, ...(done === undefined ? {} : { done }) };
  }

  #place(name: string): Place {
    const { bucketName, keyPrefix, oncePrefix, keyEncoding } = this.#settings;
    checkNonEmptyString("key", name);
    if (keyPrefix !== "" && oncePrefix.startsWith(keyPrefix)) {
      const remedy = `set it to something that does not start with the keyPrefix, ${JSON.stringify(keyPrefix)}, whose objects may expire`;
      throw invalidArgument("oncePrefix", oncePrefix, remedy);
    }
    const lockName = `once/${name}`;
    const lockKey = checkLockName(keyPrefix, lockName, keyEncoding);
    const encoded = keyOfName(oncePrefix, name);
    if (!encoded.ok) {
      const remedy = `its key would have ${encoded.keyBytes} bytes, S3 allows ${MAX_KEY_BYTES}; use a shorter one`;
      throw invalidArgument("key", name, remedy);
    }
    if (encoded.key === lockKey) {
      const remedy = `the lock of ${JSON.stringify(name)} has the same key under the keyPrefix ${JSON.stringify(keyPrefix)}; set another oncePrefix, such as "results/"`;
      throw invalidArgument("oncePrefix", oncePrefix, remedy);
    }
    return { name, lockName, lock: `s3://${bucketName}/${lockKey}`, key: encoded.key };
  }

  #stamp(): Omit<Done, "result"> {
    const { clock, effects, ownerId } = this.#context;
    return { doneAtMs: clock.now()?.latestMs ?? effects.wallMs(), owner: ownerId };
  }
}

/** Makes a run share its lock with no other, not even with a run that it is part of. */
function alone(options: RunOnceOptions): AcquireOptions {
  return { ...options, mode: "exclusive", reentrant: false, within: undefined };
}

/** Rewords a deadlock inside of a function that holds the lock: there is no option by which it could nest, so none is advised. */
function withoutNesting({ name, lockName }: Place, error: unknown, ownerId: string): unknown {
  const { cycle } = S3MutexError.is(error, "deadlock") ? error : {};
  if (cycle?.length !== 1 || cycle[0]?.owner !== ownerId) return error;
  const message = `Deadlock: this call is about runOnce(${JSON.stringify(name)}), is made inside of the function that holds its lock, and would wait for the end of that. What is not part of that function belongs into mutex.detached().`;
  return new S3MutexError("deadlock", message, { lockName, cycle });
}

/** What may be returned to be remembered. */
const RESULTS = "return a JSON value, such as a base64 text, or nothing";

/** Gives what JSON makes of a result; nothing is a result as well. */
function storedResult(place: Place, result: unknown): Pick<Done, "result"> {
  if (result === undefined) return {};
  try {
    const { content } = contentOf("the result", result, RESULTS);
    if (content !== undefined) return { result: content };
  } catch (error) {
    throw refusedResult(place, result, error);
  }
  throw refusedResult(place, result, invalidArgument("the result", result, RESULTS));
}

function refusedResult({ name, lockName }: Place, result: unknown, cause: unknown): S3MutexError {
  const message = `The function of runOnce(${JSON.stringify(name)}) has run, but its result cannot be remembered, so that it will run again: ${(cause as Error).message}`;
  return new S3MutexError("invalid-argument", message, { lockName, cause, result });
}

/** Says that the function has run, and that what it returned could not be remembered. */
function notRecorded({ name, lockName }: Place, lock: HeldLock, error: unknown, result: unknown): unknown {
  if (!S3MutexError.is(error)) return error;
  const isKnown = error.maybeApplied !== true;
  const outcome = isKnown ? "was not remembered" : "may not have been remembered";
  const message = `The function of runOnce(${JSON.stringify(name)}) has run, and ${outcome}; its result is attached. ${error.message}`;
  const details = { lockName, result, cause: error, ...(isKnown ? {} : { maybeApplied: true }) };
  // The mutex was closed without waiting for it.
  if (error.code === "closed") return new S3MutexError("lost", message, { ...details, reason: "closed" });
  if (error.code !== "fenced-out") return reworded(error, message, details);
  return new S3MutexError("lost", message, { ...details, reason: lock.lease.loss?.reason ?? "taken-over" });
}
