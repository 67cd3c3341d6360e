import { readingOf } from "../../src/core/client/write-log.js";
import type { Holder } from "../../src/core/record.js";
import type { ClockReading } from "../../src/core/store-time.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import type { Client, Thread, World } from "../state.js";
import { happen, receive } from "./acquisition.js";
import { type Actor, actorIn, clocksOf, type Scene, start, storeTime, threadIn } from "./actor.js";
import type { Reply } from "./commands.js";
import { cancelLeftovers, finish } from "./leftovers.js";
import { NO_ONE } from "./successor.js";

/** `runtime/hold/lease.ts`, and what a release in `runtime/acquire/local-queue.ts` comes to. */

/** `Lease.isHeld`. */
export function believes(scene: Scene, world: World, client: Client): boolean {
  const mayHold = client.phase === "holding" || client.phase === "left";
  return mayHold && beliefMs(scene, world, client) > 0;
}

/** `Lease.remainingMs`. */
export function beliefMs({ subject, config }: Scene, world: World, client: Client): number {
  if (client.holding === undefined) return 0;
  return subject.remainingMs(config.leaseMs, client.holding.reading, clocksOf(world, client));
}

/** `Lease.renew`, by its timer or its user. */
export function beginRenewal(actor: Actor): void {
  start(actor, "main", "renew");
}

/** `Lease.#applyRenewal`. */
export function concludeRenewal(actor: Actor, reply: RenewReply, contradicted: boolean): void {
  const { client } = actor;
  if (client.stopped) return;
  if (reply.kind === "gone") return lose(actor);
  const reading = readingOf(client.writeLog, reply.holder.leaseWriteId);
  if (reading === undefined) return;
  client.holding = {
    holder: reply.holder,
    reading: contradicted ? readingAfterContradiction(actor, reply.holder, reading) : reading,
  };
}

/** `Lease.#readingAfterContradiction`: what the new bounds leave of the published expiry is all that may be believed. */
function readingAfterContradiction(actor: Actor, holder: Holder, reading: ClockReading): ClockReading {
  const { world, client } = actor;
  const clocks = clocksOf(world, client);
  const usedMs = holder.leaseMs - (holder.expiresAtMs - storeTime(actor).latestMs);
  const from = { monotonicMs: clocks.monotonicMs - usedMs, wallMs: clocks.wallMs - usedMs };
  return from.monotonicMs < reading.monotonicMs ? from : reading;
}

/** `Lease.lose`, when the deadline has passed or the record says that it is gone. */
export function lose(actor: Actor): void {
  actor.client.stopped = true;
  cancelLeftovers(actor, "possible");
}

/** `Lease.release`: `#releaseOnce` stops a renewal and gives back, beginning with the version seen last. */
export function beginRelease(actor: Actor): void {
  const { client } = actor;
  client.phase = "ending";
  client.stopped = true;
  start(actor, "side", "release");
}

/** `Lease.#releaseOnce` after `LocalQueue.giveBack`. */
export function concludeRelease(
  actor: Actor,
  thread: Thread,
  { left, to }: Reply & { readonly operation: "release" },
  contradicted: boolean,
): void {
  tellTried(actor, thread, to === undefined ? undefined : (other) => receive(other, to, contradicted));
  if (left === "released") finish(actor);
  else cancelLeftovers(actor, "none");
}

/** `Lease.#releaseOnce` where `giveBack` throws: the store did not answer until the lease was over. */
export function failRelease(actor: Actor): void {
  tellTried(actor, threadIn(actor.client, "side"), undefined);
  actor.client.side = undefined;
  cancelLeftovers(actor, "possible");
}

/** `giveBack`, when it is over: the one that it was for hears what came of it, the others that it is not known. */
function tellTried(actor: Actor, { tried }: Thread, tell: ((successor: Actor) => void) | undefined): void {
  for (const [at, index] of tried.entries()) {
    if (index === NO_ONE) continue;
    const other = actorIn(actor, actor.world, index);
    if (at === tried.length - 1 && tell !== undefined) tell(other);
    else happen(other, { kind: "transfer-unknown" });
  }
}
