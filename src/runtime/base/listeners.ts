import { EventEmitter } from "node:events";
import type { S3MutexEvents } from "./events.js";
import type { Log } from "./logger.js";

/** Tells the listeners of a mutex. One that throws disturbs nothing. */
export function tellListeners<Name extends keyof S3MutexEvents>(
  emitter: EventEmitter<S3MutexEvents>,
  { logger, name, event }: { logger: Log; name: Name; event: S3MutexEvents[Name][0] },
): void {
  try {
    (emitter as EventEmitter).emit(name, event);
  } catch (error) {
    logger.error(`a listener of "${name}" threw`, { err: error });
  }
}

/** Hears asynchronous listeners that reject: unheard, they would end a process that holds locks. */
export function hearRejections(emitter: EventEmitter<S3MutexEvents>, logger: Log): void {
  const value = (error: unknown, name: string) => logger.error(`a listener of "${name}" rejected`, { err: error });
  Object.defineProperty(emitter, EventEmitter.captureRejectionSymbol, { value });
}

/** Hears a callback of this name where it is asynchronous, whatever its type says, and rejects. What it throws is its caller's. */
export function hearRejection(answer: unknown, name: string, logger: Log): void {
  Promise.resolve(answer).catch((error: unknown) => logger.error(`${name} rejected`, { err: error }));
}
