import { leftInDoubt } from "../../src/core/client/passing.js";
import { readingOf } from "../../src/core/client/write-log.js";
import { countedFrom } from "../../src/core/lease.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import type { Client, Thread, World } from "../state.js";
import { happen, receive } from "./acquisition.js";
import { type Actor, actorIn, clocksOf, type Scene, start, storeTime, threadIn } from "./actor.js";
import type { Reply } from "./commands.js";
import { cancelLeftovers, finish } from "./leftovers.js";

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
  const clocks = clocksOf(actor.world, client);
  client.holding = {
    holder: reply.holder,
    reading: contradicted ? countedFrom(reply.holder, reading, { clocks, now: storeTime(actor) }) : reading,
  };
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
function tellTried(actor: Actor, { passing }: Thread, tell: ((successor: Actor) => void) | undefined): void {
  if (passing.to !== undefined) tell?.(actorIn(actor, actor.world, passing.to));
  for (const index of leftInDoubt(passing, tell !== undefined)) {
    happen(actorIn(actor, actor.world, index), { kind: "transfer-unknown" });
  }
}
