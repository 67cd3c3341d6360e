import { checkDuration, checkLease, checkPriority, checkSignal, withDefault } from "../../arguments/checks.js";
import { S3MutexError } from "../../errors.js";
import { callTimesOf } from "../../runtime/acquire/patience.js";
import { type PollElsewhere, pollElsewhereOf } from "../../runtime/acquire/poll-elsewhere.js";
import {
  AskElsewhere,
  largerThanShares,
  noRoomAnywhere,
  tooFew,
  tooManyAtOnce,
  unanswered,
} from "../../runtime/acquire/refusals.js";
import { throwIfAborted, unlessAborted } from "../../runtime/base/abort.js";
import { wasClosed } from "../../runtime/base/closed.js";
import type { Context } from "../../runtime/base/context.js";
import { settledWithin, sleep } from "../../runtime/base/timing.js";
import { foundSemaphore, resizeSemaphore } from "../../runtime/shares/resize-semaphore.js";
import type { SemaphoreRecords } from "../../runtime/shares/semaphore-records.js";
import type { AcquireCall } from "../acquire-call.js";
import type { Acquirer } from "../acquirer.js";
import type { HeldLock } from "../lock.js";

/** A call for permits of a semaphore with several records. */
export type PermitsCall = AcquireCall & { readonly permits: number; readonly limit: number | "stored" };

/** What is the same however many records one call asks. */
interface Terms {
  readonly call: PermitsCall;
  readonly startedAtMs: number;
  readonly patienceMs: number;
  readonly leaseMs: number;
  readonly priority: number;
  readonly signal: AbortSignal | undefined;
  readonly times: ReturnType<typeof callTimesOf>;
}

/** A record to ask, where other callers of this process count on what this one asks for. */
interface Target {
  readonly part: number;
  readonly forget: () => void;
}

/** What has come of asking one record. */
type Asked =
  | { readonly kind: "granted"; readonly lock: HeldLock }
  | { readonly kind: "none" }
  /** There is room in another one, and the place in this one's queue is given up. */
  | { readonly kind: "moved"; readonly to: Target }
  /** It has no room for one more holder, or this process knew other shares. */
  | { readonly kind: "elsewhere" };

/**
 * Takes permits out of one of a semaphore's records: one where some are free, as far as a poll shows; or else a place in the queue of
 * one of them, until there is room there or in another. A call never asks two records at once, so it never has two grants; its
 * arrival goes with it from queue to queue.
 */
export class SeveralRecords {
  readonly #context: Context;
  readonly #acquirer: Acquirer;
  readonly #records: SemaphoreRecords;
  readonly #elsewhere: PollElsewhere;
  readonly #defaultLeaseMs: number;

  constructor(context: Context, acquirer: Acquirer, records: SemaphoreRecords, defaultLeaseMs: number) {
    this.#context = context;
    this.#acquirer = acquirer;
    this.#records = records;
    this.#elsewhere = pollElsewhereOf(context, records);
    this.#defaultLeaseMs = defaultLeaseMs;
  }

  /** What is known of them. */
  get records(): SemaphoreRecords {
    return this.#records;
  }

  /** Changes the number for all callers; waiters of this process are told. @returns the number before */
  async resize(number: number): Promise<number | undefined> {
    const from = await resizeSemaphore(this.#context, this.#records, number);
    for (const part of this.#records.partsWith(0)) {
      this.#acquirer.limitChanged(this.#records.objectOf(part));
      this.#elsewhere.moveTo(part);
    }
    if (this.#records.shares === undefined) this.#acquirer.limitChanged(this.#records.anchor);
    return from;
  }

  /** Takes permits; undefined when there were not so many in time. Where there turns out to be one record after all, none was asked. */
  async take(call: PermitsCall): Promise<HeldLock | undefined | "one-record"> {
    const terms = this.#termsOf(call);
    if (typeof call.limit === "number") await this.#found(terms, call.limit);
    const tried = new Set<number>();
    for (let moving: Target | undefined, isFirst = true; ; isFirst = false) {
      if (this.#records.shares === undefined) return "one-record";
      this.#check(call);
      const target = moving ?? (await this.#choose(terms, tried)) ?? this.#lastResort(terms);
      if (target === undefined) return this.#throwUnlessTold(terms, tried);
      if (!isFirst && this.#nowMs() >= terms.times.attemptUntilMs) return this.#tooLate(target, terms);
      const asked = await this.#ask(target, terms);
      if (asked.kind === "granted") return asked.lock;
      if (asked.kind === "none" && terms.patienceMs > 0) return undefined;
      if (asked.kind === "none") tried.add(target.part);
      moving = asked.kind === "moved" ? asked.to : undefined;
    }
  }

  /** Throws unless every record that might have a free permit has said since the call began that it has not. */
  #throwUnlessTold({ call, startedAtMs, signal }: Terms, tried: ReadonlySet<number>): undefined {
    const { name } = this.#records.anchor;
    if (this.#context.closing.aborted) throw wasClosed(name);
    throwIfAborted(name, signal);
    const isTold = (part: number) => tried.has(part) || this.#records.wasSeenSince(part, startedAtMs);
    if (!this.#records.partsWith(call.permits).every(isTold)) throw this.#unanswered(startedAtMs);
  }

  #unanswered(startedAtMs: number): S3MutexError {
    return unanswered(this.#records.anchor.name, this.#nowMs() - startedAtMs, this.#records.failureSince(startedAtMs));
  }

  /** Ends a call whose time is up before the next record was asked. */
  #tooLate({ part, forget }: Target, { call, startedAtMs: since }: Terms): undefined {
    forget();
    const isFree = (this.#records.roomIn(part) ?? 0) >= call.permits;
    if (isFree) throw tooManyAtOnce(this.#records.anchor, this.#nowMs() - since);
  }

  /** Picks a queue to wait in where there is no room anywhere; one attempt is over then. */
  #lastResort({ call, patienceMs }: Terms): Target | undefined {
    return patienceMs === 0 ? undefined : this.#targetOf(this.#shortestQueue(call), call);
  }

  #termsOf(call: PermitsCall): Terms {
    const { options } = call;
    const patienceMs = withDefault("timeoutMs", options.timeoutMs, call.patienceMs, checkDuration);
    const leaseMs = withDefault("leaseMs", options.leaseMs, this.#defaultLeaseMs, checkLease);
    const startedAtMs = this.#nowMs();
    return {
      call,
      startedAtMs,
      patienceMs,
      leaseMs,
      priority: withDefault("priority", options.priority, 0, checkPriority),
      signal: withDefault("signal", options.signal, undefined, checkSignal),
      times: callTimesOf(startedAtMs, { patienceMs, leaseMs }),
    };
  }

  /** Reads the first record, and makes it where the semaphore was not used yet: once for all callers that want that at the same time. */
  async #found(terms: Terms, number: number): Promise<void> {
    const { signal } = terms;
    const { name } = this.#records.anchor;
    const { closing } = this.#context;
    while (!this.#records.isFound) {
      throwIfAborted(name, signal);
      if (closing.aborted) throw wasClosed(name);
      const founding = foundSemaphore(this.#context, this.#records, number);
      await this.#settled(founding, terms);
      const isLate = this.#nowMs() >= this.#untilMs(terms);
      if (isLate && !this.#records.isFound) throw this.#unanswered(terms.startedAtMs);
      if (!signal?.aborted && !closing.aborted) await founding;
    }
  }

  /** Says until when one record may answer: where none has answered this call yet, not longer than a store may be silent. */
  #untilMs({ startedAtMs, times }: Terms): number {
    return this.#records.hasAnsweredSince(startedAtMs) ? times.attemptUntilMs : times.silentUntilMs;
  }

  /** @throws `invalid-argument`, `permits-differ`: no waiting would change anything */
  #check({ permits, limit }: PermitsCall): void {
    const { anchor, shares } = this.#records;
    if (shares === undefined || permits <= Math.min(...shares.permits)) return;
    const { extent } = this.#records;
    if (permits > extent.number) throw tooFew(anchor, { permits, limit }, extent.number);
    if (permits > extent.largest) throw largerThanShares(anchor, { permits }, extent);
  }

  /** Chooses a record in which there is room by what a poll has shown just now; undefined where there is none in any. */
  async #choose(terms: Terms, tried: ReadonlySet<number>): Promise<Target | undefined> {
    const { startedAtMs, patienceMs } = terms;
    const { permits } = terms.call;
    const { closing } = this.#context;
    const seen = new Set<number>();
    const isFresh = (part: number) => seen.has(part) || this.#records.wasSeenWithin(part, FRESH_MS);
    // One attempt is not told that all is taken by what was seen before it began.
    const isTold = (part: number) => (patienceMs > 0 ? isFresh(part) : this.#records.wasSeenSince(part, startedAtMs));
    const hasRoom = (part: number) => (this.#records.roomIn(part) ?? 0) >= permits;
    for (;;) {
      const parts = this.#records.partsWith(permits).filter((part) => !tried.has(part));
      const emptier = this.#emptier(parts.filter((part) => isFresh(part) && hasRoom(part)));
      const unseen = parts.filter((part) => !seen.has(part) && !isTold(part)).slice(0, POLLS_AT_ONCE);
      const leftMs = this.#untilMs(terms) - this.#nowMs();
      if (emptier !== undefined) return this.#targetOf(emptier, terms.call);
      if (unseen.length === 0 || leftMs <= 0 || terms.signal?.aborted || closing.aborted) return undefined;
      await this.#settled(Promise.all(unseen.map((part) => this.#records.poll(part))), terms);
      for (const part of unseen) seen.add(part);
    }
  }

  /** Waits for what is asked of the store. A request that hangs does not keep a caller that has stopped waiting. */
  async #settled(asking: Promise<unknown>, terms: Terms): Promise<void> {
    const { closing, effects } = this.#context;
    const answer = unlessAborted(asking, closing);
    const leftMs = this.#untilMs(terms) - this.#nowMs();
    await settledWithin(effects, terms.signal ? unlessAborted(answer, terms.signal) : answer, leftMs);
  }

  #targetOf(part: number, { permits }: PermitsCall): Target {
    return { part, forget: this.#records.ask(part, permits) };
  }

  /** Picks the emptier of two by chance: all that poll at the same time would go to the emptiest of all. */
  #emptier([one, other]: readonly number[]): number | undefined {
    if (one === undefined || other === undefined) return one;
    return (this.#records.roomIn(other) ?? 0) > (this.#records.roomIn(one) ?? 0) ? other : one;
  }

  /** Picks where to wait. @throws `invalid-argument` where permits are free, and no record that has some has room for one more holder */
  #shortestQueue({ permits }: PermitsCall): number {
    const parts = this.#records.partsWith(permits);
    const isFull = parts.some((part) => this.#records.isFull(part));
    if (isFull) throw noRoomAnywhere(this.#records.anchor, this.#records.extent);
    const crowds = parts.map((part) => ({ part, crowd: this.#records.crowdAt(part) }));
    const [shortest] = crowds.sort((one, other) => one.crowd - other.crowd);
    return shortest?.part ?? 0;
  }

  /** Asks one record, and waits in its queue for as long as there is no room elsewhere. */
  async #ask({ part, forget }: Target, terms: Terms): Promise<Asked> {
    const { call, priority, signal, startedAtMs, patienceMs } = terms;
    const moving = new AbortController();
    let isAsking = false;
    let to: Target | undefined;
    const rank = { id: this.#context.effects.newId(), priority, sinceMs: startedAtMs };
    const move = (other: number) => {
      to = this.#targetOf(other, call);
      moving.abort();
    };
    const stopLooking =
      patienceMs > 0
        ? this.#elsewhere.add({ ...rank, part, permits: call.permits, isAsking: () => isAsking, move })
        : () => {};
    const waitedBeforeMs = this.#nowMs() - startedAtMs;
    const options = {
      ...call.options,
      timeoutMs: Math.max(0, patienceMs - waitedBeforeMs),
      signal: signal === undefined ? moving.signal : AbortSignal.any([signal, moving.signal]),
    };
    const share = this.#records.shareOf(part);
    try {
      const lock = await this.#acquirer.handle(this.#records.refOf(part), {
        ...call,
        options,
        share,
        onAsking: (isUnderWay) => {
          isAsking = isUnderWay;
        },
        limit: share.limit,
        waitedBeforeMs: waitedBeforeMs + (call.waitedBeforeMs ?? 0),
        // One attempt waits for its turn at that record besides.
        attemptUntilMs: patienceMs === 0 ? terms.times.queueUntilMs : this.#untilMs(terms),
      });
      to?.forget();
      if (lock === undefined) return { kind: "none" };
      lock.lease.onEnd(() => this.#elsewhere.moveTo(part));
      return { kind: "granted", lock };
    } catch (error) {
      if (to !== undefined && !signal?.aborted && S3MutexError.is(error, "aborted")) return { kind: "moved", to };
      (to as Target | undefined)?.forget();
      if (!(error instanceof AskElsewhere)) throw error;
      await this.#learn(part, error);
      return { kind: "elsewhere" };
    } finally {
      stopLooking();
      forget();
    }
  }

  /** Learns from a record what keeps a caller from waiting there. */
  async #learn(part: number, { why }: AskElsewhere): Promise<void> {
    if (why === "full") return this.#records.noteFull(part);
    const { version } = this.#records.shares ?? {};
    await this.#records.poll(0);
    // The record was changed before the first one was answered about: an old answer, out of a cache.
    if (version === this.#records.shares?.version) {
      await sleep(this.#context.effects, AGAIN_MS, { keepAlive: true, signal: this.#context.closing });
    }
  }

  #nowMs(): number {
    return this.#context.effects.monotonicMs();
  }
}

/** What was seen so long ago is polled again before a caller waits there. */
const FRESH_MS = 1000;
/** One of so many mostly has room; to read all forty would cost every caller ten times as much. */
const POLLS_AT_ONCE = 4;
/** A few round trips: what a cache has kept is gone, or will not be for longer than a caller should ask. */
const AGAIN_MS = 100;
