import type { Holder } from "../../src/core/record.js";
import type { AcquireReply } from "../../src/core/transition/acquire.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import { type Client, type Handed, numberOfWrite } from "../state.js";
import { type Actor, clocksOf, nextSequence, start, storeTime, threadOf } from "./actor.js";
import { cancelLeftovers, undo } from "./leftovers.js";
import { readingOf } from "./write-log.js";

/** `runtime/acquire/acquisition.ts` and `runtime/acquire/confirm.ts`. */

/** A new `Acquisition`, whose `#ask` begins with the version seen last. */
export function beginAcquisition(actor: Actor): void {
  beginResting(actor);
  actor.client.phase = "asking";
  start(actor, "main", "acquire");
}

/** `Acquisition.#rest`: another caller of this process has the lock, and is trusted to pass it on. */
export function beginResting(actor: Actor): void {
  const { client, world } = actor;
  client.phase = "waiting";
  client.acquisitions += 1;
  client.stopped = false;
  client.mayBePresent = false;
  client.robbed = false;
  client.writeLog = [];
  client.holding = undefined;
  client.handed = undefined;
  client.sinceMs = storeTime(actor).latestMs;
  client.lookedAt = world.sequence + 1;
}

/** `Acquisition.#waitOn`: sleeps, then looks; the answer is fresh enough for the next `#ask`. */
export function look({ client, world }: Actor): void {
  client.phase = "asking";
  client.lookedAt = nextSequence(world);
  const base = { version: world.object, asked: client.lookedAt };
  client.main = { ...threadOf("acquire"), step: "read", base };
}

/** Whether it waits to be granted the lock, and may stop waiting. */
export function canGiveUp({ phase, stopped }: Client): boolean {
  return !stopped && (phase === "asking" || phase === "waiting" || phase === "confirming");
}

/** `Acquisition.giveUp`: loops end at their next turn; what is under way is awaited and undone. */
export function giveUp(actor: Actor): void {
  const { client } = actor;
  client.stopped = true;
  if (client.phase === "waiting") undo(actor);
}

/** `Acquisition.#waitForGrant` after `#ask`. */
export function concludeAcquire(actor: Actor, reply: AcquireReply, contradicted: boolean): void {
  const { client } = actor;
  client.mayBePresent ||= mayBePresentAfter(reply);
  if (client.stopped) return undo(actor);
  if (client.handed !== undefined) return takeUp(actor);
  if (reply.kind === "granted") return confirm(actor, reply.holder, contradicted, 0);
  if (reply.kind === "waiting") client.phase = "waiting";
  else start(actor, "main", "acquire");
}

/** `Acquisition.receive`: a holder of this process has passed the lock on, or has taken a place for this one. */
export function receive(actor: Actor, reply: AcquireReply, contradicted: boolean): void {
  const { client } = actor;
  client.mayBePresent ||= mayBePresentAfter(reply);
  const { phase } = client;
  if (phase === "dead" || phase === "left" || phase === "holding" || phase === "ending") return;
  if (client.phase === "idle") return cancelLeftovers(actor, client.mayBePresent);
  if (reply.kind === "granted") client.handed = { holder: reply.holder, contradicted };
  if (client.phase === "waiting" && client.handed !== undefined) takeUp(actor);
}

function mayBePresentAfter(reply: AcquireReply): boolean {
  return reply.kind === "granted" || (reply.kind === "waiting" && reply.enqueued);
}

/** `#waitForGrant`: what was handed over is confirmed. */
function takeUp(actor: Actor): void {
  const { holder, contradicted } = actor.client.handed as Handed;
  actor.client.handed = undefined;
  confirm(actor, holder, contradicted, 0);
}

/** `confirmGrant`: a lease is handed out with at least half of it left; otherwise it is renewed first. */
function confirm(actor: Actor, holder: Holder, contradicted: boolean, renewals: number): void {
  const { client, world, subject, config } = actor;
  client.mayBePresent = true;
  const reading = readingOf(client.writeLog, numberOfWrite(holder.leaseWriteId));
  const leftMs = reading === undefined ? 0 : subject.remainingMs(config.leaseMs, reading, clocksOf(world, client));
  const enoughMs = renewals < MAX_RENEWALS ? config.leaseMs / 2 : 0;
  if (reading !== undefined && !contradicted && leftMs > enoughMs) {
    // `Acquisition.run` undoes a grant that no caller waits for any more.
    if (client.stopped) return undo(actor);
    client.phase = "holding";
    client.handed = undefined;
    client.holding = { holder, reading };
    return;
  }
  if (renewals >= MAX_RENEWALS) return undo(actor);
  client.phase = "confirming";
  start(actor, "main", "confirm", renewals + 1);
}

/** `MAX_RENEWALS` of `runtime/acquire/confirm.ts`. */
const MAX_RENEWALS = 3;

/** `confirmGrant` after its renewal; when the grant is gone, `#waitForGrant` asks again. */
export function concludeConfirm(actor: Actor, reply: RenewReply, renewals: number, contradicted: boolean): void {
  if (reply.kind === "renewed") return confirm(actor, reply.holder, contradicted, renewals);
  const { client } = actor;
  if (client.stopped) return undo(actor);
  client.phase = "asking";
  start(actor, "main", "acquire");
}
