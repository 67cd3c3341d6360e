import type { StoreQuirks } from "./quirks.js";
import type { ServerClock, Timers } from "./server-clock.js";
import type { Storage } from "./storage.js";
import type { WriteRate } from "./write-rate.js";

/** What operations work on. */
export interface StoreState {
  readonly storage: Storage;
  readonly clock: ServerClock;
  readonly timers: Timers;
  readonly writeRate: WriteRate;
  /** Replaced as a whole by `setQuirks`. */
  quirks: StoreQuirks;
  /** Entries in a page of a listing, at most. */
  readonly pageSize: number;
}
