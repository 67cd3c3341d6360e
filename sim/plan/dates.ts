import type { SimProcess } from "../../src/testing/virtual/process.js";
import { Random } from "../../src/testing/virtual/random.js";
import { dateOf, type Heard, type Told } from "../../src/testing/virtual/store.js";
import type { FaultKind, TimeFault } from "./fault-kinds.js";
import type { Step } from "./steps.js";

/** The answers that may lack a `Date`. */
type Undated = "all" | "reads" | "writes";

/** How one front end of the store, or a proxy before it, tells the time. */
export interface FrontEnd {
  /** How many of its answers have no `Date`. */
  readonly missing: number;
  /** Which answers those are: a gateway may date what it does for itself and pass on, undated, what is kept behind it. */
  readonly missingOf: Undated;
  /** How many have an `Age`, as those out of a cache. */
  readonly aged: number;
  /** By how much the text of its `Date` may be late, in milliseconds, besides its rounding to whole seconds. */
  readonly lateMs: number;
  /** It makes that text anew once a second; otherwise each answer is late by something else. */
  readonly keepsText: boolean;
}

/** How the answers of one run tell the time, where they do not all do so in the same way. */
export interface DatePlan {
  readonly frontEnds: readonly FrontEnd[];
  /** Each process is answered by one of them only. */
  readonly isPinned: boolean;
  /** How many of the answers with a `Date` are hours off. */
  readonly wrong: number;
  /** Most of the answers to this step are, as far as they may be. */
  readonly wrongStep: Step | undefined;
  /** Between two wrong ones a process hears right ones: what two in a row agree on is believed. */
  readonly areSingle: boolean;
}

/** What a run is like otherwise. */
export interface DateConditions {
  readonly hasDate: boolean;
  readonly keepsAssumptions: boolean;
  readonly hasExactClocks: boolean;
  readonly hasClientOf1x: boolean;
  /** How far front ends are apart, in milliseconds. */
  readonly gatewaySpreadMs: number;
  /** What the seed is about. */
  readonly focus: { readonly step: Step } | undefined;
}

const PLAIN: FrontEnd = { missing: 0, missingOf: "all", aged: 0, lateMs: 0, keepsText: false };
/** How many of the seeds are about that. */
const SHARE = 0.25;
/** Servers that keep the text for a second send it up to two seconds late, its rounding included. */
const LATEST_TEXT_MS = 1000;

/**
 * Draws from a stream of its own, so that everything else in a seed is as it would be without. 1.x believes what others publish: where it
 * takes part they need store time, or wall clocks that are right.
 */
export function datesOf(seed: number, conditions: DateConditions): DatePlan | undefined {
  const random = streamOf(seed, "plan");
  if (!random.chance(SHARE) || !conditions.hasDate) return undefined;
  const { hasClientOf1x, hasExactClocks, keepsAssumptions, gatewaySpreadMs, focus } = conditions;
  const mayBeMissing = !hasClientOf1x || hasExactClocks;
  const frontEnds = [random, random].map(() => ({
    missing: random.pick([0, 0, 0.1, 0.5, 1]),
    aged: random.pick([0, 0, 0.1, 0.5]),
    lateMs: random.pick([0, LATEST_TEXT_MS, LATEST_TEXT_MS]),
    keepsText: random.chance(0.5),
  }));
  const isPinned = random.chance(0.5);
  const wrong = random.pick([0, 0.02]);
  const undated = frontEnds.map(
    (one): FrontEnd => ({ ...one, missingOf: random.pick<Undated>(["all", "all", "reads", "writes"]) }),
  );
  // Front ends that disagree by seconds never agree again, so that no client forgets what one answer said.
  const isWrong = wrong > 0 && !hasClientOf1x && gatewaySpreadMs < LATEST_TEXT_MS / 2;
  return {
    frontEnds: mayBeMissing ? undated : undated.map((one) => ({ ...one, missing: 0 })),
    isPinned,
    wrong: isWrong ? wrong : 0,
    wrongStep: isWrong ? focus?.step : undefined,
    areSingle: keepsAssumptions,
  };
}

/** Completes a plan that is given by hand: what it does not say is as it should be. */
export function datePlanOf({ frontEnds = [PLAIN], ...given }: PartialDatePlan): DatePlan {
  const plain = { isPinned: false, wrong: 0, wrongStep: undefined, areSingle: true };
  return { ...plain, ...given, frontEnds: frontEnds.map((one) => ({ ...PLAIN, ...one })) };
}

export type PartialDatePlan = Partial<Omit<DatePlan, "frontEnds">> & {
  readonly frontEnds?: readonly Partial<FrontEnd>[];
};

/** Says whether a client may have no store time at all, and go by its own wall clock. */
export function mayLackTime(plan: DatePlan | undefined): boolean {
  return plan !== undefined && (plan.wrong > 0 || plan.frontEnds.some(({ missing }) => missing > 0));
}

/** Decides what each answer says about the time; asked when it is heard, in the order in which that happens. */
export class Dates {
  /** Called for each answer that does not simply tell the time, with its step. */
  onFault: (kind: TimeFault, step: Step) => void = () => {};
  readonly #plan: DatePlan;
  readonly #random: Random;
  readonly #isOn: () => boolean;
  readonly #without: ReadonlySet<FaultKind>;
  readonly #pinnedTo = new Map<SimProcess, FrontEnd>();
  readonly #phases: ReadonlyMap<FrontEnd, number>;
  /** Processes that have had an answer with a `Date`. */
  readonly #heard = new Set<SimProcess>();
  readonly #wrongs = new Map<SimProcess, { readonly atMs: number; rightSince: number }>();

  /** @param isOn whether single answers may be wrong: that is a fault, which ends with the others */
  constructor(seed: number, plan: DatePlan, isOn: () => boolean, without: readonly FaultKind[] = []) {
    this.#isOn = isOn;
    this.#plan = plan;
    this.#random = streamOf(seed, "answers");
    this.#without = new Set(without);
    this.#phases = new Map(plan.frontEnds.map((frontEnd) => [frontEnd, this.#random.between(0, 1000)]));
  }

  tell(answer: Heard<Step>): Told {
    const frontEnd = this.#frontEndOf(answer.process);
    const isMissing = this.#happens("date-missing", frontEnd.missing) && isOf(frontEnd.missingOf, answer.step);
    const isAged = this.#happens("date-aged", frontEnd.aged);
    const lateMs = this.#lateMs(frontEnd, answer.writtenAtMs);
    if (isAged) {
      this.onFault("date-aged", answer.step);
      return { aged: true };
    }
    if (isMissing) {
      this.onFault("date-missing", answer.step);
      return {};
    }
    if (lateMs > 0) this.onFault("date-late", answer.step);
    return { dateMs: dateOf(answer.writtenAtMs + answer.offsetMs - lateMs + this.#wrongByMs(answer)) };
  }

  #frontEndOf(process: SimProcess): FrontEnd {
    const drawn = this.#random.pick(this.#plan.frontEnds);
    if (!this.#plan.isPinned) return drawn;
    const frontEnd = this.#pinnedTo.get(process) ?? drawn;
    this.#pinnedTo.set(process, frontEnd);
    return frontEnd;
  }

  #happens(kind: TimeFault, probability: number): boolean {
    return this.#random.chance(probability) && !this.#without.has(kind);
  }

  #lateMs(frontEnd: FrontEnd, writtenAtMs: number): number {
    const { lateMs, keepsText } = frontEnd;
    const drawnMs = this.#random.between(0, lateMs);
    if (lateMs === 0 || this.#without.has("date-late")) return 0;
    return keepsText ? (writtenAtMs + (this.#phases.get(frontEnd) ?? 0)) % lateMs : drawnMs;
  }

  #wrongByMs({ process, step, sentAtMs, isStores }: Heard<Step>): number {
    const isFocused = (step === this.#plan.wrongStep || !isStores) && this.#random.chance(0.8) && this.#plan.wrong > 0;
    const isFirst = !this.#heard.has(process) && this.#random.chance(0.3) && this.#plan.wrong > 0;
    this.#heard.add(process);
    const isDue = this.#happens("date-wrong", this.#plan.wrong) || isFocused || isFirst;
    const byMs = this.#wrongBy(process, isFirst);
    const last = this.#wrongs.get(process);
    // One that left before the wrong answer came may be one that this process does not go by.
    if (last !== undefined && last.atMs <= sentAtMs && isStores) last.rightSince += 1;
    const mayBe = !this.#plan.areSingle || !isStores || last === undefined || last.rightSince > RIGHT_BETWEEN;
    if (!isDue || !mayBe || !this.#isOn() || this.#without.has("date-wrong")) return 0;
    if (isStores) this.#wrongs.set(process, { atMs: process.world.nowMs, rightSince: 0 });
    this.onFault("date-wrong", step);
    return byMs;
  }

  /** Draws an error, often as large as that of the process's wall clock, where that is far off: by itself it cannot tell then. */
  #wrongBy({ clocks: { wallOffsetMs } }: SimProcess, isFirst: boolean): number {
    const drawnMs = this.#random.pick([-1, 1]) * this.#random.pick(WRONG_BY_MS);
    const isAsWall = this.#random.chance(isFirst ? 0.8 : 0.3) && Math.abs(wallOffsetMs) >= LEAST_FAR_MS;
    return isAsWall ? wallOffsetMs : drawnMs;
  }
}

function isOf(undated: Undated, step: Step): boolean {
  return undated === "all" || (undated === "reads") === READS.has(step);
}

const READS: ReadonlySet<Step> = new Set(["read", "list"]);
/** A wall clock that is off by less is not known from one that is right. */
const LEAST_FAR_MS = 5000;
/** The last one is more than a proof of the check of a store lives. */
const WRONG_BY_MS = [10_000, 3_600_000, 90_000_000];
const RIGHT_BETWEEN = 3;

const STREAMS = { plan: 1, answers: 2 };

/** Makes the generator of a stream of a seed, apart from all others: seeds are below 2^40. */
function streamOf(seed: number, stream: keyof typeof STREAMS): Random {
  return new Random(seed + STREAMS[stream] * 2 ** 40);
}
