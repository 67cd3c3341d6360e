import {
  followUp,
  goneBefore,
  type HoldEffect,
  type HoldHappening,
  type HoldState,
} from "../../src/core/client/hold.js";
import { leftInDoubt } from "../../src/core/client/passing.js";
import { readingOf } from "../../src/core/client/write-log.js";
import { countedFrom } from "../../src/core/lease.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import type { Client, Thread, World } from "../state.js";
import { happen, receive } from "./acquisition.js";
import { type Actor, actorIn, clocksOf, type Scene, start, storeTime, threadIn } from "./actor.js";
import type { Reply } from "./commands.js";
import { cancelLeftovers, finish } from "./leftovers.js";

/** Does what `core/client/hold.ts` says of one hold, as `runtime/hold/lease.ts` does. */

/** What its process calls the end of a lease by its own clocks. */
type ByClock = "expired";
type Holding = NonNullable<Client["holding"]>;

/** Follows `Lease.isHeld`. */
export function believes(scene: Scene, world: World, client: Client): boolean {
  const mayHold = client.phase === "holding" || client.phase === "left";
  return mayHold && beliefMs(scene, world, client) > 0;
}

/** Follows `Lease.remainingMs`. */
export function beliefMs({ subject, config }: Scene, world: World, client: Client): number {
  if (client.holding === undefined) return 0;
  return subject.remainingMs(config.leaseMs, client.holding.reading, clocksOf(world, client));
}

/** Follows `Lease.renew`, by its timer or its user. */
export function beginRenewal(actor: Actor): void {
  start(actor, "main", "renew");
}

/** Goes on after the answer to the renewal. */
export function concludeRenewal(actor: Actor, reply: RenewReply, contradicted: boolean): void {
  const { client } = actor;
  const reading = reply.kind === "renewed" ? readingOf(client.writeLog, reply.holder.leaseWriteId) : undefined;
  for (const effect of follow(actor, { kind: "renewal-answered", reply, reading })) {
    if (effect.do === "count-on") countOn(actor, effect, contradicted);
    else perform(actor, effect);
  }
}

/** Believes in it from then on, or from earlier where the store's clock was not where its end assumed it. */
function countOn(actor: Actor, { holder, reading }: Holding, contradicted: boolean): void {
  const now = { clocks: clocksOf(actor.world, actor.client), now: storeTime(actor) };
  actor.client.holding = { holder, reading: contradicted ? countedFrom(holder, reading, now) : reading };
}

/** Ends it, since its deadline has passed. */
export function lose(actor: Actor): void {
  performAll(actor, { kind: "ended", reason: "expired" });
}

/** Gives it back, beginning with the version seen last. */
export function beginRelease(actor: Actor): void {
  performAll(actor, { kind: "releasing", whyOver: undefined });
}

/** Goes on after `LocalQueue.giveBack`. */
export function concludeRelease(
  actor: Actor,
  thread: Thread,
  { left, to }: Reply & { readonly operation: "release" },
  contradicted: boolean,
): void {
  const { client } = actor;
  tellTried(actor, thread, to === undefined ? undefined : (other) => receive(other, to, contradicted));
  if (left === "released") return finish(actor);
  const holder = client.holding?.holder ?? { id: "", token: 0 };
  performAll(actor, goneBefore(holder, thread.base?.version?.record));
}

/** Gives up a release that the store did not answer until the lease was over. */
export function failRelease(actor: Actor): void {
  tellTried(actor, threadIn(actor.client, "side"), undefined);
  actor.client.side = undefined;
  performAll(actor, { kind: "release-failed" });
}

function performAll(actor: Actor, happening: HoldHappening<ByClock>): void {
  for (const effect of follow(actor, happening)) perform(actor, effect);
}

function follow({ client }: Actor, happening: HoldHappening<ByClock>): readonly HoldEffect<ByClock>[] {
  const state: HoldState = { isOver: client.stopped, isLeft: client.phase === "left", isLost: false };
  return followUp(state, happening);
}

/** Does what follows; what is told has no listener here. */
function perform(actor: Actor, effect: HoldEffect<ByClock>): void {
  const { client } = actor;
  if (effect.do === "stop") client.stopped = true;
  else if (effect.do === "clear-up") cancelLeftovers(actor, effect.entry);
  else if (effect.do === "give-back") {
    client.phase = "ending";
    start(actor, "side", "release");
  }
}

/** Tells the caller that a transfer was for what came of it, and the others that it is not known. */
function tellTried(actor: Actor, { passing }: Thread, tell: ((successor: Actor) => void) | undefined): void {
  if (passing.to !== undefined) tell?.(actorIn(actor, actor.world, passing.to));
  for (const index of leftInDoubt(passing, tell !== undefined)) {
    happen(actorIn(actor, actor.world, index), { kind: "transfer-unknown" });
  }
}
