/**
 * The names of Web Locks are those of the mutex, so that both can be used for the same thing. The one that a mutex refuses is
 * the empty one: it becomes `-`, with which no name of a Web Lock can start.
 */
export function lockNameOf(webName: string): string {
  return webName === "" ? EMPTY : webName;
}

/** Undefined where no Web Lock has this name. */
export function webNameOf(lockName: string): string | undefined {
  if (lockName === EMPTY) return "";
  return lockName.startsWith("-") ? undefined : lockName;
}

const EMPTY = "-";
