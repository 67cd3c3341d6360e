/** What `console.log` shows of an object whose state is private. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** How Node calls it; Bun and Deno do the same. */
export type Inspect = (value: object, options: object) => string;

/**
 * For a property of what stays in its thread: a structured clone of it would succeed, and be an empty object. Symbols cannot be
 * cloned, their text is in the error, and JSON leaves them out.
 */
export const STAYS = {
  lock: stays("a lock", "send the text of lock.serialize() and mutex.restore() it there"),
  mutex: stays("a mutex", "make one there, with the same options"),
  semaphore: stays("a semaphore", "make one there, of a mutex of its own"),
  election: stays("an election", "make one there, of a mutex of its own"),
};

function stays(what: string, remedy: string): symbol {
  return Symbol(`${what}, which stays in its thread: ${remedy}`);
}
