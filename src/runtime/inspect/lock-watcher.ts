import { anchorOfPart } from "../../core/names.js";
import type { LockReport } from "../../core/report.js";
import { S3MutexError } from "../../errors.js";
import type { ObjectStore } from "../../store/object-store.js";
import type { Context } from "../base/context.js";
import { inParallel } from "../base/in-parallel.js";
import type { Log } from "../base/logger.js";
import { LockObject } from "../swap/lock-object.js";
import { isSameEtag } from "../swap/snapshot.js";
import { otherKeysOf, READS_AT_ONCE, reportAboutRecord, reportOfSnapshot, wholeOf } from "./inspect.js";
import { pagesOfKeys } from "./list-keys.js";
import { Outage } from "./outage.js";

/** All locks under a prefix as one look saw them. */
export interface LocksView {
  /** In the order of their keys. */
  readonly locks: readonly LockReport[];
  /** The names of those that are new or have changed since the look before; all of them in the first. */
  readonly changed: readonly string[];
  /** The names of those that are gone since the look before. */
  readonly removed: readonly string[];
  /** Requests so far, all looks together. */
  readonly requests: { readonly list: number; readonly get: number };
  /** How long this look took, in milliseconds. */
  readonly tookMs: number;
  /** Why this look has failed: the locks are those of the look before then. */
  readonly error?: S3MutexError;
}

/** What is looked at. */
export interface WatchTarget {
  /** What the keys start with. */
  readonly keyPrefix: string;
  /** The name of the lock under a key; undefined for keys that are not wanted. */
  readonly nameOf: (key: string) => string | undefined;
}

interface Entry {
  readonly object: LockObject;
  /** The report of an object that could not be read; others are made anew from the record, for time passes. */
  readonly failure?: LockReport;
  /** It is one of the further records of a semaphore, and told of with the first. */
  readonly isPart?: boolean;
}

/**
 * Polls all locks again and again, reading only what has changed: a LIST has the ETags, so a poll of locks that have not
 * changed costs one request for each thousand of them.
 */
export class LockWatcher {
  readonly #context: Context;
  readonly #target: WatchTarget;
  readonly #requests = { list: 0, get: 0 };
  readonly #changed = new Set<string>();
  #entries = new Map<string, Entry>();
  #hasSeen = false;
  /** Whether it has been said that the store is away, since it answered last: each look would say so. */
  #hasWarned = false;

  constructor(context: Context, target: WatchTarget) {
    const warn: Log["warn"] = (text, fields) => {
      if (!this.#hasWarned) context.logger.warn(text, fields);
      this.#hasWarned = true;
    };
    const logger = { ...context.logger, warn };
    this.#context = { ...context, logger, store: countingStore(context.store, this.#requests) };
    this.#target = target;
  }

  /** Polls once. A watcher goes on when the store is back; only a refusal in the first poll is thrown. */
  async poll(signal?: AbortSignal): Promise<LocksView> {
    const { effects } = this.#context;
    const startedAtMs = effects.monotonicMs();
    const view = (changed: readonly string[], removed: readonly string[]): LocksView => ({
      locks: this.#reports(),
      changed,
      removed,
      requests: { ...this.#requests },
      tookMs: effects.monotonicMs() - startedAtMs,
    });
    try {
      const entries = await this.#readChanged(signal);
      const removed = [...this.#entries].flatMap(([key, { object, isPart }]) =>
        entries.has(key) || isPart ? [] : [object.name],
      );
      const changed = [...this.#changed];
      this.#entries = entries;
      this.#hasSeen = true;
      this.#hasWarned = false;
      this.#changed.clear();
      return view(changed, removed);
    } catch (error) {
      if (signal?.aborted || !S3MutexError.is(error)) throw error;
      if (!this.#hasSeen && error.code !== "store-unavailable") throw error;
      this.#context.logger.warn("a look at all locks has failed, and those that follow go on", { err: error });
      return { ...view([], []), error };
    }
  }

  #reports(): LockReport[] {
    // What the listing shows unchanged is not read again: it is as it was, and its lease may have ended since.
    const nowMs = this.#context.effects.monotonicMs();
    return [...this.#entries.values()].flatMap(({ object, failure, isPart }) => {
      const report = failure ?? this.#reportOf(object, nowMs);
      return report === undefined || isPart ? [] : [report];
    });
  }

  #reportOf(object: LockObject, nowMs: number): LockReport | undefined {
    if (object.latest === undefined) return undefined;
    const others = otherKeysOf(object.key, object.latest).map((key) => this.#entries.get(key));
    const failure = others.find((other) => other?.failure !== undefined)?.failure;
    const whole = wholeOf(
      object.latest,
      others.map((other) => other?.object.latest),
    );
    return failure ?? reportOfSnapshot(this.#context, object, whole, nowMs);
  }

  async #readChanged(signal: AbortSignal | undefined): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    const unread: LockObject[] = [];
    for await (const { keys, etags } of pagesOfKeys(this.#context, this.#target.keyPrefix, signal)) {
      for (const key of keys) {
        const entry = this.#entries.get(key) ?? this.#newEntry(key);
        if (entry === undefined) continue;
        entries.set(key, entry);
        const held = entry.object.latest?.etag;
        const isKnown = held !== undefined && isSameEtag(held, etags.get(key));
        if (entry.failure !== undefined || !isKnown) unread.push(entry.object);
      }
    }
    const outage = new Outage(this.#context.effects);
    await inParallel(unread, READS_AT_ONCE, async (object) => {
      const { isPart = false } = entries.get(object.key) ?? {};
      entries.set(object.key, { ...(await this.#read(object, signal, outage)), isPart });
    });
    return entries;
  }

  #newEntry(key: string): Entry | undefined {
    const anchorKey = anchorOfPart(key);
    const name = this.#target.nameOf(anchorKey ?? key);
    if (name === undefined) return undefined;
    const object = new LockObject(this.#context, { name }, key);
    return anchorKey === undefined ? { object } : { object, isPart: true };
  }

  async #read(object: LockObject, signal: AbortSignal | undefined, outage: Outage): Promise<Entry> {
    const before = object.latest?.etag;
    const report = await reportAboutRecord(this.#context, object, signal, outage);
    const isFailure = report?.state === "unreadable" && object.latest?.unreadable === undefined;
    if (isFailure || before === undefined || object.latest?.etag !== before) this.#changed.add(object.name);
    return isFailure ? { object, failure: report } : { object };
  }
}

function countingStore(store: ObjectStore, counts: { list: number; get: number }): ObjectStore {
  return {
    read(key, options) {
      counts.get += 1;
      return store.read(key, options);
    },
    list(prefix, options) {
      counts.list += 1;
      return store.list(prefix, options);
    },
    write: (key, body, condition, options) => store.write(key, body, condition, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
  };
}
