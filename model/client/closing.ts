import { NONE } from "../state.js";
import { canGiveUp, giveUp } from "./acquisition.js";
import { type Actor, actorIn, planOf } from "./actor.js";

/** `closing.ts`. */

/** `Closing.#askAllToStop`: who waits is sent away, with what may have been granted meanwhile; what is held is held on. */
export function askToStop(actor: Actor): void {
  const { process } = planOf(actor);
  for (const [index, plan] of actor.config.clients.entries()) {
    const isOfSame = index === actor.index || (process !== undefined && plan.process === process);
    if (isOfSame) askOneToStop(index === actor.index ? actor : actorIn(actor, actor.world, index));
  }
}

function askOneToStop(actor: Actor): void {
  const { client, world } = actor;
  client.isClosing = true;
  if (client.phase === "idle") client.closedAt = world.writes;
  if (canGiveUp(client)) giveUp(actor);
}

/** `Closing.#leave`: work that has not ended keeps its lock until it runs out; of the rest the store has told nothing in time. */
export function leave({ client, world }: Actor): void {
  if (client.phase !== "holding") client.holding = undefined;
  client.phase = "left";
  client.stopped = true;
  client.acquisition = NONE;
  client.main = undefined;
  client.side = undefined;
  client.closedAt = world.writes;
}
