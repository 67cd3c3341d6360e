/**
 * Gives a Web Lock its name in the mutex, which is the same, so that both can be used for the same thing. The one that a mutex refuses
 * is the empty one: it becomes `-`, with which no name of a Web Lock can start.
 */
export function lockNameOf(webName: string): string {
  return webName === "" ? EMPTY : webName;
}

/** Turns that name back; undefined where no Web Lock has this name. */
export function webNameOf(lockName: string): string | undefined {
  if (lockName === EMPTY) return "";
  return lockName.startsWith("-") ? undefined : lockName;
}

const EMPTY = "-";
