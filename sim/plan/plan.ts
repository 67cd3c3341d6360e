import type { Capacity } from "../../src/core/shares.js";
import type { ClockFaults } from "../../src/testing/virtual/process.js";
import type { DatePlan, PartialDatePlan } from "./dates.js";
import type { FaultKind, ProcessFault, RequestFault } from "./fault-kinds.js";
import type { Step } from "./steps.js";

/** All that a seed decides before a run begins. Options are drawn per run, so that some runs have many of a fault and some none. */
export interface Plan {
  readonly clients: readonly ClientPlan[];
  readonly locks: readonly string[];
  /** Whether clocks keep what the documentation assumes of them; otherwise only tokens and liveness are judged. */
  readonly keepsAssumptions: boolean;
  readonly hasExactClocks: boolean;
  readonly leaseMs: number;
  readonly toleranceMs: number;
  readonly takeover: "store-time" | "observed";
  /** Whether grants wait until the store is known to be safe: one run in five, so that most requests are about locks. */
  readonly verify: "auto" | "never";
  readonly roundTripMs: readonly [number, number];
  /** Per request, by kind of fault. */
  readonly faultRates: Readonly<Record<RequestFault, number>>;
  /** One pair of a fault and a step that this seed brings about on purpose: all of them have their turn. */
  readonly focus: { readonly fault: RequestFault | ProcessFault; readonly step: Step } | undefined;
  /** How far the store's front ends are apart, in milliseconds. */
  readonly gatewaySpreadMs: number;
  readonly hasDate: boolean;
  /** How its answers tell the time, where they do not all do so alike. */
  readonly dates: DatePlan | undefined;
  /** Whether reads may come out of a cache: then what is read says nothing about now, and only safety is judged. */
  readonly isCached: boolean;
  /** When the store is out of reach for all clients, from the beginning on; silent, or answering 503. */
  readonly outage: { readonly afterMs: number; readonly forMs: number; readonly isSilent: boolean } | undefined;
  readonly removes: boolean;
  /** The run ends with a sweep that removes objects that are at rest. */
  readonly hasEvening: boolean;
  /** All clients are closed in the middle of work, not after it. */
  readonly closesBusy: boolean;
  readonly grants: number;
  /** How much of a semaphore goes into one record; so little in some seeds that the few permits of a run need several. */
  readonly capacity: Capacity | undefined;
  readonly edits: Edits;
}

export interface ClientPlan {
  readonly name: string;
  readonly clocks: ClockFaults;
  readonly kind: "current" | "1.x";
  /** Whether each of its turns is a line of work of its own, or all run in the context in which it has started. */
  readonly context: "own" | "shared" | "under a lock";
  /** Whether something of it runs for as long as it does itself: a candidate, an observer, a watcher. */
  readonly hasLoops: boolean;
  /** Lines of work that share its one mutex. */
  readonly tasks: number;
  /** How long it rests between two turns, at the longest. */
  readonly restMs: number;
  /** How often it does each of the turns in `actors/registry.ts`. */
  readonly weights: Readonly<Record<string, number>>;
  /** How often something happens to it, per second. */
  readonly troubles: Readonly<Record<ProcessFault | "restart", number>>;
}

/** What a smaller plan for the same seed leaves out. Everything else is drawn as it was. */
export interface Edits {
  readonly clients?: readonly string[];
  readonly tasks?: number;
  readonly withoutKinds?: readonly FaultKind[];
  /** By their place in the order in which the run injects them. */
  readonly withoutFaults?: readonly number[];
  readonly faultLimit?: number;
  readonly withoutTurns?: readonly string[];
  readonly exactClocks?: boolean;
  readonly grants?: number;
  /** How answers tell the time, whatever was drawn for that; what is not said is as it should be. */
  readonly dates?: PartialDatePlan;
}
