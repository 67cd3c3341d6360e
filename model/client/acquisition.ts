import { type Happening, isWanting, type Outcome, proceed, react, UNASKED } from "../../src/core/client/acquisition.js";
import { confirmation } from "../../src/core/client/confirmation.js";
import type { Remains } from "../../src/core/client/leftovers.js";
import { NOTHING_SENT, readingOf } from "../../src/core/client/write-log.js";
import type { Holder } from "../../src/core/record.js";
import type { AcquireReply } from "../../src/core/transition/acquire.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import type { Client, Grant } from "../state.js";
import { type Actor, clocksOf, nextSequence, start, storeTime, threadOf } from "./actor.js";
import { cancelLeftovers } from "./leftovers.js";

/** Does what `core/client` says of one acquisition, as `runtime/acquire/acquisition.ts` and `runtime/acquire/confirm.ts` do. */

/** Begins a new acquisition, which asks at once. */
export function beginAcquisition(actor: Actor): void {
  begin(actor, 0);
}

/** Begins a new one that rests: another caller of this process has the lock, and is trusted to pass it on. */
export function beginResting(actor: Actor): void {
  begin(actor, Number.POSITIVE_INFINITY);
}

function begin(actor: Actor, restMs: number): void {
  const { client, world } = actor;
  client.acquisitions += 1;
  client.acquisition = UNASKED;
  client.stopped = false;
  client.forcedOut = false;
  client.writeLog = NOTHING_SENT;
  client.holding = undefined;
  client.sinceMs = storeTime(actor).latestMs;
  client.lookedAt = world.sequence + 1;
  goOn(actor, { kind: "turn" }, restMs);
}

/** Comes back with something, and does what is next; whether it may rest is decided when it begins. */
function goOn(actor: Actor, outcome: Outcome<Grant>, restMs = 0): void {
  const { client } = actor;
  const { state, next } = proceed(client.acquisition, outcome);
  client.acquisition = state;
  switch (next.do) {
    case "confirm":
      return confirm(actor, next.grant, 0);
    case "look-around":
      return goOn(actor, { kind: "trusting", forMs: restMs });
    case "ask":
      client.phase = "asking";
      return start(actor, "main", "acquire");
    case "rest":
    case "wait":
      if (!isWanting(state)) return goOn(actor, { kind: "turn" });
      client.phase = "waiting";
      return;
    case "end":
      return happen(actor, { kind: "ended" });
  }
}

/** Lets something happen to it, and does what follows. */
export function happen(actor: Actor, happening: Happening<Grant>): void {
  const { client } = actor;
  const { state, effects } = react(client.acquisition, happening);
  client.acquisition = state;
  for (const effect of effects) {
    if (effect.do === "stop") client.stopped = true;
    else if (effect.do === "wake") wake(actor);
    else if (effect.do === "clear-up") clearUp(actor, effect.entry);
  }
}

/** Lets what rests or waits go on; a poll is not waited for any more, and where it is still to wait, it may poll at any time. */
function wake(actor: Actor): void {
  const { client } = actor;
  const isPolling = client.main?.operation === "poll" && client.stopped;
  if (client.phase !== "waiting" && !isPolling) return;
  if (!isWanting(client.acquisition)) goOn(actor, { kind: "turn" });
}

function clearUp(actor: Actor, entry: Remains["entry"]): void {
  const { client } = actor;
  client.stopped = true;
  client.main = undefined;
  // Where the last clearing up is still under way, the next one is left out here.
  if (client.phase !== "ending") cancelLeftovers(actor, entry);
}

/** Polls: the answer is fresh enough to ask with. */
export function poll({ client, world }: Actor): void {
  client.phase = "asking";
  client.lookedAt = nextSequence(world);
  client.main = { ...threadOf("poll"), step: "read", base: { version: world.object, askedAtMs: client.lookedAt } };
}

export function concludePoll(actor: Actor): void {
  goOn(actor, { kind: "turn" });
}

/** Says whether it waits to be granted the lock, and may stop waiting. */
export function canGiveUp({ acquisition }: Client): boolean {
  return acquisition.phase === "waiting";
}

/** Ends its loops at their next turn; what is under way is awaited and undone. */
export function giveUp(actor: Actor): void {
  happen(actor, { kind: "given-up" });
}

/** Takes up what came of asking. */
export function concludeAcquire(actor: Actor, reply: AcquireReply, contradicted: boolean): void {
  if (reply.kind === "granted") {
    return goOn(actor, { kind: "granted", grant: { holder: reply.holder, contradicted } });
  }
  // The record is there for the search for deadlocks, which is not modelled.
  if (reply.kind === "waiting") return goOn(actor, { kind: "queued", place: reply, record: undefined });
  goOn(actor, { kind: "turn" });
}

/** Follows `Acquisition.receive`: a holder of this process has passed the lock on, or has taken a place for this one. */
export function receive(actor: Actor, reply: AcquireReply, contradicted: boolean): void {
  if (reply.kind === "granted") happen(actor, { kind: "handed", grant: { holder: reply.holder, contradicted } });
  else happen(actor, { kind: "placed", enqueued: reply.kind === "waiting" && reply.enqueued });
}

/** Follows `confirmGrant`, by `core/client/confirmation.ts`. */
function confirm(actor: Actor, { holder, contradicted }: Grant, renewals: number): void {
  const { client, world, subject, config } = actor;
  const reading = readingOf(client.writeLog, holder.leaseWriteId);
  const { leaseMs } = config;
  const next = confirmation({
    ...{ holder, leaseMs, renewalDeadlineMs: undefined, renewals, isUp: false },
    leftMs: reading && subject.remainingMs(leaseMs, reading, clocksOf(world, client)),
    // The plans of clocks have bounds that several answers agree on, or none.
    ...{ isContradicted: contradicted, isTokenDoubted: false, lacksStoreTime: false, hasOneWitness: false },
  });
  if (next === "hand-out" && reading !== undefined) return takeUp(actor, holder, reading);
  if (next === "too-short") return happen(actor, { kind: "ended" });
  client.phase = "confirming";
  start(actor, "main", "confirm", { renewals: renewals + 1 });
}

/** Gives its caller the lock, unless that has given up. */
function takeUp(actor: Actor, holder: Holder, reading: NonNullable<Client["holding"]>["reading"]): void {
  const { client } = actor;
  happen(actor, { kind: "confirmed" });
  if (client.acquisition.phase !== "granted") return;
  client.phase = "holding";
  client.holding = { holder, reading };
}

/** Follows `confirmGrant` after its renewal. */
export function concludeConfirm(actor: Actor, reply: RenewReply, renewals: number, contradicted: boolean): void {
  if (reply.kind === "renewed") return confirm(actor, { holder: reply.holder, contradicted }, renewals);
  goOn(actor, { kind: "gone" });
}
