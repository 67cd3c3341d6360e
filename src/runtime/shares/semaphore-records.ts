import { isWaiting } from "../../core/expiry.js";
import { compareRank } from "../../core/queue.js";
import { type LockRef, permitsOf, type Shares, type Waiter } from "../../core/record.js";
import { asOne, firstTooWide, isOneOfSeveral, numberIn, roomIn, type Share, shareIn } from "../../core/shares.js";
import type { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { MAX_REQUEST_MS } from "../base/timing.js";
import type { LockObject, Snapshot } from "../swap/lock-object.js";
import { isSameEtag } from "../swap/snapshot.js";

/** The records of one semaphore, as far as this process has seen them. */
export class SemaphoreRecords {
  readonly anchor: LockObject;
  readonly #context: Context;
  readonly #objectOf: (ref: LockRef) => LockObject;
  /** As they are used; some may be missing. */
  readonly #parts: (LockObject | undefined)[];
  readonly #polls = new Map<number, Promise<void>>();
  /** How many permits callers of this process are asking for, by record. */
  readonly #asked = new Map<number, number>();
  /** The version in which a record had no room for one more holder. */
  readonly #full = new Map<number, string | undefined>();
  #failure: { readonly error: S3MutexError; readonly atMs: number } | undefined;

  constructor(context: Context, anchor: LockObject, objectOf: (ref: LockRef) => LockObject) {
    this.#context = context;
    this.anchor = anchor;
    this.#objectOf = objectOf;
    this.#parts = [anchor];
  }

  /** Undefined where it has one record, or this process has not seen it. */
  get shares(): Shares | undefined {
    return this.anchor.latest?.record?.shares;
  }

  /** Whether the number of permits was ever set, as far as is known. */
  get isFound(): boolean {
    const record = this.anchor.latest?.record;
    return record?.shares !== undefined || (record !== undefined && !record.deleted);
  }

  refOf(part: number): LockRef {
    return { ...this.anchor.ref, part };
  }

  objectOf(part: number): LockObject {
    const known = this.#parts[part];
    if (known !== undefined) return known;
    const object = this.#objectOf(this.refOf(part));
    this.#parts[part] = object;
    return object;
  }

  /** Gives what a record is to have by what is known. */
  shareOf(part: number): Share {
    return shareIn(this.shares ?? { version: 0, permits: [] }, part);
  }

  /** Lists the records whose share is that large, in no particular order. */
  partsWith(permits: number): readonly number[] {
    return this.#shuffled((this.shares?.permits ?? []).flatMap((share, part) => (share >= permits ? [part] : [])));
  }

  /** Counts the permits free in a record beside all callers that ask for some, by what was seen last; undefined where nothing was. */
  roomIn(part: number): number | undefined {
    const object = this.objectOf(part);
    if (object.latest === undefined) return undefined;
    if (this.isFull(part)) return 0;
    const room = object.glance((record, attempt) => roomIn(record, this.shareOf(part), attempt));
    return room === undefined ? undefined : room - (this.#asked.get(part) ?? 0);
  }

  /** How many permits are free in the record that has most of them, for the next caller, by what was seen last. */
  get mostFree(): number {
    return Math.max(
      0,
      ...this.#known().map(
        (share) => this.objectOf(share.part).glance((record, attempt) => roomIn(record, share, attempt)) ?? 0,
      ),
    );
  }

  /** Finds the waiter that was before a caller of so many, where as many are free: it wants more than that. By what was seen last. */
  waiterBefore(permits: number): Waiter | undefined {
    return this.#known()
      .map(({ part, limit }) =>
        this.objectOf(part).glance((record, attempt) => {
          if (record === undefined) return undefined;
          const free = roomIn({ ...record, queue: [] }, { limit }, attempt);
          const waiters = record.queue.filter((waiter) => isWaiting(waiter, attempt)).sort(compareRank);
          return firstTooWide(waiters, free, permits);
        }),
      )
      .find((waiter) => waiter !== undefined);
  }

  /** Gives the shares that there are, as far as is known. */
  #known(): readonly Share[] {
    if (this.shares === undefined) return [{ part: 0, version: 0, limit: this.anchor.latest?.record?.limit ?? 0 }];
    return this.shares.permits.map((_, part) => this.shareOf(part));
  }

  /** Counts the permits of it that callers want, those of this process that are not in its queue yet included. */
  crowdAt(part: number): number {
    return permitsOf(this.objectOf(part).latest?.record?.queue ?? []) + (this.#asked.get(part) ?? 0);
  }

  /** Notes that a caller asks there from now on, until the function returned is called. */
  ask(part: number, permits: number): () => void {
    this.#asked.set(part, (this.#asked.get(part) ?? 0) + permits);
    return () => this.#asked.set(part, (this.#asked.get(part) ?? 0) - permits);
  }

  /** Notes that there are permits in it and no room for one more holder, in the version that was seen last. */
  noteFull(part: number): void {
    this.#full.set(part, this.objectOf(part).latest?.etag);
  }

  isFull(part: number): boolean {
    const { latest } = this.objectOf(part);
    return this.#full.has(part) && latest !== undefined && isSameEtag(this.#full.get(part), latest.etag);
  }

  /** Says whether a record was polled within so many milliseconds. */
  wasSeenWithin(part: number, ms: number): boolean {
    return this.wasSeenSince(part, this.#context.effects.monotonicMs() - ms);
  }

  /** Says whether what is known of a record was asked for since this monotonic time. */
  wasSeenSince(part: number, monotonicMs: number): boolean {
    const { latest } = this.objectOf(part);
    return latest !== undefined && latest.askedAtMs >= monotonicMs;
  }

  /** Says whether any of them was told of by an answer to what was asked since then. */
  hasAnsweredSince(monotonicMs: number): boolean {
    return this.#parts.some((object) => (object?.latest?.askedAtMs ?? Number.NEGATIVE_INFINITY) >= monotonicMs);
  }

  /** Notes what a request about one of them came to in place of an answer. */
  readonly noteFailure = (error?: S3MutexError): void => {
    if (error !== undefined) this.#failure = { error, atMs: this.#context.effects.monotonicMs() };
  };

  /** Gives the last of those since then. */
  failureSince(monotonicMs: number): S3MutexError | undefined {
    return this.#failure !== undefined && this.#failure.atMs >= monotonicMs ? this.#failure.error : undefined;
  }

  /** Looks at a record, once for all who want that at the same time. Never rejects: who asks there is told what is wrong. */
  poll(part: number): Promise<void> {
    const polling = this.#polls.get(part) ?? this.#poll(part).finally(() => this.#polls.delete(part));
    this.#polls.set(part, polling);
    return polling;
  }

  async #poll(part: number): Promise<void> {
    const found = await this.objectOf(part)
      .ask({ timeoutMs: MAX_REQUEST_MS, onRefusal: this.noteFailure })
      .catch((error) => ({ kind: "unknown", error }) as const);
    if (found.kind === "unknown") this.noteFailure(found.error);
    const version = found.kind === "unknown" ? 0 : (found.snapshot.record?.sharesVersion ?? 0);
    // The number was changed, and this process does not know it yet.
    if (part > 0 && version > (this.shares?.version ?? 0)) await this.poll(0);
  }

  /** What all records say as far as they were seen, as if they were one. */
  get seen(): Snapshot | undefined {
    const { latest } = this.anchor;
    if (latest?.record?.shares === undefined) return latest;
    return { ...latest, record: asOne(latest.record, this.#others()) };
  }

  #others() {
    return this.#parts.slice(1).flatMap((object) => {
      const record = object?.latest?.record;
      return record === undefined || !isOneOfSeveral(record) ? [] : [record];
    });
  }

  /** For messages. */
  get extent(): {
    readonly number: number;
    readonly records: number;
    readonly largest: number;
    readonly holders: number;
  } {
    const { version, permits } = this.shares ?? { version: 0, permits: [0] };
    return {
      number: numberIn({ version, permits }),
      records: permits.length,
      largest: Math.max(...permits),
      holders: this.seen?.record?.holders.length ?? 0,
    };
  }

  #shuffled(parts: readonly number[]): readonly number[] {
    const { effects } = this.#context;
    const keyed = parts.map((part) => ({ part, key: effects.random() }));
    return keyed.sort((one, other) => one.key - other.key).map(({ part }) => part);
  }
}

const known = new WeakMap<LockObject, SemaphoreRecords>();

/** Gives all callers that use a semaphore of this name through one mutex the same records. */
export function recordsOf(
  context: Context,
  anchor: LockObject,
  objectOf: (ref: LockRef) => LockObject,
): SemaphoreRecords {
  const records = known.get(anchor) ?? new SemaphoreRecords(context, anchor, objectOf);
  known.set(anchor, records);
  return records;
}
