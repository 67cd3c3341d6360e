import { FAULT_KINDS, type FaultKind, type Plan } from "./plan.js";
import type { SimProcess } from "./process.js";
import type { Random } from "./random.js";
import { STEPS, type Step, stepOf } from "./steps.js";
import type { Fate, Operation } from "./store.js";

/** How often each fault hit each step of the protocol. */
export type FaultTable = Record<FaultKind, Record<Step, number>>;

export function emptyFaultTable(): FaultTable {
  const row = () => Object.fromEntries(STEPS.map((step) => [step, 0])) as Record<Step, number>;
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, row()])) as FaultTable;
}

/** Draws the fate of every request, until it is told to stop. */
export class Faults {
  readonly table = emptyFaultTable();
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #partitionedUntilMs = new Map<SimProcess, number>();
  isOn = true;

  constructor(plan: Plan, random: Random) {
    this.#plan = plan;
    this.#random = random;
  }

  get count(): number {
    return Object.values(this.table)
      .flatMap((row) => Object.values(row))
      .reduce((sum, hits) => sum + hits, 0);
  }

  fate(operation: Operation, process: SimProcess, body: string | undefined): Fate {
    if (!this.isOn) return { kind: "fine" };
    const kind = this.#draw(operation, process);
    if (kind === undefined) return { kind: "fine" };
    this.table[kind][stepOf(operation, body)] += 1;
    return this.#fateOf(kind, process);
  }

  #draw(operation: Operation, process: SimProcess): FaultKind | undefined {
    if ((this.#partitionedUntilMs.get(process) ?? 0) > process.world.nowMs) return "partition";
    let drawn = this.#random.number();
    for (const kind of FAULT_KINDS) {
      drawn -= this.#plan.faultRates[kind];
      // Only a write can lose a race.
      if (drawn < 0) return kind === "409" && operation !== "write" ? "lost" : kind;
    }
    return undefined;
  }

  #fateOf(kind: FaultKind, process: SimProcess): Fate {
    switch (kind) {
      case "lost":
      case "answer-lost":
      case "twice":
        return { kind };
      case "late":
        return { kind, byMs: this.#random.between(10, 20_000) };
      case "partition": {
        const { world } = process;
        const untilMs = this.#partitionedUntilMs.get(process) ?? 0;
        if (untilMs <= world.nowMs)
          this.#partitionedUntilMs.set(process, world.nowMs + this.#random.between(100, 8000));
        return { kind: "lost" };
      }
      case "500-applied":
        return { kind: "error", status: 500, applied: true };
      case "409":
      case "429":
      case "500":
      case "503":
        return { kind: "error", status: Number(kind) as 409 | 429 | 500 | 503, applied: false };
    }
  }
}
