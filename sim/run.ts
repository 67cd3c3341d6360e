import type { DeadlockEvent } from "../src/index.js";
import { spendTurns } from "./actors/turns.js";
import { BeliefChecker } from "./checkers/beliefs.js";
import { Findings, type Violation } from "./checkers/findings.js";
import { HistoryChecker } from "./checkers/history.js";
import { RecordChecker } from "./checkers/record.js";
import { FencedCounter } from "./checkers/resource.js";
import { type Scene, SimClient } from "./client.js";
import { Faults, type FaultTable } from "./faults.js";
import { type Plan, planOf } from "./plan.js";
import { SimBucket } from "./store.js";
import { World } from "./world.js";

/** What came out of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly keepsAssumptions: boolean;
  readonly clients: number;
  readonly grants: number;
  readonly faults: number;
  readonly faultTable: FaultTable;
  readonly victims: number;
  readonly refusedWrites: number;
  readonly violations: readonly Violation[];
}

/** One run: faults first, then none, then everything has to become quiet, free and usable again. */
export async function runSeed(seed: number): Promise<Outcome> {
  const run = new Run(seed);
  await run.play();
  return run.outcome();
}

/** A run ends after so much virtual time even if it had too few grants by then. */
const LONGEST_MS = 30 * 60_000;
const MIN_FAULTS = 5;

class Run {
  readonly #seed: number;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #faults: Faults;
  readonly #findings: Findings;
  readonly #records: RecordChecker;
  readonly #scene: Scene;
  readonly #clients: SimClient[] = [];
  readonly #closed = new Set<SimClient["process"]>();
  #isOver = false;
  #victims = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    this.#plan = planOf(this.#world.random.fork());
    this.#faults = new Faults(this.#plan, this.#world.random.fork());
    const now = () => this.#world.nowMs;
    this.#findings = new Findings(now);
    this.#records = new RecordChecker(this.#findings, now, this.#plan.hasExactClocks && this.#plan.hasDate);
    this.#scene = this.#setUp();
  }

  async play(): Promise<void> {
    for (const plan of this.#plan.clients) void this.#start(plan, plan.name);
    await this.#world.run(LONGEST_MS, () => this.#hadEnough());
    this.#isOver = true;
    this.#faults.isOn = false;
    await this.#settle();
    await this.#checkAftermath();
    this.#scene.history.check(this.#findings);
  }

  outcome(): Outcome {
    return {
      seed: this.#seed,
      keepsAssumptions: this.#plan.keepsAssumptions,
      clients: this.#plan.clients.length,
      grants: this.#records.grants,
      faults: this.#faults.count,
      faultTable: this.#faults.table,
      victims: this.#victims,
      refusedWrites: [...this.#scene.counters.values()].reduce((sum, counter) => sum + counter.refused, 0),
      violations: this.#findings.violations,
    };
  }

  #hadEnough(): boolean {
    return this.#records.grants >= this.#plan.grants && this.#faults.count >= MIN_FAULTS;
  }

  #setUp(): Scene {
    const random = this.#world.random.fork();
    const plan = this.#plan;
    const [fastest, slowest] = plan.roundTripMs;
    const bucket = new SimBucket(this.#world, {
      roundTripMs: () => random.between(fastest, slowest),
      fate: (operation, _, process, body) => this.#faults.fate(operation, process, body),
      dateOffsetMs: () => random.integer(0, 1) * plan.gatewaySpreadMs,
      removes: plan.removes,
      hasDate: plan.hasDate,
      onSend: (_, process) => {
        if (this.#closed.has(process)) this.#findings.report("closed", `${process.name} sent a request after close`);
      },
    });
    bucket.onChange = (key, body) => this.#records.landed(key, body);
    return {
      plan,
      bucket,
      findings: this.#findings,
      beliefs: new BeliefChecker(this.#findings, plan.keepsAssumptions),
      history: new HistoryChecker(),
      counters: new Map(plan.locks.map((lock) => [lock, new FencedCounter(lock, this.#findings)])),
      isOver: () => this.#isOver,
      onVictim: (client, event) => this.#noteVictim(client, event),
    };
  }

  async #start(plan: Plan["clients"][number], name: string): Promise<void> {
    const client = new SimClient(this.#scene, plan, name);
    this.#clients.push(client);
    this.#scheduleTrouble(client, 0);
    await spendTurns(client);
    client.isDone = true;
  }

  /** Freezes, crashes and clock steps, at any moment: also between a request and its answer. */
  #scheduleTrouble(client: SimClient, generation: number): void {
    const { random, plan, process } = client;
    const { freezes, crashes, clockSteps } = plan.habits;
    if (freezes + crashes + clockSteps === 0) return;
    this.#world.after(random.between(0, 1000 / (freezes + crashes + clockSteps)), () => {
      if (this.#isOver || process.isDead) return;
      const drawn = random.number() * (freezes + crashes + clockSteps);
      if (drawn < freezes) process.freeze(random.between(10, this.#plan.leaseMs * 2.5), random.chance(0.3));
      else if (drawn < freezes + crashes) this.#crash(client, generation);
      else if (!this.#plan.keepsAssumptions) process.stepWall(Math.round(random.between(-5000, 5000)));
      this.#scheduleTrouble(client, generation);
    });
  }

  /** Another process takes its place, as a supervisor would see to. */
  #crash(client: SimClient, generation: number): void {
    client.process.kill();
    void this.#start(client.plan, `${client.plan.name}.${generation + 1}.${this.#clients.length}`);
  }

  /** Being in a deadlock is stable, so whoever gives way gives way to holders who are there now, if nobody has died. */
  #noteVictim(client: SimClient, { cycle }: DeadlockEvent): void {
    this.#victims += 1;
    const areAlive = this.#clients.every((other) => other.isAlive);
    if (!areAlive) return;
    for (const { lockName, fencingToken } of cycle) {
      const body = this.#scene.bucket.objects.get(`locks/${lockName}.json`)?.body ?? "{}";
      const { holders = [] } = JSON.parse(body) as { readonly holders?: readonly { readonly token: number }[] };
      if (holders.some(({ token }) => token === fencingToken)) continue;
      this.#findings.report("victim", `${client.name} gave way, but nobody holds ${lockName} with ${fencingToken}`);
    }
  }

  /** Once faults have stopped, everybody who waits gets served or gives up, and comes to the end of its turn. */
  async #settle(): Promise<void> {
    const longestMs = 5 * 60_000 + 10 * this.#plan.leaseMs;
    const how = await this.#world.run(longestMs, () =>
      this.#clients.every((client) => client.isDone || !client.isAlive),
    );
    if (how !== "over") this.#findings.report("liveness", "somebody is never served");
    const living = this.#clients.filter((client) => client.isAlive);
    const closing = Promise.all(
      living.map((client) => client.mutex.close().then(() => this.#closed.add(client.process))),
    );
    await this.#world.until(closing, 60_000).catch(() => this.#findings.report("close", "does not come to an end"));
  }

  /** No lock stays orphaned beyond lease, tolerance, clock bounds, late requests and one poll. */
  async #checkAftermath(): Promise<void> {
    const { leaseMs, toleranceMs } = this.#plan;
    this.#world.after(leaseMs + toleranceMs + 45_000, () => {});
    await this.#world.run(leaseMs + toleranceMs + 45_000);
    const plan = this.#plan.clients[0];
    if (plan === undefined) return;
    const clocks = { wallOffsetMs: 0, drift: 0 };
    const last = new SimClient(this.#scene, { ...plan, clocks }, "last");
    for (const name of this.#plan.locks) {
      const patienceMs = this.#plan.takeover === "observed" || !this.#plan.hasDate ? leaseMs * 2 + 5000 : 3000;
      const lock = await this.#world.until(last.mutex.acquire(name, { timeoutMs: patienceMs })).catch((error) => error);
      if (lock instanceof Error)
        this.#findings.report(
          "orphan",
          `${name}: ${lock.message} ${this.#scene.bucket.objects.get(`locks/${name}.json`)?.body}`,
        );
      else await this.#world.until(lock.release());
    }
  }
}
