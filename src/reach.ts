import { S3MutexError } from "./errors.js";
import type { StoreMutexOptions } from "./options/mutex-options.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import type { AllSettings } from "./options/settings.js";
import { checkStoreAlone } from "./options/store-option.js";
import { processWide } from "./process-wide.js";
import type { Effects } from "./runtime/base/effects.js";
import type { Log } from "./runtime/base/logger.js";
import { StoreClock } from "./runtime/base/store-clock.js";
import { settledWithin } from "./runtime/base/timing.js";
import {
  type EtagFormHint,
  MAX_FENCED_BYTES,
  type ObjectStore,
  type StoreAdapter,
  type UnknownOutcome,
} from "./store/object-store.js";
import { faultOfOutcome } from "./store/outcome-faults.js";

/** How a mutex reaches its store, and what is shared by all that reach it so. */
export interface Reached {
  readonly store: ObjectStore;
  /** The store of fenced objects in a bucket, whose bodies are larger. */
  readonly contentStore: (bucketName: string) => ObjectStore;
  readonly clock: StoreClock;
  /** Which URL it leads to, as soon as that is known. */
  readonly endpoint: { readonly url?: string | undefined };
  /** By what the check of `verify: "auto"` knows that two mutexes reach the same store. Undefined where nothing needs a check. */
  readonly check?: { readonly sharedBy: object; readonly way: () => Promise<string>; readonly etagForm?: EtagFormHint };
  /** Called when the mutex is closed. */
  readonly close?: () => void;
}

/** What is needed to reach a store. */
export interface Reaching {
  readonly options: S3MutexOptions;
  readonly settings: AllSettings;
  readonly effects: Effects;
  readonly logger: Log;
  /** Aborted when the mutex is closed. */
  readonly closed: AbortSignal;
}

/** How the locks of a kind of mutex are reached. */
export interface Reach {
  /** Checks what the options say of it, before any request. @returns what the place is called */
  bucketOf(options: S3MutexOptions): string;
  reach(reaching: Reaching): Reached;
}

/** By an adapter, and in no other way: nothing of it loads the AWS SDK. */
export const BY_STORE: Reach = {
  bucketOf: checkStoreAlone,
  reach: (reaching) => reachStore((reaching.options as StoreMutexOptions).store, reaching),
};

/** Reaches the store by an adapter of the caller's own. */
export function reachStore(adapter: StoreAdapter, { settings, effects }: Reaching): Reached {
  // What cannot be told is a way of its own: no proof of another way speaks for it, nor its own for another.
  const way = async () => (await wayOf(adapter, effects)) ?? effects.newId();
  const store = alwaysTelling(adapter);
  return {
    store,
    contentStore: (bucket) =>
      withLongBodies(bucket === settings.bucketName ? store : alwaysTelling(inBucket(adapter, bucket))),
    clock: clockOf(adapter, effects),
    endpoint: {},
    ...(adapter.isInProcess === true ? {} : { check: { sharedBy: adapter, way, ...formOf(adapter) } }),
  };
}

/** Asks an adapter for its way; undefined where it has none, throws, or says nothing for so long that it keeps its callers from their locks. */
async function wayOf(adapter: StoreAdapter, effects: Effects): Promise<string | undefined> {
  const asked = (async () => await adapter.way?.())().catch(() => undefined);
  return (await settledWithin(effects, asked, WAY_MS)) ? await asked : undefined;
}

const WAY_MS = 2000;

/** Passes on what an adapter says of ETags, which is a hint; one that throws gives none. */
function formOf({ etagForm }: StoreAdapter): { readonly etagForm?: EtagFormHint } {
  if (etagForm === undefined) return {};
  const attempt = <Result>(ask: () => Result) => {
    try {
      return ask();
    } catch {
      return undefined;
    }
  };
  return {
    etagForm: {
      known: () => (attempt(() => etagForm.known()) === "unquoted" ? "unquoted" : undefined),
      believe: (form) => attempt(() => etagForm.believe(form)),
    },
  };
}

function inBucket(adapter: StoreAdapter, bucket: string): ObjectStore {
  if (adapter.inBucket !== undefined) return adapter.inBucket(bucket);
  const message = `bucket is ${JSON.stringify(bucket)}: the store of this mutex reaches no other bucket (it has no inBucket()); leave it out, or use an adapter that has it.`;
  throw new S3MutexError("invalid-argument", message);
}

/**
 * Wraps an adapter: one that throws, or whose answer is not of the port, has not said what became of its request, so nothing is known,
 * least of all that nothing was done.
 */
function alwaysTelling(store: ObjectStore): ObjectStore {
  return {
    read: (...args) => told("read", () => store.read(...args)),
    write: (...args) => told("write", () => store.write(...args)),
    remove: (...args) => told("remove", () => store.remove(...args)),
    list: (...args) => told("list", () => store.list(...args)),
  };
}

/** Asks the adapter, and tells `unknown` also of one that throws before it has a promise to reject, or while its answer is looked at. */
async function told<Outcome>(
  operation: keyof ObjectStore,
  ask: () => Promise<Outcome>,
): Promise<Outcome | UnknownOutcome> {
  try {
    const outcome = await ask();
    const fault = faultOfOutcome(operation, outcome);
    return fault === undefined ? outcome : untold(`The store's answer to ${operation}() is not an outcome: ${fault}.`);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    return untold(`The store threw in place of an outcome: ${said}`, cause);
  }
}

function untold(message: string, cause?: unknown): UnknownOutcome {
  const error = new S3MutexError("store-unavailable", message, cause === undefined ? {} : { cause });
  return { kind: "unknown", error, throttled: false, sent: true };
}

function withLongBodies(store: ObjectStore): ObjectStore {
  return {
    read: (key, options) => store.read(key, { ...options, maxBodyBytes: MAX_FENCED_BYTES }),
    write: (...args) => store.write(...args),
    remove: (...args) => store.remove(...args),
    list: (...args) => store.list(...args),
  };
}

/** One clock for all that talk through the same client or adapter: they see the same store. */
const clocks = processWide("clocks", () => new WeakMap<object, StoreClock>());

export function clockOf(through: object, effects: Effects): StoreClock {
  const clock = clocks.get(through) ?? new StoreClock(effects);
  clocks.set(through, clock);
  return clock;
}
