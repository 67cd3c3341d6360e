import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import type { World } from "../../src/testing/virtual/world.js";
import {
  FAULT_KINDS,
  type FaultKind,
  isPossible,
  PROCESS_FAULTS,
  type ProcessFault,
  REQUEST_FAULTS,
  type RequestFault,
  type TimeFault,
} from "./fault-kinds.js";
import type { Plan } from "./plan.js";
import { STEPS, type Step } from "./steps.js";

/** How often each fault hit each step of the protocol. */
export type FaultTable = Record<FaultKind, Record<Step, number>>;

export function emptyFaultTable(): FaultTable {
  const row = () => Object.fromEntries(STEPS.map((step) => [step, 0])) as Record<Step, number>;
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, row()])) as FaultTable;
}

const FINE: Fate = { kind: "fine" };

/** Draws the fate of every request, until it is told to stop; and counts what has been done to whom. */
export class Faults {
  readonly table = emptyFaultTable();
  /** Called where something is to happen to a process while its request is under way. */
  onProcessFault: (kind: ProcessFault, process: SimProcess) => void = () => {};
  isOn = true;
  /** Injected so far; what is merely the matter all the while does not count. */
  count = 0;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #world: World;
  readonly #startedAtMs: number;
  readonly #spells = new Map<SimProcess, Spell>();
  #focused = 0;
  #drawn = 0;

  constructor(plan: Plan, world: World) {
    this.#plan = plan;
    this.#world = world;
    this.#startedAtMs = world.nowMs;
    const random = world.random.fork();
    this.#random = random;
  }

  fate(step: Step, process: SimProcess): Fate {
    this.#noteAmbience(step, process);
    if (!this.isOn) return FINE;
    if (this.isAway)
      return this.#plan.outage?.isSilent ? { kind: "lost" } : { kind: "error", status: 503, applied: false };
    const kind = this.#draw(step, process);
    if (kind === undefined || !this.mayInject(kind)) return FINE;
    if (isProcessFault(kind)) {
      // At any moment while it is on its way, there or back.
      const delayMs = this.#random.between(0, this.#plan.roundTripMs[0]);
      process.world.after(delayMs, () => this.onProcessFault(kind, process));
      return FINE;
    }
    this.#count(kind, step);
    return this.#fateOf(kind, process);
  }

  /** Whether the store is out of reach for all clients. */
  get isAway(): boolean {
    const { outage } = this.#plan;
    const forMs = this.#world.nowMs - this.#startedAtMs;
    return outage !== undefined && outage.afterMs <= forMs && forMs < outage.afterMs + outage.forMs;
  }

  /** Says whether the next fault in the order of the run may be: a smaller plan may leave it out. */
  mayInject(kind: FaultKind): boolean {
    const index = this.#drawn;
    this.#drawn += 1;
    const { faultLimit, withoutFaults, withoutKinds } = this.#plan.edits;
    return (
      index < (faultLimit ?? Number.POSITIVE_INFINITY) &&
      !withoutFaults?.includes(index) &&
      !withoutKinds?.includes(kind)
    );
  }

  /** Notes that something happens to a process, at whatever step it is. */
  noteProcessFault(kind: ProcessFault, inFlight: readonly Step[]): void {
    for (const step of new Set(inFlight.length === 0 ? (["between"] as const) : inFlight)) this.table[kind][step] += 1;
    this.count += 1;
  }

  /** Notes an answer that does not simply tell the time of the store. */
  noteDate(kind: TimeFault | "date-off", step: Step): void {
    if (this.isOn) this.table[kind][step] += 1;
  }

  #count(kind: FaultKind, step: Step): void {
    this.table[kind][step] += 1;
    this.count += 1;
  }

  #noteAmbience(step: Step, { clocks }: SimProcess): void {
    if (!this.isOn) return;
    if (clocks.wallOffsetMs !== 0) this.table["wall-off"][step] += 1;
    if (clocks.drift !== 0) this.table.drift[step] += 1;
  }

  #draw(step: Step, process: SimProcess): RequestFault | ProcessFault | undefined {
    const spell = this.#spells.get(process);
    if (spell !== undefined && spell.untilMs > process.world.nowMs && isPossible(spell.kind, step)) return spell.kind;
    const { focus, faultRates } = this.#plan;
    if (focus?.step === step && this.#focused < FOCUSED && this.#random.chance(0.8)) {
      this.#focused += 1;
      return focus.fault;
    }
    let drawn = this.#random.number();
    for (const kind of REQUEST_FAULTS) {
      drawn -= faultRates[kind];
      if (drawn < 0) return isPossible(kind, step) ? kind : "lost";
    }
    return undefined;
  }

  #fateOf(kind: RequestFault, process: SimProcess): Fate {
    const random = this.#random;
    switch (kind) {
      case "lost":
      case "answer-lost":
        return { kind };
      case "late":
        return { kind, byMs: random.between(10, LATEST_MS) };
      case "slow":
        return random.chance(0.5)
          ? { kind, thereMs: random.between(0, SLOWEST_MS), backMs: 0 }
          : { kind, thereMs: 0, backMs: random.between(0, SLOWEST_MS) };
      case "duplicated":
        return { kind: "copied", afterMs: random.chance(0.5) ? random.between(0, 100) : random.between(0, LATEST_MS) };
      case "412-after-success":
        return { kind: "twice" };
      case "partition":
        this.#spellOf(process, kind, random.between(100, 8000));
        return { kind: "lost" };
      case "conflicts":
        this.#spellOf(process, kind, random.between(100, random.chance(0.9) ? 8000 : 60_000));
        return { kind: "error", status: 409, applied: false };
      case "stale":
        return { kind, byMs: this.#spellOf(process, kind, random.between(100, LONGEST_CACHED_MS)).lagMs };
      case "500-applied":
        return { kind: "error", status: 500, applied: true };
      case "409":
      case "429":
      case "500":
      case "503":
        return { kind: "error", status: Number(kind) as 409 | 429 | 500 | 503, applied: false };
    }
  }

  /** Finds what goes on for a while already, or begins it now. */
  #spellOf(process: SimProcess, kind: RequestFault, forMs: number): Spell {
    const { nowMs } = process.world;
    const known = this.#spells.get(process);
    if (known?.kind === kind && known.untilMs > nowMs) return known;
    const spell = { kind, untilMs: nowMs + forMs, lagMs: this.#random.between(100, LONGEST_CACHED_MS) };
    this.#spells.set(process, spell);
    return spell;
  }
}

interface Spell {
  readonly kind: RequestFault;
  readonly untilMs: number;
  /** How old what is read is. */
  readonly lagMs: number;
}

/** A request that no caller waits for any more lands this much later at most, in milliseconds. */
export const LATEST_MS = 20_000;
/** On its way there, or back; a caller that has waited for long enough by then does not hear of it. */
const SLOWEST_MS = 3000;
/** How far behind the store a cache on the way is, and for how long it is in the way. */
const LONGEST_CACHED_MS = 15_000;
/** How often the pair that a seed is about is brought about on purpose. */
const FOCUSED = 3;

function isProcessFault(kind: FaultKind): kind is ProcessFault {
  return (PROCESS_FAULTS as readonly string[]).includes(kind);
}
