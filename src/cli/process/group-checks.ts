import type { Found } from "./living-members.js";

/**
 * What checks of a group come to. A check takes its time: one process may start the next and end meanwhile, and neither is seen alive. So
 * the dead have to be those of the check before.
 */
export class GroupChecks {
  #lastSeen: number | undefined;
  #knownDead: ReadonlySet<number> = new Set();

  /** The one that was seen alive last: at best it is the answer again. */
  get lastSeen(): number | undefined {
    return this.#lastSeen;
  }

  /** Says whether it is certain by this check, and those before it, that no member lives any more. */
  areAllDead({ living, dead }: Found): boolean {
    const areKnown = dead.size > 0 && [...dead].every((pid) => this.#knownDead.has(pid));
    this.#lastSeen = living;
    this.#knownDead = living === undefined ? dead : new Set();
    return living === undefined && areKnown;
  }
}
