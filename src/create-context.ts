import { CAPACITY, type Capacity } from "./core/shares.js";
import { createCheck, unlessRefused } from "./create-check.js";
import { S3MutexError } from "./errors.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import type { AllSettings } from "./options/settings.js";
import type { Reach, Reached } from "./reach.js";
import { Activity } from "./runtime/base/activity.js";
import { Background, type Context, type Emit } from "./runtime/base/context.js";
import { Diagnostics } from "./runtime/base/diagnostics.js";
import { type Effects, realEffects } from "./runtime/base/effects.js";
import { NO_CHECK } from "./runtime/base/grant-check.js";
import { Holdings } from "./runtime/base/holdings.js";
import { logTo } from "./runtime/base/logger.js";
import { StoreClock } from "./runtime/base/store-clock.js";
import type { AnswerTiming, ObjectStore, UnknownOutcome } from "./store/object-store.js";

/** What simulation replaces: the store and the effects, and how soon a semaphore needs several records. */
export interface MutexInternals {
  readonly store: ObjectStore;
  readonly effects: Effects;
  /** How many permits of a semaphore go into how many records. @default CAPACITY */
  readonly capacity?: Capacity;
}

interface Surroundings {
  readonly internals: MutexInternals | undefined;
  readonly reach: Reach;
  readonly emit: Emit;
}

/** Puts together what one mutex works with; `stopWaiting` ends what waits, `shutDown` all requests, and the client if it is ours. */
export function createContext(
  options: S3MutexOptions,
  settings: AllSettings,
  { internals, reach, emit }: Surroundings,
): { readonly context: Context; readonly stopWaiting: () => void; readonly shutDown: () => void } {
  const effects = internals?.effects ?? realEffects;
  const host = settings.publishHost ? effects.host : undefined;
  const place = host === undefined ? undefined : { host, pid: effects.pid };
  const closing = new AbortController();
  const closed = new AbortController();
  const background = new Background();
  const ownerId = settings.ownerId ?? `${place === undefined ? "" : `${place.host}:${place.pid}:`}${effects.newId()}`;
  const { bucketName, keyPrefix } = settings;
  const logger = logTo(settings.logger);
  const diagnostics = new Diagnostics({ ownerId, bucketName, keyPrefix });
  const opened = (store: ObjectStore, bucket: string) =>
    openUntil(closed.signal, background, diagnostics.watched(store, bucket, effects));
  const reaching = { options, settings, effects, logger, closed: closed.signal };
  const reached = internals === undefined ? reach.reach(reaching) : given(internals);
  const { clock, endpoint } = reached;
  const store = opened(reached.store, bucketName);
  const tell: Emit = (name, event) => {
    diagnostics.publishEvent(name, event);
    emit(name, event);
  };
  const isChecked = settings.verify === "auto" && reached.check !== undefined;
  const checking = { ...reached.check, store, clock, effects, logger, background, emit: tell, bucketName, keyPrefix };
  const check = isChecked ? createCheck(checking) : NO_CHECK;
  const context: Context = {
    store: isChecked ? unlessRefused(store, check) : store,
    check,
    bucketName,
    endpoint,
    contentStore: (bucket) => opened(reached.contentStore(bucket), bucket),
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
    reached.close?.();
  };
  return { context, stopWaiting: () => closing.abort(), shutDown };
}

/** Gives what a simulation reaches, and shares nothing of it: each of its processes has its own. */
function given({ store, effects }: MutexInternals): Reached {
  const check = { sharedBy: {}, way: async () => "given" };
  return { store, contentStore: () => store, clock: new StoreClock(effects), endpoint: {}, check };
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

/** Turns "not modified" into `unknown`: it says nothing to a read without a condition. */
function unaskedNotModified({ timing }: { readonly timing: AnswerTiming }): UnknownOutcome {
  const error = new S3MutexError("store-unavailable", "A read without a condition was answered with 304 Not Modified");
  return { kind: "unknown", error, throttled: false, sent: true, timing };
}

function ignore(): void {}
