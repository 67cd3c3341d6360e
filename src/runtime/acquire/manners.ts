import type { Attempt } from "../../core/expiry.js";
import type { Claim, LockRecord } from "../../core/record.js";
import {
  hasChoice,
  ownEntry,
  type StepBackSight,
  steppedBack,
  UNTRIED,
  weighed,
} from "../../core/schedule/restraint.js";
import type { AcquireReply } from "../../core/transition/acquire.js";
import type { Decision } from "../../core/transition/decision.js";
import { type Context, jitter } from "../base/context.js";
import { presentHold } from "./delays.js";

/**
 * One waiter's manners: it leaves the record alone where a write of its own would only be in the way, and steps back where others
 * were first, by `core/schedule/restraint.ts`. What that remembers from one try to the next is here, and in no other place.
 */
export class Manners {
  readonly #context: Context;
  readonly #id: string;
  readonly #claim: Claim;
  #restraint = UNTRIED;

  constructor(context: Context, id: string, claim: Claim) {
    this.#context = context;
    this.#id = id;
    this.#claim = claim;
  }

  /** Whether it waits although the lock is free. */
  get isLettingReturn(): boolean {
    const { wanted, heldBack } = this.#restraint;
    return wanted === "grant" && heldBack !== undefined;
  }

  /** Gives the decision, or one to wait and leave the record as it is. */
  apply(decision: Decision<AcquireReply>, record: LockRecord | undefined, attempt: Attempt): Decision<AcquireReply> {
    const { reply, change } = decision;
    const wanted = reply.kind === "waiting" ? "entry" : "grant";
    this.#restraint = { ...this.#restraint, wanted, heldBack: undefined };
    if (record === undefined || change === undefined) return decision;
    if (reply.kind !== "granted" && reply.kind !== "waiting") return decision;
    const { ownerId, clock, effects } = this.#context;
    const turnsAhead = reply.kind === "waiting" ? reply.turnsAhead : 0;
    const { usualRoundTripMs: roundTripMs } = clock;
    const write = { wanted, turnsAhead, record, attempt, id: this.#id, ownerId, roundTripMs } as const;
    this.#restraint = weighed(this.#restraint, { ...write, random: hasChoice(write) ? effects.random() : 0 });
    if (this.#restraint.heldBack === undefined) return decision;
    const waiting = reply.kind === "waiting" ? reply : ({ kind: "waiting", position: 0, turnsAhead: 0 } as const);
    return { reply: { ...waiting, enqueued: ownEntry(write) !== undefined } };
  }

  /** Says how long to wait after the write of another client came first. */
  afterRaceMs(record: LockRecord | undefined, isEnqueued: boolean, waitedMs: number): number {
    return this.#stepBackMs({ cause: "race", record, isEnqueued, waitedMs });
  }

  /** Says when to poll again, where the plan for waiters says after `plannedMs`. */
  untilPollMs(plannedMs: number, record: LockRecord | undefined, waitedMs: number): number {
    const { heldBack } = this.#restraint;
    if (heldBack === undefined) return plannedMs;
    if (heldBack.withinMs !== undefined) return Math.min(plannedMs, heldBack.withinMs);
    const { takeoverPollMs } = presentHold(this.#context, record);
    return Math.min(this.#stepBackMs({ cause: "restraint", record, isEnqueued: false, waitedMs }), takeoverPollMs);
  }

  #stepBackMs(sight: Pick<StepBackSight, "cause" | "record" | "isEnqueued" | "waitedMs">): number {
    const { holdAgeMs } = presentHold(this.#context, sight.record);
    const { usualRoundTripMs: roundTripMs } = this.#context.clock;
    const seen = { ...sight, claim: this.#claim, holdAgeMs, roundTripMs, random: jitter(this.#context) };
    const { restraint, delayMs } = steppedBack(this.#restraint, seen);
    this.#restraint = restraint;
    return delayMs;
  }
}
