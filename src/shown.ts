/** By this, Node asks what to show; Bun and Deno do the same. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Says what `console.log` shows of the objects of a class, whose state is private: the name, and these properties. */
export function showAs<Handle>(
  { prototype }: { readonly prototype: Handle },
  name: string,
  propertiesOf: (handle: Handle) => object,
): void {
  Object.defineProperty(prototype, INSPECT, {
    configurable: true,
    writable: true,
    value(this: Handle, _depth: number, options: object, inspect: (value: object, options: object) => string): string {
      return `${name} ${inspect(propertiesOf(this), options)}`;
    },
  });
}

/**
 * For a property of what stays in its thread: a structured clone of it would succeed, and be an empty object. Symbols cannot be
 * cloned, their text is in the error, and JSON leaves them out.
 */
export const STAYS = {
  lock: stays("a lock", "send the text of lock.serialize() and mutex.restore() it there"),
  mutex: stays("a mutex", "make one there, with the same options"),
  semaphore: stays("a semaphore", "make one there, of a mutex of its own"),
  election: stays("an election", "make one there, of a mutex of its own"),
  fencedObject: stays("a fenced object", "open it there, by a lock that mutex.restore() has brought there"),
  lockManager: stays("a lock manager", "make one there, with the same options"),
  webLock: stays("a lock", "request it there, of a lock manager of its own"),
};

function stays(what: string, remedy: string): symbol {
  return Symbol(`${what}, which stays in its thread: ${remedy}`);
}

/** Hides what an event emitter keeps for itself: it comes first in a clone, where a listener would be the matter before words of ours. */
export function hideFromClones(emitter: object): void {
  for (const name of Object.keys(emitter).filter((key) => key.startsWith("_"))) {
    Object.defineProperty(emitter, name, { enumerable: false });
  }
}
