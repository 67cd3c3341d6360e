import type { EventEmitter } from "node:events";
import { CallsByName } from "./compat-1x/calls-by-name.js";
import type { LockRef } from "./core/record.js";
import { createContext, type MutexInternals } from "./create-context.js";
import { refuseUnknownEvents } from "./options/event-names.js";
import type { Settings } from "./options/mutex-options.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import { settingsOf } from "./options/settings.js";
import { Acquirer } from "./primitives/acquirer.js";
import { Closing } from "./primitives/closing.js";
import { Election, type ElectionOptions } from "./primitives/election/election.js";
import { HandleCalls } from "./primitives/handle-calls.js";
import { Locator } from "./primitives/locator.js";
import { Observer } from "./primitives/observer.js";
import { Once } from "./primitives/once/run-once.js";
import { Semaphore, type SemaphoreOptions } from "./primitives/semaphore/semaphore.js";
import { SeveralRecords } from "./primitives/semaphore/several-records.js";
import type { Reach } from "./reach.js";
import { LocalQueues } from "./runtime/acquire/local-queue.js";
import type { Context, Emit } from "./runtime/base/context.js";
import type { S3MutexEvents } from "./runtime/base/events.js";
import { hearRejections, tellListeners } from "./runtime/base/listeners.js";
import { Scopes } from "./runtime/scopes/scopes.js";
import { recordsOf } from "./runtime/shares/semaphore-records.js";

export type { MutexInternals } from "./create-context.js";

/** What a mutex consists of: each part has the calls of one kind. */
export interface Parts {
  readonly context: Context;
  /** Where its locks are. */
  readonly place: Pick<Settings, "bucketName" | "keyPrefix">;
  readonly handles: HandleCalls;
  readonly byName: CallsByName;
  readonly observer: Observer;
  readonly once: Once;
  readonly closing: Closing;
  semaphore(name: string, options: SemaphoreOptions): Semaphore;
  election(name: string, options: ElectionOptions): Election;
}

/** Puts a mutex together: what happens is told by its events. */
export function createParts(
  emitter: EventEmitter<S3MutexEvents>,
  options: S3MutexOptions,
  internals: MutexInternals | undefined,
  reach: Reach,
): Parts {
  const settings = settingsOf(options, reach.bucketOf);
  const emit: Emit = (name, event) => tellListeners(emitter, { logger: context.logger, name, event });
  const { context, stopWaiting, shutDown } = createContext(options, settings, { internals, reach, emit });
  hearRejections(emitter, context.logger);
  refuseUnknownEvents(emitter);
  const scopes = new Scopes();
  const localQueues = new LocalQueues(context);
  const releaseHandles = () => acquirer.releaseHandles();
  const closing = new Closing(context, { stopWaiting, releaseHandles, shutDown });
  const locator = new Locator(context, settings, () => closing.hasBegun);
  const objectOf = (ref: LockRef) => locator.objectOf(ref);
  const acquirer = new Acquirer(context, settings, localQueues, objectOf);
  const handles = new HandleCalls(context, settings, acquirer, locator, scopes);
  return {
    context,
    place: { bucketName: settings.bucketName, keyPrefix: settings.keyPrefix },
    handles,
    byName: new CallsByName(context, settings, { acquirer, localQueues, locator, scopes }),
    observer: new Observer(context, settings, locator, scopes),
    once: new Once(context, settings, locator, scopes, handles),
    closing,
    semaphore(name, semaphoreOptions) {
      const records = recordsOf(context, objectOf({ kind: "semaphore", name }), objectOf);
      const several = new SeveralRecords(context, acquirer, records, settings.leaseMs);
      return new Semaphore(context, acquirer, scopes, several, semaphoreOptions);
    },
    election: (name, electionOptions) => new Election(context, acquirer, scopes, locator.lock(name), electionOptions),
  };
}
