import { type Client, clientAt, edit } from "../state.js";
import { type Actor, callersBeside } from "./actor.js";

/** Follows `Closing`: a mutex is closed when nothing of it is left to do: what ends late may have to be cleared up for another caller. */
export function noteClosed(actor: Actor): void {
  const callers = callersBeside(actor);
  if (!callers.every((index) => isSettled(clientOf(actor, index)))) return;
  for (const index of callers) {
    const client = index === actor.index ? actor.client : edit(actor.world, index);
    client.closedAt ??= actor.world.writes;
  }
}

function clientOf({ client, index, world }: Actor, at: number): Client {
  return at === index ? client : clientAt(world, at);
}

function isSettled({ isClosing, phase }: Client): boolean {
  return isClosing && (phase === "idle" || phase === "left" || phase === "dead");
}
