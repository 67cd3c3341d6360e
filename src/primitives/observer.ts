import {
  checkFiniteDuration,
  checkFunction,
  checkOptions,
  checkSignal,
  checkString,
  withDefault,
} from "../arguments/checks.js";
import { keyOfNameIn1x, keyPrefixOfNames, nameOfKey } from "../core/names.js";
import type { LockReport } from "../core/report.js";
import type { Settings } from "../options/mutex-options.js";
import type { Context } from "../runtime/base/context.js";
import { sleep } from "../runtime/base/timing.js";
import { checkHealth, type Health } from "../runtime/inspect/health.js";
import { inspectLock, listLocks } from "../runtime/inspect/inspect.js";
import { type LocksView, LockWatcher } from "../runtime/inspect/lock-watcher.js";
import type { Scopes } from "../runtime/scopes/scopes.js";
import {
  HEALTH_OPTIONS,
  type HealthOptions,
  LIST_OPTIONS,
  type ListOptions,
  WATCH_OPTIONS,
  type WatchOptions,
} from "./call-options.js";
import type { Locator } from "./locator.js";

/** The calls that inspect locks and change nothing: checks, names and keys. */
export class Observer {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #locator: Locator;
  readonly #scopes: Scopes;

  constructor(context: Context, settings: Settings, locator: Locator, scopes: Scopes) {
    this.#context = context;
    this.#settings = settings;
    this.#locator = locator;
    this.#scopes = scopes;
  }

  async inspect(lockName: string): Promise<LockReport | null> {
    const object = this.#locator.lock(lockName);
    this.#scopes.noteCall();
    return inspectLock(this.#context, object);
  }

  async health(options: HealthOptions): Promise<Health> {
    this.#scopes.noteCall();
    const { timeoutMs } = checkOptions("options", options, HEALTH_OPTIONS);
    const withinMs = withDefault("timeoutMs", timeoutMs, DEFAULT_HEALTH_MS, checkFiniteDuration);
    return checkHealth(this.#context, `${this.#settings.keyPrefix}.s3-mutex/health`, withinMs);
  }

  list(options: ListOptions): AsyncGenerator<LockReport> {
    this.#locator.checkOpen();
    this.#scopes.noteCall();
    const { prefix, signal, onProgress } = checkOptions("options", options, LIST_OPTIONS);
    return listLocks(this.#context, {
      ...this.#targetOf(prefix),
      signal: withDefault("signal", signal, undefined, checkSignal),
      onProgress: withDefault<ListOptions["onProgress"]>("onProgress", onProgress, undefined, checkFunction),
    });
  }

  watch(options: WatchOptions): AsyncGenerator<LocksView> {
    this.#locator.checkOpen();
    this.#scopes.noteCall();
    const { prefix, signal, intervalMs } = checkOptions("options", options, WATCH_OPTIONS);
    const watcher = new LockWatcher(this.#context, this.#targetOf(prefix));
    return this.#polls(
      watcher,
      withDefault("intervalMs", intervalMs, DEFAULT_INTERVAL_MS, checkFiniteDuration),
      withDefault("signal", signal, undefined, checkSignal),
    );
  }

  async *#polls(watcher: LockWatcher, intervalMs: number, given: AbortSignal | undefined): AsyncGenerator<LocksView> {
    const { effects, closing } = this.#context;
    const signal = given === undefined ? closing : AbortSignal.any([given, closing]);
    while (!signal.aborted) {
      const startedAtMs = effects.monotonicMs();
      const view = await watcher.poll(signal).catch((error) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (view === undefined) return;
      yield view;
      const leftMs = startedAtMs + intervalMs - effects.monotonicMs();
      await sleep(effects, Math.max(MIN_PAUSE_MS, leftMs), { keepAlive: true, signal });
    }
  }

  #targetOf(given: string | undefined) {
    const { keyPrefix, keyEncoding } = this.#settings;
    const namePrefix = withDefault("prefix", given, "", checkString);
    const isOf1x = keyEncoding === "1.x";
    return {
      keyPrefix: isOf1x ? startOf1xKeys(keyPrefix, namePrefix) : keyPrefixOfNames(keyPrefix, namePrefix),
      nameOf: (key: string) => {
        const name = nameOfKey(keyPrefix, key);
        return name !== undefined && (isOf1x || name.startsWith(namePrefix)) ? name : undefined;
      },
    };
  }
}

/** Gives the start of keys of 1.x: they cannot be turned into names again, so what they start with has to do. */
function startOf1xKeys(keyPrefix: string, namePrefix: string): string {
  const result = keyOfNameIn1x(keyPrefix, namePrefix);
  return result.ok ? result.key.replace(/\.json$/, "") : keyPrefix;
}

/** What people see as live, for a LIST every two seconds: $6.50 a month on S3. */
const DEFAULT_INTERVAL_MS = 2000;
/** Far above what a store takes that works, and below the five seconds that load balancers give a health check. */
const DEFAULT_HEALTH_MS = 2000;
/** However slow the store is: no poll follows upon the last at once. Ten a second are a small load for it. */
const MIN_PAUSE_MS = 100;
