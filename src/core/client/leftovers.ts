/** What an acquisition that has ended may have left behind. */
export interface Remains {
  /**
   * Whether the record may still have an entry of it, or did have one: then a version without it may be an old one, out of a cache, and
   * only a write tells.
   */
  readonly entry: "none" | "possible" | "listed";
  /** Whether a write of it may still land. */
  readonly hasUnresolved: boolean;
}

/** Says whether there may be anything to clear up. */
export function isAnythingLeft({ entry, hasUnresolved }: Remains): boolean {
  return entry !== "none" || hasUnresolved;
}

/** Says whether the object has to be changed, also where it shows nothing of it: another version keeps out what may still land. */
export function mustChange({ entry, hasUnresolved }: Remains): boolean {
  return entry === "listed" || hasUnresolved;
}
