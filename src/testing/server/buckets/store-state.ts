import type { StoreQuirks } from "../faults/quirks.js";
import type { ServerClock, Timers } from "../faults/server-clock.js";
import type { WriteRate } from "../faults/write-rate.js";
import type { Storage } from "./storage.js";
import type { Versions } from "./versions.js";

/** What operations work on. */
export interface StoreState {
  readonly storage: Storage;
  readonly clock: ServerClock;
  readonly timers: Timers;
  readonly writeRate: WriteRate;
  /** For quirks that strike now and then: how often each had the chance. */
  readonly chances: Map<string, number>;
  readonly versions: Versions;
  /** Keys that were deleted, by bucket and key; kept where a quirk asks for it. */
  readonly deleted: Set<string>;
  /** Replaced as a whole by `setQuirks`. */
  quirks: StoreQuirks;
  /** Entries in a page of a listing, at most. */
  readonly pageSize: number;
}

/** Says whether it is the turn of something that strikes once in so many times, and counts this one; never where that is not set. */
export function isTurnOf(state: StoreState, name: keyof StoreQuirks, every: number | undefined): boolean {
  if (every === undefined) return false;
  const chances = (state.chances.get(name) ?? 0) + 1;
  state.chances.set(name, chances);
  return chances % every === 0;
}
