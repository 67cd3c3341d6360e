import type { EventEmitter } from "node:events";
import { closestTo } from "../arguments/closest.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { OptionNames } from "../arguments/option-names.js";
import type { S3MutexEvents } from "../runtime/base/events.js";

const EVENTS: OptionNames<S3MutexEvents> = {
  enqueued: true,
  position: true,
  acquired: true,
  renewed: true,
  lost: true,
  released: true,
  deadlock: true,
  checked: true,
  closed: true,
};

/** What Node listens for by itself: `events.once` waits for an error as well. */
const OF_NODE: ReadonlySet<string> = new Set(["error", "newListener", "removeListener"]);

/** Makes an emitter refuse listeners for events that do not exist: one would never be called, and its user never know. */
export function refuseUnknownEvents(emitter: EventEmitter<S3MutexEvents>): void {
  for (const method of ["on", "addListener", "prependListener"] as const) {
    const add = (emitter as EventEmitter)[method].bind(emitter);
    const value = (event: string | symbol, listener: (...args: unknown[]) => void) => {
      checkEvent(event);
      return add(event, listener);
    };
    Object.defineProperty(emitter, method, { value, configurable: true, writable: true });
  }
}

/** @throws S3MutexError `invalid-argument` with the nearest event */
function checkEvent(event: unknown): void {
  if (typeof event === "symbol" || Object.hasOwn(EVENTS, event as string) || OF_NODE.has(event as string)) return;
  const known = Object.keys(EVENTS);
  const closest = typeof event === "string" ? closestTo(event, known) : undefined;
  const all = `use one of ${known.join(", ")}; what is to be done once across processes is runOnce()`;
  throw invalidArgument("event", event, closest === undefined ? all : `use ${closest}`);
}
