import { type Attempt, isExpired } from "../../core/expiry.js";
import { areCompatible, type Hold, type Holder, isReleased, type LockRecord, refKey } from "../../core/record.js";
import { describeParty } from "../../core/report.js";
import { type CycleEdge, describeCycle, isSameCycle, searchCycle } from "../../core/waits/deadlock.js";
import { S3MutexError } from "../../errors.js";
import { unlessAborted } from "../base/abort.js";
import type { Context } from "../base/context.js";
import { MAX_REQUEST_MS, sleep } from "../base/timing.js";
import { toPublicEdge } from "../hold/deadlock-edge.js";
import { BARE_HOLDS_AFTER_MS } from "../scopes/scope.js";
import type { LockObject } from "../swap/lock-object.js";
import type { AcquireRequest } from "./acquire-request.js";

/**
 * Finds out whether a waiter is the victim of a deadlock. Being in one is stable, so a cycle counts only when a second search,
 * begun after the first has ended, sees the same waits for the same holds.
 */
export class DeadlockWatch {
  readonly #context: Context;
  readonly #wanted: LockObject;
  readonly #request: Watched;
  #nextAfterMs = FIRST_SEARCH_MS;
  /** Since when the entry has said that something is held up, counted from the beginning of the wait. */
  #shownAtMs: number | undefined;

  constructor(context: Context, wanted: LockObject, request: Watched) {
    this.#context = context;
    this.#wanted = wanted;
    this.#request = request;
  }

  /** Lets a rest last no longer than until what bare calls hold counts, and until it is time to search for those that it holds up. */
  restMs(delayMs: number, waitedMs: number): number {
    const isLate = waitedMs >= BARE_HOLDS_AFTER_MS;
    const lateMs = isLate ? LATE_SEARCH_MS : BARE_HOLDS_AFTER_MS - waitedMs;
    if (lateMs >= delayMs || (isLate && this.#shownAtMs !== undefined && waitedMs > this.#shownAtMs + LATE_SEARCH_MS))
      return delayMs;
    const { holds } = this.#request;
    const counts = holds(Number.POSITIVE_INFINITY).length - holds(0).length;
    return counts > 0 ? Math.max(lateMs, 1) : delayMs;
  }

  /** Looks when it is time to. @throws `deadlock` when this waiter has to give way */
  async check(id: string, waitedMs: number, record: LockRecord | undefined, signal: AbortSignal): Promise<void> {
    this.#throwIfParentHolds(record);
    const me = record?.queue.find((waiter) => waiter.id === id);
    if (me === undefined || me.holds.length === 0) return;
    this.#shownAtMs ??= waitedMs;
    // Others that wait in the same cycle show what they hold at about the same time.
    const isShown = this.#shownAtMs < FIRST_SEARCH_MS || waitedMs >= this.#shownAtMs + LATE_SEARCH_MS;
    if (waitedMs < this.#nextAfterMs || !isShown) return;
    this.#nextAfterMs = waitedMs + Math.min(Math.max(waitedMs / 2, FIRST_SEARCH_MS), LONGEST_INTERVAL_MS);
    const first = await this.#search(id, signal);
    if (first === undefined || signal.aborted) return;
    const { effects, clock } = this.#context;
    await sleep(effects, Math.max(SECOND_SEARCH_MS, 2 * clock.roundTripMs), { keepAlive: true, signal });
    const second = signal.aborted ? undefined : await this.#search(id, signal);
    if (second === undefined || !isSameCycle(first, second) || !this.#holdsUp(second, waitedMs)) return;
    throw this.#deadlock(id, second);
  }

  /**
   * Throws when the process that started this one, and waits for its end, has what it asks for. Of a semaphore others may give permits
   * back, and then the search decides.
   */
  #throwIfParentHolds(record: LockRecord | undefined): void {
    const { tokensOfParents = [], limit, mode, permits } = this.#request;
    const now = tokensOfParents.length > 0 ? this.#context.clock.now() : undefined;
    if (record === undefined || now === undefined) return;
    // One that was given back stays listed for its holdAtLeastMs: no work goes on under it.
    const isLive = (holder: Holder) => !isReleased(holder) && !isExpired(holder, this.#attemptAt(now));
    const held = record.holders.filter((holder) => tokensOfParents.includes(holder.token) && isLive(holder));
    const [holder] = held;
    const isOfMany = limit !== undefined && record.limit > 1;
    if (holder === undefined || (isOfMany && areCompatible([...held, { mode, permits }], record.limit))) return;
    const lockName = this.#wanted.name;
    const cycle = [toPublicEdge({ lockName, holder })];
    const message = `Deadlock: this process is part of the work of ${describeParty(holder)}, which holds ${JSON.stringify(lockName)}, and would wait for its end. What is not part of it is started without S3_MUTEX_HELD in its environment.`;
    throw new S3MutexError("deadlock", message, { lockName, cycle });
  }

  /** Says whether this wait still holds up what the cycle says: that may have been given back since, or have turned out another task's. */
  #holdsUp(cycle: readonly CycleEdge[], waitedMs: number): boolean {
    const own = cycle.at(-1);
    const isOwn = ({ name, token }: Hold) => name === own?.lockName && token === own.holder.token;
    return this.#request.holds(waitedMs).some(isOwn);
  }

  /** Walks once over records that are all read for it; not waited for once the signal is aborted. */
  async #search(id: string, signal: AbortSignal): Promise<readonly CycleEdge[] | undefined> {
    const records = new Map<string, LockRecord | undefined>();
    const wanted = refKey(this.#wanted.ref);
    for (let reads = 0; reads < MAX_READS; ) {
      const now = this.#context.clock.now();
      const me = records.get(wanted)?.queue.find((waiter) => waiter.id === id);
      if (now === undefined && records.size > 0) return undefined;
      const search =
        me === undefined || now === undefined
          ? { kind: "read" as const, refs: [this.#wanted.ref] }
          : searchCycle(this.#wanted.ref, me, records, this.#attemptAt(now));
      if (search.kind === "cycle") return search.edges;
      if (search.kind === "none" || search.refs.every((ref) => records.has(refKey(ref)))) return undefined;
      for (const ref of search.refs) {
        const object = refKey(ref) === wanted ? this.#wanted : this.#request.objectOf(ref);
        const snapshot = await unlessAborted(object.poll(MAX_REQUEST_MS), signal).catch(() => undefined);
        if (signal.aborted) return undefined;
        records.set(refKey(ref), snapshot?.record);
        reads += 1;
      }
    }
    return undefined;
  }

  #attemptAt(now: Attempt["now"]): Attempt {
    return { now, writeId: "", toleranceMs: this.#context.toleranceMs };
  }

  #deadlock(acquisitionId: string, edges: readonly CycleEdge[]): S3MutexError {
    const lockName = this.#wanted.name;
    const cycle = edges.map(toPublicEdge);
    const sentence = describeCycle(edges);
    this.#context.emit("deadlock", { lockName, acquisitionId, cycle, description: sentence });
    return new S3MutexError("deadlock", `Deadlock, and this wait is the one to give way: ${sentence}.`, {
      lockName,
      cycle,
    });
  }
}

/** What of a call it takes to tell. */
type Watched = Pick<AcquireRequest, "holds" | "objectOf" | "tokensOfParents" | "limit" | "mode" | "permits">;

/** A wait this short does no harm. */
const FIRST_SEARCH_MS = 700;
/** What was a cycle only because two records were read one after the other is gone when both are read again. */
const SECOND_SEARCH_MS = 150;
/** How long after its entry shows more than before it searches. */
const LATE_SEARCH_MS = 300;
/** A cycle is closed by the wait that comes last, which searches by itself: the others do it in case that one has died or was cut off. */
const LONGEST_INTERVAL_MS = 10_000;
/**
 * A walk over more locks than this is given up; it is begun anew later. Twice the longest ring that is looked
 * for (32), since a scope may hold several locks.
 */
const MAX_READS = 64;
