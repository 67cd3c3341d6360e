import type { Tally } from "../messages.js";
import type { Figures } from "./figures.js";
import type { Inspection } from "./lock-inspection.js";

/** What a run that came to its end has to tell. */
export interface Outcome {
  /** Sentences; none when all was well. */
  readonly failures: readonly string[];
  readonly figures: Figures;
  readonly tally: Tally;
  readonly inspection: Inspection;
  readonly workersStarted: number;
  /** From the end of all faults until every lock had been granted once, in milliseconds. */
  readonly recoveryMs: number;
  readonly seconds: number;
  readonly logTail: readonly string[];
}
