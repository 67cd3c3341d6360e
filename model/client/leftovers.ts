import { isAnythingLeft, type Remains } from "../../src/core/client/leftovers.js";
import { hasUnresolved } from "../../src/core/client/write-log.js";
import { type Actor, start } from "./actor.js";
import { noteClosed } from "./closed.js";

/** Follows `cancelLeftovers` of `runtime/hold/cancel.ts`. */
export function cancelLeftovers(actor: Actor, entry: Remains["entry"]): void {
  const { client } = actor;
  // `context.closed.aborted`
  if (client.phase === "left") return;
  if (!isAnythingLeft({ entry, hasUnresolved: hasUnresolved(client.writeLog) })) return finish(actor);
  client.phase = "ending";
  client.holding = undefined;
  start(actor, "side", "cancel", { entry });
}

/** Ends an acquisition: from here on it is promised that nothing of it is left, and that nothing of it can land. */
export function finish(actor: Actor): void {
  const { client } = actor;
  client.phase = "idle";
  client.holding = undefined;
  if (client.isClosing) noteClosed(actor);
}
