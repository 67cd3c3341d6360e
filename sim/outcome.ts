import type { Finding } from "./checkers/findings.js";
import type { FaultTable } from "./plan/faults.js";

/** What came out of one seed. */
export interface Outcome {
  readonly seed: number;
  /** What was wrong; empty: nothing. */
  readonly findings: readonly Finding[];
  /** Whether its clocks kept what the documentation assumes. */
  readonly keepsAssumptions: boolean;
  readonly clients: number;
  readonly grants: number;
  /** Injected ones. */
  readonly faults: number;
  readonly faultTable: FaultTable;
  /** Waits that gave way to break a deadlock. */
  readonly victims: number;
  /** Writes that the tokens have stopped. */
  readonly refusedWrites: number;
  readonly requests: number;
  /** Virtual time. */
  readonly seconds: number;
}
