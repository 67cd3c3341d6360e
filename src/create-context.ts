import type { S3Client } from "@aws-sdk/client-s3";
import { CAPACITY, type Capacity } from "./core/shares.js";
import { createCheck, unlessRefused } from "./create-check.js";
import { S3MutexError } from "./errors.js";
import type { S3MutexOptions, Settings } from "./options/mutex-options.js";
import { Activity } from "./runtime/base/activity.js";
import { Background, type Context, type Emit } from "./runtime/base/context.js";
import { Diagnostics } from "./runtime/base/diagnostics.js";
import { type Effects, realEffects } from "./runtime/base/effects.js";
import { NO_CHECK } from "./runtime/base/grant-check.js";
import { Holdings } from "./runtime/base/holdings.js";
import { type Log, logTo } from "./runtime/base/logger.js";
import { processWide } from "./runtime/base/process-wide.js";
import { StoreClock } from "./runtime/base/store-clock.js";
import { type AnswerTiming, MAX_FENCED_BYTES, type ObjectStore, type UnknownOutcome } from "./store/object-store.js";
import { createS3Client } from "./store/s3/client/client.js";
import { endpointOf } from "./store/s3/client/way.js";
import { S3Store } from "./store/s3/s3-store.js";
import { GuardedStore } from "./verify/guarded-store.js";

/** What simulation replaces: the store and the effects, and how soon a semaphore needs several records. */
export interface MutexInternals {
  readonly store: ObjectStore;
  readonly effects: Effects;
  /** How many permits of a semaphore go into how many records. @default CAPACITY */
  readonly capacity?: Capacity;
}

/** Puts together what one mutex works with; `stopWaiting` ends what waits, `shutDown` all requests, and the client if it is ours. */
export function createContext(
  options: S3MutexOptions,
  settings: Settings,
  internals: MutexInternals | undefined,
  emit: Emit,
): { readonly context: Context; readonly stopWaiting: () => void; readonly shutDown: () => void } {
  const effects = internals?.effects ?? realEffects;
  const client = internals === undefined ? clientOf(options) : undefined;
  const place = settings.publishHost ? { host: effects.host, pid: effects.pid } : undefined;
  const closing = new AbortController();
  const closed = new AbortController();
  const background = new Background();
  const guarded = (store: ObjectStore): ObjectStore => {
    if (settings.verify !== "once") return store;
    const signal = options.s3Client === undefined ? closed.signal : undefined;
    return new GuardedStore(store, { ...settings, client: client as S3Client, effects, signal });
  };
  const ownerId = settings.ownerId ?? `${place === undefined ? "" : `${place.host}:${place.pid}:`}${effects.newId()}`;
  const { bucketName, keyPrefix } = settings;
  const logger = logTo(settings.logger);
  const diagnostics = new Diagnostics({ ownerId, bucketName, keyPrefix });
  const opened = (store: ObjectStore, bucket: string) =>
    openUntil(closed.signal, background, diagnostics.watched(store, bucket, effects));
  const clock = client === undefined ? new StoreClock(effects) : clockOf(client, effects);
  const store = opened(internals?.store ?? guarded(storeOf(client as S3Client, settings, effects, logger)), bucketName);
  const tell: Emit = (name, event) => {
    diagnostics.publishEvent(name, event);
    emit(name, event);
  };
  const checking = { client, store, clock, effects, logger, background, emit: tell, bucketName, keyPrefix };
  const check = settings.verify === "auto" ? createCheck(checking) : NO_CHECK;
  const context: Context = {
    store: settings.verify === "auto" ? unlessRefused(store, check) : store,
    check,
    bucketName,
    endpoint: client === undefined ? {} : endpointOf(client),
    contentStore: (bucket) =>
      opened(internals?.store ?? contentStoreOf(client as S3Client, bucket, settings, effects), bucket),
    effects,
    clock,
    logger,
    background,
    closing: closing.signal,
    closed: closed.signal,
    ownerId,
    identity: {
      ...place,
      ...(settings.label === undefined ? {} : { label: settings.label }),
    },
    toleranceMs: settings.toleranceMs,
    takeover: settings.takeover,
    useJitter: settings.useJitter,
    capacity: internals?.capacity ?? CAPACITY,
    diagnostics,
    activity: new Activity(),
    holdings: new Holdings(),
    emit: tell,
  };
  const shutDown = () => {
    closed.abort();
    if (options.s3Client === undefined) client?.destroy();
  };
  return { context, stopWaiting: () => closing.abort(), shutDown };
}

function clientOf(options: S3MutexOptions): S3Client {
  return options.s3Client ?? createS3Client(options.s3ClientConfig);
}

function storeOf(client: S3Client, settings: Settings, effects: Effects, log: Log): ObjectStore {
  const { bucketName, keyPrefix, storeHeaders: headers, createBucketIfNotExists } = settings;
  const logger = { warn: (message: string) => log.warn(message) };
  return new S3Store({ client, bucketName, keyPrefix, headers, createBucketIfNotExists, logger, effects });
}

/** Stores are cheap: what they learn about a bucket is kept with the client. */
function contentStoreOf(client: S3Client, bucketName: string, settings: Settings, effects: Effects): ObjectStore {
  const { keyPrefix, storeHeaders: headers } = settings;
  return new S3Store({ client, bucketName, keyPrefix, headers, effects, maxBodyBytes: MAX_FENCED_BYTES });
}

/**
 * Refuses every request once the mutex is closed: a release that is still being tried again must not go on behind the caller's
 * back. Until then a write that was sent counts as work, so that closing waits for its answer.
 */
function openUntil(closed: AbortSignal, background: Background, store: ObjectStore): ObjectStore {
  const unlessClosed =
    <Arguments extends readonly unknown[], Outcome>(request: (...args: Arguments) => Promise<Outcome>) =>
    async (...args: Arguments): Promise<Outcome> => {
      if (closed.aborted) throw new S3MutexError("closed", "This mutex was closed before the store had answered.");
      return request(...args);
    };
  const tracked =
    <Arguments extends readonly unknown[], Outcome>(request: (...args: Arguments) => Promise<Outcome>) =>
    (...args: Arguments): Promise<Outcome> => {
      const answer = request(...args);
      background.run(answer.then(ignore, ignore));
      return answer;
    };
  return {
    read: unlessClosed(async (key, options) => {
      const outcome = await store.read(key, options);
      return outcome.kind === "unchanged" && options.ifNoneMatch === undefined ? unaskedNotModified(outcome) : outcome;
    }),
    write: unlessClosed(tracked((key, body, condition, options) => store.write(key, body, condition, options))),
    remove: unlessClosed(tracked((key, etag, options) => store.remove(key, etag, options))),
    list: unlessClosed((prefix, options) => store.list(prefix, options)),
  };
}

/** "Not modified" says nothing to a read without a condition. */
function unaskedNotModified({ timing }: { readonly timing: AnswerTiming }): UnknownOutcome {
  const error = new S3MutexError("store-unavailable", "A read without a condition was answered with 304 Not Modified");
  return { kind: "unknown", error, throttled: false, sent: true, timing };
}

function ignore(): void {}

/** One clock per client: whatever talks through it sees the same store. */
const clocks = processWide("clocks", () => new WeakMap<S3Client, StoreClock>());

function clockOf(client: S3Client, effects: Effects): StoreClock {
  const clock = clocks.get(client) ?? new StoreClock(effects);
  clocks.set(client, clock);
  return clock;
}
