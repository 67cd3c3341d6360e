import type { SimProcess } from "../src/testing/virtual/process.js";
import type { Random } from "../src/testing/virtual/random.js";
import { evening } from "./actors/maintenance.js";
import { ProcessOf1x } from "./actors/process-of-1x.js";
import { Aftermath } from "./aftermath.js";
import type { Findings } from "./checkers/findings.js";
import type { LeftBehind } from "./checkers/leftovers.js";
import { SimClient } from "./client.js";
import { closingOf } from "./closing.js";
import { ClosingTime, TURNED_AWAY_MS } from "./closing-time.js";
import { wallOffsetOf } from "./draw.js";
import type { Outcome } from "./outcome.js";
import type { ProcessFault } from "./plan/fault-kinds.js";
import type { ClientPlan, Edits } from "./plan/plan.js";
import type { Participant } from "./scene.js";
import { Stage } from "./stage.js";
import type { Task } from "./task.js";

export interface RunOptions {
  /** A smaller plan for the same seed. */
  readonly edits?: Edits;
  /** Called with each line of the trace of events. */
  readonly onTrace?: (line: string) => void;
}

/**
 * Runs one seed: faults first, then none; then everything has to become quiet, free and usable again.
 *
 * This is the programmatic interface, kept stable for scripts that run seeds against changed sources: it resolves whatever the
 * subject does, with `findings` that are empty where nothing is wrong. One run at a time in each thread.
 */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const run = new Run(seed, options);
  const onRejection = (error: unknown) => run.noteUnhandled(error);
  process.on("unhandledRejection", onRejection);
  try {
    await run.play();
    return run.outcome();
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

/** A run ends after so much virtual time even if it had too few grants by then, which is a finding. */
const LONGEST_MS = 30 * 60_000;
/** When the store is back, there has to be time to see who goes on. */
const BACK_MS = 20_000;
/** A client that asks a store that is away more often than that, all clients together, goes round in circles. */
const MS_PER_EVENT = 10;
/** Far more than any run needs: a run that goes round in circles is stopped. */
const MAX_EVENTS = 300_000;
export const MIN_FAULTS = 5;
const DEADLOCK_LOOK_MS = 5000;
/** With faults going on all the while, looks fail. */
const DEADLOCK_BOUND_MS = 150_000;

class Run {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #startedAtMs: number;
  readonly #participants: Participant[] = [];
  readonly #playing = new Set<Participant>();
  readonly #closed = new Set<SimProcess>();
  #isOver = false;
  #faultlessFromMs = Number.POSITIVE_INFINITY;
  #hasEnded = false;

  constructor(seed: number, { edits, onTrace }: RunOptions) {
    this.#stage = new Stage(seed, {
      edits,
      onTrace,
      isOver: () => this.#isOver,
      tasks: () => this.#tasks(),
      onClosed: (participant, leftBehind) => this.#noteClosed(participant, leftBehind),
      onSend: (process) => this.#checkSend(process),
    });
    this.#random = this.#stage.world.random.fork();
    this.#startedAtMs = this.#stage.world.nowMs;
    this.#stage.faults.onProcessFault = (kind, process) => this.#strike(kind, process);
  }

  get #ranMs(): number {
    return this.#stage.world.nowMs - this.#startedAtMs;
  }

  get #findings(): Findings {
    return this.#stage.findings;
  }

  async play(): Promise<void> {
    const { plan, world, faults } = this.#stage;
    for (const client of plan.clients) this.#start(client, client.name);
    this.#lookForDeadlocks();
    const awayMs = plan.outage === undefined ? 0 : plan.outage.afterMs + plan.outage.forMs + BACK_MS;
    const maxEvents = MAX_EVENTS + awayMs / MS_PER_EVENT;
    const hasEnded = () => this.#ranMs > awayMs && this.#stage.hadEnough(MIN_FAULTS);
    await world.run(LONGEST_MS + awayMs, () => hasEnded() || world.events > maxEvents);
    if (world.events > maxEvents) this.#findings.report("livelock", `${maxEvents} events without an end`);
    this.#isOver = true;
    if (plan.hasEvening) await this.#evening();
    faults.isOn = false;
    this.#faultlessFromMs = world.nowMs;
    await this.#settle();
    await new Aftermath(this.#stage).check();
    this.#hasEnded = true;
    this.#stage.finish(MIN_FAULTS);
  }

  outcome(): Outcome {
    return this.#stage.outcome();
  }

  noteUnhandled(error: unknown): void {
    this.#findings.report("unhandled", error instanceof Error ? `${error.stack}` : String(error));
  }

  #start(plan: ClientPlan, name: string): void {
    const Program = plan.kind === "1.x" ? ProcessOf1x : SimClient;
    const participant: Participant = new Program(this.#stage.scene, plan, name);
    this.#participants.push(participant);
    this.#playing.add(participant);
    this.#scheduleTrouble(participant, plan);
    participant
      .play()
      .catch((error) => this.noteUnhandled(error))
      .finally(() => this.#playing.delete(participant));
  }

  #tasks(): readonly Task[] {
    return this.#participants.flatMap((one) => (one instanceof SimClient ? [...one.tasks, ...one.started] : []));
  }

  get #living(): readonly Participant[] {
    return this.#participants.filter(({ process }) => !process.isDead);
  }

  #checkSend(process: SimProcess): void {
    if (this.#closed.has(process)) this.#findings.report("closed", `${process.name} sent a request after close`);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Trouble: at any moment, also between a request and its answer

  #scheduleTrouble(participant: Participant, plan: ClientPlan): void {
    const random = this.#random;
    const troubles = Object.entries(plan.troubles) as [ProcessFault | "restart", number][];
    const perSecond = troubles.reduce((sum, [, rate]) => sum + rate, 0);
    if (perSecond === 0) return;
    this.#stage.world.after(random.between(0, 2000 / perSecond), () => {
      const { process } = participant;
      if (this.#isOver || process.isDead || this.#closed.has(process)) return;
      const kind = random.weighted(troubles) ?? "freeze";
      if (kind === "restart") void this.#restart(participant);
      else if (this.#stage.faults.mayInject(kind)) this.#strike(kind, process);
      this.#scheduleTrouble(participant, plan);
    });
  }

  #strike(kind: ProcessFault, process: SimProcess): void {
    if (process.isDead || process.isFrozen || !this.#stage.faults.isOn) return;
    const { plan, faults, scene, world } = this.#stage;
    const random = this.#random;
    faults.noteProcessFault(kind, scene.bucket.inFlight(process));
    world.trace(() => `${process.name}: ${kind}`);
    if (kind === "wall-step") return this.#setWall(process);
    scene.deadlocks.disturb();
    if (kind === "crash") this.#crash(process);
    else process.freeze(random.between(10, plan.leaseMs * 2.5), kind === "suspend");
  }

  /** Sets a wall clock. 1.x believes its own, so its users have to keep it right. */
  #setWall(process: SimProcess): void {
    const { scene } = this.#stage;
    const { keepsAssumptions, toleranceMs } = this.#stage.plan;
    const is1x = this.#planOf(process)?.kind === "1.x";
    process.setWall(wallOffsetOf(this.#random, keepsAssumptions, toleranceMs, is1x));
    scene.inside.moved((insider) => insider.process === process);
  }

  /** Kills a process, and lets another take its place, as a supervisor would. */
  #crash(process: SimProcess): void {
    process.kill();
    this.#replace(process);
  }

  async #restart(participant: Participant): Promise<void> {
    this.#stage.scene.deadlocks.disturb();
    await participant.close(closingOf(this.#random));
  }

  /** Notes that a process has left, and lets another one follow it, as in a deployment. */
  #noteClosed(participant: Participant, leftBehind: readonly LeftBehind[]): void {
    this.#closed.add(participant.process);
    if (participant instanceof SimClient && this.#couldClearUp(participant))
      this.#stage.scene.leftovers.closed(participant.name, leftBehind);
    if (!this.#isOver) this.#replace(participant.process);
  }

  /**
   * Says whether the store could answer all that is sent in the time that `close` gives it. What is still waited for when the faults end
   * may be lost, or was turned away; and where each answer takes a second, there is no time for a lost race.
   */
  #couldClearUp({ closingSinceMs }: SimClient): boolean {
    const { roundTripMs } = this.#stage.plan;
    return closingSinceMs >= this.#faultlessFromMs + TURNED_AWAY_MS && roundTripMs[1] <= LONGEST_JUDGED_MS;
  }

  #replace(process: SimProcess): void {
    const plan = this.#planOf(process);
    if (plan !== undefined) this.#start(plan, this.#nextName(plan.name));
  }

  #planOf(process: SimProcess): ClientPlan | undefined {
    return this.#stage.plan.clients.find(({ name }) => process.name.split(".")[0] === name);
  }

  #nextName(name: string): string {
    return `${name}.${this.#participants.length}`;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The end

  #lookForDeadlocks(): void {
    if (this.#hasEnded) return;
    if (this.#stage.scene.canSeeCycles && !this.#stage.faults.isAway)
      this.#stage.scene.deadlocks.check(DEADLOCK_BOUND_MS);
    this.#stage.world.silentlyAfter(DEADLOCK_LOOK_MS, () => this.#lookForDeadlocks());
  }

  /** Lets two go on for a while, with faults, when the others have gone home. */
  async #evening(): Promise<void> {
    const tasks = this.#tasks().filter(({ isAwake, client }) => isAwake && !client.isClosing);
    const busy = new Set(tasks.slice(0, 2));
    for (const task of busy) {
      evening(task)
        .catch((error) => this.noteUnhandled(error))
        .finally(() => busy.delete(task));
    }
    await this.#stage.world.run(EVENING_MS, () => [...busy].every(({ client }) => !client.isAlive));
  }

  /** Waits, once faults have stopped, until each waiter is served or gives up; then all get one lock more, for which they wait. */
  async #settle(): Promise<void> {
    const { world, plan } = this.#stage;
    const boundMs = SETTLE_MS + SETTLE_LEASES * plan.leaseMs;
    const isHome = (one: Participant) => one.process.isDead || this.#closed.has(one.process) || !this.#playing.has(one);
    const how = await world.run(boundMs, () => this.#participants.every(isHome));
    if (how !== "over") {
      const who = this.#participants.filter((one) => !isHome(one)).map(({ name }) => name);
      this.#findings.report("liveness", `${who.join(", ")} not done ${boundMs / 1000} s after the last fault`);
    }
    const living = this.#living.filter(({ process }) => !this.#closed.has(process));
    const wishes = Promise.all(living.map((one) => one.lastWish()));
    const report = (property: string) => (error: Error) => this.#findings.report(property, error.message);
    await world.until(wishes, boundMs).catch(report("liveness"));
    await new ClosingTime(this.#stage, living, this.#random).close();
  }
}

/** Eight round trips within two seconds: a release may lose a race or two. */
const LONGEST_JUDGED_MS = 250;
const EVENING_MS = 120_000;
/** What is late lands, entries of the dead expire, each waiter works for a while. */
const SETTLE_MS = 120_000;
const SETTLE_LEASES = 20;
