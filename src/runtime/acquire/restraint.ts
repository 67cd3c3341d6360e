import { needsDates } from "../../core/dating.js";
import { type Attempt, ENTRY_LIFE_MS } from "../../core/expiry.js";
import { areCompatible, type Claim, type LockRecord } from "../../core/record.js";
import {
  isReturnLikely,
  mayJoin,
  mayPutOff,
  REFRESH_RESERVE_MS,
  type Setback,
  stepBackMs,
} from "../../core/schedule/enqueue.js";
import { paceOf, servedInMs } from "../../core/schedule/polling.js";
import type { AcquireReply } from "../../core/transition/acquire.js";
import type { Decision } from "../../core/transition/decision.js";
import { type Context, jitter } from "../base/context.js";
import { presentHold } from "./delays.js";

/**
 * One waiter's manners: it leaves the record alone where a write of its own would only be in the way, by the plan in
 * `core/schedule/enqueue.ts`, and steps back where others were first.
 */
export class Restraint {
  readonly #context: Context;
  readonly #id: string;
  readonly #claim: Claim;
  #wanted: "grant" | "entry" = "grant";
  #setbacks = 0;
  #losses = 0;
  /** The version on which it let the last holder go first. */
  #deferredTo: string | undefined;
  /** Set while it leaves the record alone: when to poll again at the latest, if there is such a time. */
  #heldBack: { readonly withinMs: number | undefined } | undefined;

  constructor(context: Context, id: string, claim: Claim) {
    this.#context = context;
    this.#id = id;
    this.#claim = claim;
  }

  /** The decision, or to wait and leave the record as it is. */
  apply(decision: Decision<AcquireReply>, record: LockRecord | undefined, attempt: Attempt): Decision<AcquireReply> {
    const { reply, change } = decision;
    this.#heldBack = undefined;
    this.#wanted = reply.kind === "waiting" ? "entry" : "grant";
    if (record === undefined || change === undefined) return decision;
    const own = record.queue.find((waiter) => waiter.id === this.#id);
    if (reply.kind === "granted" && isReturnLikely(record) && this.#deferredTo !== record.writeId) {
      this.#deferredTo = record.writeId;
      this.#heldBack = { withinMs: 1 };
      return { reply: { kind: "waiting", position: 0, turnsAhead: 0, enqueued: own !== undefined } };
    }
    // What keeps all waiters waiting is not left alone.
    if (reply.kind !== "waiting" || needsDates(record, attempt)) return decision;
    const { ownerId, clock, effects } = this.#context;
    const { usualRoundTripMs: roundTripMs } = clock;
    const nowMs = attempt.now.latestMs;
    const setbacks = own === undefined ? this.#setbacks : 0;
    const mayWrite = mayJoin(record, { nowMs, roundTripMs, ownerId, setbacks, random: effects.random() });
    const servedIn = servedInMs(paceOf(record), reply.turnsAhead, roundTripMs);
    const isPutOff = own === undefined ? !mayWrite : mayPutOff(own, { servedInMs: servedIn, mayWrite, nowMs });
    if (!isPutOff) return decision;
    this.#heldBack = { withinMs: own && Math.max(1, own.expiresAtMs - nowMs - REFRESH_RESERVE_MS) };
    return { reply: { ...reply, enqueued: own !== undefined } };
  }

  /** How long to wait after the write of another client came first. */
  afterRaceMs(record: LockRecord | undefined, isEnqueued: boolean, waitedMs: number): number {
    this.#setbacks += 1;
    if (this.#wanted === "entry") this.#losses += 1;
    return this.#stepBackMs({ lost: this.#wanted, record, isEnqueued, waitedMs });
  }

  /** When to poll again, where the plan for waiters says after `plannedMs`. */
  untilPollMs(plannedMs: number, record: LockRecord | undefined, waitedMs: number): number {
    if (this.#heldBack === undefined) return plannedMs;
    if (this.#heldBack.withinMs !== undefined) return Math.min(plannedMs, this.#heldBack.withinMs);
    this.#setbacks += 1;
    const { takeoverPollMs } = presentHold(this.#context, record);
    const delayMs = this.#stepBackMs({ lost: "nothing", record, isEnqueued: false, waitedMs });
    if (delayMs > 2 * this.#context.clock.usualRoundTripMs) this.#losses = 0;
    return Math.min(delayMs, takeoverPollMs);
  }

  /** Whether there was room beside the winner, too: permits, or readers among readers. */
  #isOpen(record: LockRecord | undefined): boolean {
    return record !== undefined && areCompatible([...record.holders, this.#claim, this.#claim], record.limit);
  }

  #stepBackMs(setback: Pick<Setback, "lost" | "record" | "isEnqueued" | "waitedMs">): number {
    const { holdAgeMs } = presentHold(this.#context, setback.record);
    const { usualRoundTripMs: roundTripMs } = this.#context.clock;
    return stepBackMs({
      ...setback,
      setbacks: this.#setbacks,
      isOpen: this.#isOpen(setback.record),
      losses: this.#losses,
      holdAgeMs,
      entryLifeMs: ENTRY_LIFE_MS,
      roundTripMs,
      random: jitter(this.#context),
    });
  }
}
