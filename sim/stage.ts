import type { SimProcess } from "../src/testing/virtual/process.js";
import { SimBucket } from "../src/testing/virtual/store.js";
import { World } from "../src/testing/virtual/world.js";
import { REST_MS } from "./actors/maintenance.js";
import { AtLeastChecker } from "./checkers/at-least.js";
import { BeliefChecker } from "./checkers/beliefs.js";
import { ChainChecker } from "./checkers/chain.js";
import { DeadlockChecker } from "./checkers/deadlocks.js";
import { Findings } from "./checkers/findings.js";
import { HistoryChecker } from "./checkers/history.js";
import { InsideChecker } from "./checkers/inside.js";
import { type LeftBehind, LeftoverChecker } from "./checkers/leftovers.js";
import { OnceChecker } from "./checkers/once.js";
import { OrderChecker } from "./checkers/order.js";
import { RecordChecker } from "./checkers/record.js";
import { FencedCounter } from "./checkers/resource.js";
import { SharesChecker } from "./checkers/shares.js";
import { planOf } from "./draw.js";
import type { Outcome } from "./outcome.js";
import { describeBody, holdersOf } from "./plan/body.js";
import { Dates, mayLackTime } from "./plan/dates.js";
import { Faults } from "./plan/faults.js";
import type { Edits, Plan } from "./plan/plan.js";
import { type Step, stepOf } from "./plan/steps.js";
import { keyOf, lockOf, type Participant, type Scene } from "./scene.js";
import type { Task } from "./task.js";

export interface StageOptions {
  readonly edits: Edits | undefined;
  readonly onTrace: ((line: string) => void) | undefined;
  readonly isOver: () => boolean;
  readonly tasks: () => readonly Task[];
  readonly onClosed: (participant: Participant, leftBehind: readonly LeftBehind[]) => void;
  readonly onSend: (process: SimProcess) => void;
}

/** The world of one seed, its store, its faults and its checkers, wired up. */
export class Stage {
  readonly seed: number;
  readonly world: World;
  readonly plan: Plan;
  readonly faults: Faults;
  readonly findings: Findings;
  readonly records: RecordChecker;
  readonly scene: Scene<Task>;
  readonly #startedAtMs: number;

  constructor(seed: number, options: StageOptions) {
    this.seed = seed;
    this.world = new World(seed);
    this.world.onTrace = options.onTrace;
    this.#startedAtMs = this.world.nowMs;
    this.plan = planOf(seed, this.world.random.fork(), options.edits);
    this.faults = new Faults(this.plan, this.world);
    this.findings = new Findings(() => this.world.nowMs);
    this.findings.onFinding = ({ property, detail }) => this.world.trace(() => `FINDING ${property}: ${detail}`);
    this.records = this.#recordChecker();
    this.scene = this.#scene(options);
    this.world.onStep = () => this.scene.beliefs.check();
    this.world.trace(() => `plan ${JSON.stringify(this.plan)}`);
  }

  hadEnough(minFaults: number): boolean {
    return this.records.grants >= this.plan.grants && (this.faults.count >= minFaults || this.#hasFewer);
  }

  /** Checks at the end. A seed that is too thin to prove anything is a finding, too: none is excluded. */
  finish(minFaults: number): void {
    this.scene.history.check(this.findings);
    this.scene.chain.check();
    const { grants } = this.records;
    const { count } = this.faults;
    if (this.#hasFewer || (grants >= this.plan.grants && count >= minFaults && this.plan.clients.length >= 3)) return;
    this.findings.report("thin", `${this.plan.clients.length} clients, ${grants} grants, ${count} faults`);
  }

  outcome(): Outcome {
    return {
      seed: this.seed,
      findings: this.findings.found,
      keepsAssumptions: this.plan.keepsAssumptions,
      clients: this.plan.clients.length,
      grants: this.records.grants,
      faults: this.faults.count,
      faultTable: this.faults.table,
      victims: this.scene.deadlocks.victims,
      refusedWrites: [...this.scene.counters.values()].reduce((sum, counter) => sum + counter.refused, 0),
      requests: this.scene.bucket.requests,
      seconds: (this.world.nowMs - this.#startedAtMs) / 1000,
    };
  }

  /** A plan that was made smaller on purpose. */
  get #hasFewer(): boolean {
    return Object.keys(this.plan.edits).length > 0;
  }

  /** Says whether no lease ends before its published end, and by how much it may seem to. */
  #judgement(): { readonly isJudged: boolean; readonly earlyMs: number } {
    const { keepsAssumptions, hasDate, hasExactClocks, gatewaySpreadMs } = this.plan;
    // Without a `Date`, what is published is the wall clock of its writer.
    const isJudged = keepsAssumptions && (hasDate || hasExactClocks);
    return { isJudged, earlyMs: SWEEP_EARLY_MS + gatewaySpreadMs };
  }

  #recordChecker(): RecordChecker {
    const { keepsAssumptions, hasDate, hasExactClocks, takeover, gatewaySpreadMs, toleranceMs, dates } = this.plan;
    const { isJudged: judgesTime, earlyMs } = this.#judgement();
    // A client that is not told the time watches.
    const isObserved = takeover === "observed" || !hasDate || dates !== undefined;
    const wipedMs = keepsAssumptions ? WIPED_MS + gatewaySpreadMs : Number.POSITIVE_INFINITY;
    return new RecordChecker(this.findings, {
      now: () => this.world.nowMs,
      judgesTime,
      earlyMs,
      toleranceMs,
      aheadMs: gatewaySpreadMs + (hasExactClocks ? ROUNDING_MS : toleranceMs / 2 + DRIFT_MS),
      isObserved,
      restMs: REST_MS,
      wipedMs,
      mayFallOnRemoval: mayLackTime(dates),
    });
  }

  #scene({ isOver, tasks, onClosed, onSend }: StageOptions): Scene<Task> {
    const { plan, findings, records, world } = this;
    const now = () => world.nowMs;
    const hasOrder = plan.hasExactClocks && plan.hasDate && plan.dates === undefined;
    const beliefs = new BeliefChecker(findings, plan.keepsAssumptions);
    const { outage } = plan;
    const backAtMs = outage === undefined ? undefined : this.#startedAtMs + outage.afterMs + outage.forMs;
    const leftovers = new LeftoverChecker(findings, now, () => records.all, backAtMs);
    const inside = new InsideChecker(findings, now, plan.keepsAssumptions);
    const { toleranceMs, gatewaySpreadMs: aheadMs } = plan;
    const order = hasOrder ? new OrderChecker(findings, { now, toleranceMs, aheadMs }) : undefined;
    const bucket = this.#bucket(onSend);
    const history = new HistoryChecker(
      plan.keepsAssumptions,
      plan.clients.some(({ kind }) => kind === "1.x"),
    );
    const { isJudged, earlyMs } = this.#judgement();
    const atLeast = new AtLeastChecker(findings, { now, isJudged, earlyMs });
    records.onGrant = (key, before, holder, after) => {
      atLeast.granted(key, holder);
      order?.granted(key, before, holder, after);
      history.landed(lockOf(key) ?? key, holder.token);
    };
    records.onRestore = (key, holder) => history.landed(lockOf(key) ?? key, holder.token);
    records.onForce = (key, turn) => {
      beliefs.excuse(lockOf(key) ?? key, turn);
      inside.excuse(lockOf(key) ?? key, turn);
      leftovers.force(turn.id);
      atLeast.excuse(key, turn);
      history.force(lockOf(key) ?? key, turn.token);
    };
    const recordOf = (lock: string) => records.last(keyOf(lock));
    const deadlocks = new DeadlockChecker(findings, now, recordOf, tasks, plan.roundTripMs[1]);
    // With wrong clocks, or by 1.x, even a hold that is part of a cycle.
    records.onTaken = () => deadlocks.disturb();
    const chain = new ChainChecker(findings);
    const shares = new SharesChecker(findings);
    bucket.onChange = (key, body, by) => {
      if (lockOf(key) === undefined) return chain.landed(key, body);
      records.landed(key, body, by?.step === "1.x");
      shares.landed(key, (one) => records.last(one));
      const record = records.last(key);
      if (record !== undefined) leftovers.landed(key, record);
      order?.landed(key, record);
    };
    return {
      plan,
      bucket,
      findings,
      beliefs,
      inside,
      leftovers,
      order,
      chain,
      once: new OnceChecker(findings),
      atLeast,
      history,
      canSeeCycles: (plan.hasDate && !mayLackTime(plan.dates)) || plan.hasExactClocks,
      mayContradictItself: plan.isCached || plan.faultRates.conflicts > 0 || plan.focus?.fault === "conflicts",
      deadlocks,
      backAtMs,
      leaseEndsMs: (lock) => holdersOf(records.last(keyOf(lock))).map(({ expiresAtMs }) => expiresAtMs),
      counters: new Map(plan.locks.map((lock) => [lock, new FencedCounter(lock, findings)])),
      tasks,
      isOver,
      onClosed,
    };
  }

  #dates(): Dates | undefined {
    const { plan, faults, seed, world } = this;
    if (plan.dates === undefined) return undefined;
    const dates = new Dates(seed, plan.dates, () => faults.isOn, plan.edits.withoutKinds);
    dates.onFault = (kind, step) => {
      world.trace(() => `${kind} in the next answer, to ${step}`);
      faults.noteDate(kind, step);
    };
    return dates;
  }

  #bucket(onSend: (process: SimProcess) => void): SimBucket<Step> {
    const { plan, faults, world } = this;
    const random = world.random.fork();
    const [fastest, slowest] = plan.roundTripMs;
    const dates = this.#dates();
    return new SimBucket<Step>(world, {
      roundTripMs: () => random.between(fastest, slowest),
      fate: (_operation, _key, process, _body, step) => {
        if (plan.gatewaySpreadMs > 0) faults.noteDate("date-off", step);
        return faults.fate(step, process);
      },
      dateOffsetMs: () => random.integer(0, 1) * plan.gatewaySpreadMs,
      removes: plan.removes,
      isCached: plan.isCached,
      hasDate: plan.hasDate,
      tell: dates && ((answer) => dates.tell(answer)),
      onSend: (_, process) => onSend(process),
      stepOf,
      describe: describeBody,
    });
  }
}

/** Published times are whole milliseconds. */
const ROUNDING_MS = 1;
/** What clocks that are right drift apart in a run. */
const DRIFT_MS = 20;

/** A sweep frees a lease at its published end by its own clock, which may be this much fast. */
const SWEEP_EARLY_MS = 600;

/** The bounds of one, and the wall clock of the other. */
const WIPED_MS = 2500;
