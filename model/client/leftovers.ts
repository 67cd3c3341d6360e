import { type Actor, start } from "./actor.js";

/** `cancelLeftovers` of `runtime/hold/cancel.ts`. */
export function cancelLeftovers(actor: Actor, mayBePresent: boolean): void {
  const { client } = actor;
  if (!mayBePresent && !client.writeLog.some((sent) => sent.unresolved)) return finish(actor);
  client.phase = "ending";
  client.holding = undefined;
  start(actor, "side", "cancel");
}

/** From here on it is promised that nothing of the acquisition is left, and that nothing of it can land. */
export function finish({ client, world }: Actor): void {
  client.phase = "idle";
  client.holding = undefined;
  if (client.isClosing) client.closedAt = world.writes;
}
