import { NONE } from "../state.js";
import { canGiveUp, giveUp } from "./acquisition.js";
import { type Actor, actorIn, callersBeside } from "./actor.js";
import { noteClosed } from "./closed.js";

/** `closing.ts`. */

/** Follows `Closing.#askAllToStop`: waiters are sent away, with what may have been granted meanwhile; what is held is held on. */
export function askToStop(actor: Actor): void {
  const callers = callersBeside(actor).map((index) =>
    index === actor.index ? actor : actorIn(actor, actor.world, index),
  );
  for (const { client } of callers) client.isClosing = true;
  for (const caller of callers) if (canGiveUp(caller.client)) giveUp(caller);
  noteClosed(actor);
}

/** Follows `Closing.#leave`: work that has not ended keeps its lock until it runs out; of the rest the store has told nothing in time. */
export function leave(actor: Actor): void {
  const { client } = actor;
  if (client.phase !== "holding") client.holding = undefined;
  client.phase = "left";
  client.stopped = true;
  client.acquisition = NONE;
  client.main = undefined;
  client.side = undefined;
  noteClosed(actor);
}
