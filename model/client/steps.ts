import { NOTHING_SENT } from "../../src/core/client/write-log.js";
import { clientAt, NONE, type Operation, type Request, type World } from "../state.js";
import { concludeAcquire, concludeConfirm, concludePoll, happen } from "./acquisition.js";
import { type Actor, actorIn, type Scene, type Slot, threadOf } from "./actor.js";
import { concludeRelease, concludeRenewal } from "./lease.js";
import { finish } from "./leftovers.js";
import * as swap from "./swap.js";

// The steps of a client that events are made of: an answer arrives, the loop goes on, and its caller does what follows.

export function receiveRead(actor: Actor, slot: Slot): void {
  conclude(actor, swap.receiveRead(actor, slot));
}

export function receiveSuccess(actor: Actor, slot: Slot, request: Request): void {
  conclude(actor, swap.receiveSuccess(actor, slot, request));
}

export function receiveConflict(actor: Actor, slot: Slot, request: Request): void {
  conclude(actor, swap.receiveConflict(actor, slot, request));
}

export function receiveNothing(actor: Actor, slot: Slot, request: Request): void {
  conclude(actor, swap.receiveNothing(actor, slot, request));
}

/** Ends an aborted loop that is not waiting for an answer. */
export function endAborted(actor: Actor): void {
  conclude(actor, swap.abort(actor));
}

/** Lets each loop have its first turn that was started on a version from before: that takes no time. */
export function takeDueTurns(scene: Scene, world: World): void {
  for (let index = 0; index < world.clients.length; index += 1) {
    for (const slot of ["main", "side"] as const) {
      if (clientAt(world, index)[slot]?.step !== "due") continue;
      const actor = actorIn(scene, world, index);
      conclude(actor, swap.takeFirstTurn(actor, slot));
      // What came of it may have started something anywhere.
      return takeDueTurns(scene, world);
    }
  }
}

/** Begins `mutex.forceRelease`, `deleteLock` or `cleanupStaleLocks`, each of them with a read (`from: "store"`). */
export function beginCommand({ client }: Actor, operation: Operation): void {
  client.phase = "asking";
  client.main = threadOf(operation);
}

/** Ends the process, with all that it remembers. */
export function crash({ client }: Actor): void {
  client.phase = "dead";
  client.main = undefined;
  client.side = undefined;
  client.latest = undefined;
  client.writeLog = NOTHING_SENT;
  client.holding = undefined;
  client.acquisition = NONE;
}

function conclude(actor: Actor, outcome: swap.Outcome | undefined): void {
  if (outcome === undefined) return;
  if (outcome.kind === "aborted") {
    if (outcome.operation === "acquire" || outcome.operation === "confirm") happen(actor, { kind: "ended" });
    return;
  }
  if (outcome.kind === "polled") return concludePoll(actor);
  const { thread, reply, contradicted } = outcome;
  switch (reply.operation) {
    case "acquire":
      return concludeAcquire(actor, reply.reply, contradicted);
    case "confirm":
      return concludeConfirm(actor, reply.reply, thread.renewals, contradicted);
    case "renew":
      return concludeRenewal(actor, reply.reply, contradicted);
    case "release":
      return concludeRelease(actor, thread, reply, contradicted);
    default:
      return finish(actor);
  }
}
