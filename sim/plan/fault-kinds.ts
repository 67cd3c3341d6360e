import type { Step } from "./steps.js";

/** What the network and the store do to one request. */
export const REQUEST_FAULTS = [
  "lost",
  "answer-lost",
  "late",
  "slow",
  "duplicated",
  "409",
  "412-after-success",
  "429",
  "500",
  "500-applied",
  "503",
  "partition",
  "conflicts",
  "stale",
] as const;
export type RequestFault = (typeof REQUEST_FAULTS)[number];

/** What happens to a whole process, at any moment: within a request, or between two. */
export const PROCESS_FAULTS = ["crash", "freeze", "suspend", "wall-step"] as const;
export type ProcessFault = (typeof PROCESS_FAULTS)[number];

/** What is the matter all the while: counted for each request that is sent under it, but not as an injected fault. */
export const AMBIENT_FAULTS = ["wall-off", "drift", "date-off"] as const;

/** What single answers say about the time; neither does that count as injected. */
export const TIME_FAULTS = ["date-missing", "date-aged", "date-late", "date-wrong"] as const;
export type TimeFault = (typeof TIME_FAULTS)[number];

export const FAULT_KINDS = [...REQUEST_FAULTS, ...PROCESS_FAULTS, ...AMBIENT_FAULTS, ...TIME_FAULTS] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Those that go on for a while, for all of a process's requests: they begin less often. */
export const SPELLS: ReadonlySet<FaultKind> = new Set(["partition", "conflicts", "stale"]);

/** What only a write can meet. */
const NEEDS_CONDITION: ReadonlySet<FaultKind> = new Set(["409", "412-after-success", "conflicts"]);

/** Says whether it can occur: only a write has a condition to lose, only a read comes out of a cache, and between requests none is hit. */
export function isPossible(fault: FaultKind, step: Step): boolean {
  if (step === "between") return (PROCESS_FAULTS as readonly string[]).includes(fault);
  if (fault === "stale") return step === "read";
  // 1.x believes what others publish, so that wrong times are not among the assumptions where it takes part.
  if (fault === "date-wrong" && (step === "1.x" || step === "adopt")) return false;
  const isQuestion = step === "read" || step === "list";
  return !(isQuestion && NEEDS_CONDITION.has(fault));
}
