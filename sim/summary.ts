import type { Outcome } from "./outcome.js";
import { FAULT_KINDS, type FaultKind, isPossible } from "./plan/fault-kinds.js";
import { emptyFaultTable } from "./plan/faults.js";
import { STEPS, type Step } from "./plan/steps.js";

/** From so many seeds on, every pair of a fault and a step has to have occurred. */
export const ENOUGH_SEEDS = 2000;
const KEPT_SHARE = 0.7;

/** Adds the outcomes of many seeds up, and says what is missing. */
export class Summary {
  readonly table = emptyFaultTable();
  seeds = 0;
  violations = 0;
  #kept = 0;
  #grants = 0;
  #faults = 0;
  #requests = 0;
  #victims = 0;
  #refusedWrites = 0;
  #seconds = 0;

  add(outcome: Outcome): void {
    this.seeds += 1;
    if (outcome.findings.length > 0) this.violations += 1;
    if (outcome.keepsAssumptions) this.#kept += 1;
    this.#grants += outcome.grants;
    this.#faults += outcome.faults;
    this.#requests += outcome.requests;
    this.#victims += outcome.victims;
    this.#refusedWrites += outcome.refusedWrites;
    this.#seconds += outcome.seconds;
    for (const fault of FAULT_KINDS) {
      for (const step of STEPS) this.table[fault][step] += outcome.faultTable[fault][step];
    }
  }

  /** Counts these seeds, with which a worker was lost. */
  addLost(seeds: readonly number[]): void {
    this.seeds += seeds.length;
    this.violations += 1;
  }

  /** What this many seeds have to have shown, and have not. */
  get shortcomings(): readonly string[] {
    if (this.seeds < ENOUGH_SEEDS) return [];
    const missing = this.#missingPairs.map(([fault, step]) => `${fault} never hit ${step}`);
    if (this.#kept < this.seeds * KEPT_SHARE) missing.push(`fewer than ${KEPT_SHARE * 100} % kept the assumptions`);
    return missing;
  }

  lines(elapsedMs: number): readonly string[] {
    const perMinute = Math.round((this.seeds / elapsedMs) * 60_000);
    const kept = `${this.#kept} of ${this.seeds} seeds (${percent(this.#kept / this.seeds)}) kept the assumptions about clocks`;
    return [
      `Faults by the step of the protocol that they hit ("-": cannot occur):`,
      ...this.#tableLines(),
      kept,
      `${this.#grants} grants, ${this.#faults} faults injected, ${this.#requests} requests, ${this.#victims} deadlocks broken, ${this.#refusedWrites} writes stopped by tokens`,
      `${Math.round(this.#seconds / 3600)} hours of virtual time in ${Math.round(elapsedMs / 1000)} s: ${perMinute} seeds a minute`,
    ];
  }

  get #missingPairs(): readonly (readonly [FaultKind, Step])[] {
    return FAULT_KINDS.flatMap((fault) =>
      STEPS.filter((step) => isPossible(fault, step) && this.table[fault][step] === 0).map(
        (step) => [fault, step] as const,
      ),
    );
  }

  #tableLines(): readonly string[] {
    const cell = (fault: FaultKind, step: Step) => (isPossible(fault, step) ? String(this.table[fault][step]) : "-");
    const widths = STEPS.map((step) => Math.max(step.length, ...FAULT_KINDS.map((fault) => cell(fault, step).length)));
    const first = Math.max(...FAULT_KINDS.map(({ length }) => length));
    const row = (name: string, cells: readonly string[]) =>
      [name.padEnd(first), ...cells.map((text, index) => text.padStart(widths[index] ?? 0))].join("  ");
    return [
      row("", STEPS),
      ...FAULT_KINDS.map((fault) =>
        row(
          fault,
          STEPS.map((step) => cell(fault, step)),
        ),
      ),
    ];
  }
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
