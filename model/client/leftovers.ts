import { isAnythingLeft, type Remains } from "../../src/core/client/leftovers.js";
import { hasUnresolved } from "../../src/core/client/write-log.js";
import { type Actor, start } from "./actor.js";

/** `cancelLeftovers` of `runtime/hold/cancel.ts`. */
export function cancelLeftovers(actor: Actor, entry: Remains["entry"]): void {
  const { client } = actor;
  if (!isAnythingLeft({ entry, hasUnresolved: hasUnresolved(client.writeLog) })) return finish(actor);
  client.phase = "ending";
  client.holding = undefined;
  start(actor, "side", "cancel", { entry });
}

/** From here on it is promised that nothing of the acquisition is left, and that nothing of it can land. */
export function finish({ client, world }: Actor): void {
  client.phase = "idle";
  client.holding = undefined;
  if (client.isClosing) client.closedAt = world.writes;
}
