import { type AcquireOptions, type Lock, type S3Mutex, S3MutexError } from "../src/index.js";
import type { Random } from "../src/testing/virtual/random.js";
import type { Believer } from "./checkers/beliefs.js";
import type { Waiting } from "./checkers/deadlocks.js";
import type { EventChecker } from "./checkers/events.js";
import type { Insider } from "./checkers/inside.js";
import type { Closing } from "./closing.js";
import type { ClientPlan } from "./plan/plan.js";
import { keyOf, type Participant, type Scene } from "./scene.js";

/** A call that waits for locks. */
export interface Ask {
  readonly askedAtMs: number;
  /** It waits no longer: it got what it wanted, or gave up. */
  readonly done: (isGranted: boolean) => void;
}

/** What of a handle is asked: a leader's function has none, but knows as much. */
export type Held = Pick<Lock, "name" | "fencingToken" | "mode" | "remainingMs">;
export type Believed = Held & (Pick<Lock, "held"> | Pick<Lock, "held" | "signal">);

/** How a task holds a lock. */
export interface Holding {
  /** Whether its code is a callback of the library's, which sees it end. @default "handle" */
  readonly kind?: Insider["kind"];
  readonly permits?: Insider["permits"];
  /** The one in whose code this one nests. */
  readonly within?: Insider | undefined;
}

/** The program that a line of work is part of. */
export interface Program extends Participant {
  readonly scene: Scene<Task>;
  readonly plan: ClientPlan;
  readonly mutex: S3Mutex;
  readonly events: EventChecker;
  /** Lines of work that no task waits for. */
  readonly started: Task[];
  /** What those do. */
  readonly forgotten: Promise<void>[];
  readonly isAlive: boolean;
  readonly isClosing: boolean;
  readonly isClosed: boolean;
  /** It has said that no work is done under handles, or under locks that were taken by name. */
  readonly hasGivenHandlesBack: boolean;
  /** Says whether it was told that it has lost this lock; to be asked to stop is not to lose. */
  hasLost(lock: Pick<Lock, "name" | "fencingToken">): boolean;
  /** Closes as `close` does, for a client whose own work asks for it: a caller that is within does not wait for the end of that. */
  closeFromWithin(closing: Closing): Promise<void>;
}

/** One line of work of a client: it does one turn after the other, and tells the checkers what it sees. */
export class Task implements Waiting {
  readonly client: Program;
  /** Also the label of all that it acquires, by which the records say who holds what. */
  readonly name: string;
  readonly random: Random;
  /** What it waits for: more than one where it runs errands while it waits. */
  readonly #asks: { readonly locks: readonly string[]; readonly givesUpAtMs: number }[] = [];
  readonly #sharing = new WeakSet<Held>();
  #holds = 0;
  /** What was started in a function of its own that still runs: whether that waits for it, only the function knows. */
  readonly started = new Set<Task>();
  readonly #startedBy: Task | undefined;

  constructor(client: Program, name: string, random: Random, startedBy?: Task) {
    this.#startedBy = startedBy;
    this.client = client;
    this.name = name;
    this.random = random;
  }

  get wants(): readonly string[] | undefined {
    const wanted = [
      ...this.#asks.flatMap(({ locks }) => locks),
      ...[...this.started].flatMap(({ wants }) => wants ?? []),
    ];
    return wanted.length === 0 ? undefined : wanted;
  }

  /** Whether another task can wait for it: one that takes several locks holds some of them meanwhile. */
  get #mayBlock(): boolean {
    if (this.#startedBy?.started.has(this) && this.#startedBy.#mayBlock) return true;
    if (this.scene.deadlocks.holdsByName(this.name)) return true;
    return this.#holds > 0 || this.#asks.some(({ locks }) => locks.length > 1);
  }

  get isGivingUp(): boolean {
    return this.#asks.some(({ givesUpAtMs }) => this.client.process.awakeMs >= givesUpAtMs);
  }

  get isAwake(): boolean {
    return this.client.isAlive && !this.client.process.isFrozen;
  }

  get scene(): Scene<Task> {
    return this.client.scene;
  }

  get nowMs(): number {
    return this.client.process.world.nowMs;
  }

  /** Waits on its process's own timers: it stands still while the process does. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.client.process.effects.setTimer(ms, resolve, { keepAlive: true }));
  }

  /** Begins to wait for these locks, for so long at most. */
  ask(locks: readonly string[], timeoutMs = Number.POSITIVE_INFINITY): Ask {
    const askedAtMs = this.client.process.awakeMs;
    const ask = { locks, givesUpAtMs: askedAtMs + timeoutMs / SLOWEST_CLOCK };
    this.#asks.push(ask);
    let isDone = false;
    const done = (isGranted: boolean) => {
      if (isDone) return;
      isDone = true;
      // It lets go of what it had of several as well.
      if (!isGranted && this.#mayBlock) this.scene.deadlocks.disturb();
      this.#asks.splice(this.#asks.indexOf(ask), 1);
      this.#checkPatience(locks, this.client.process.awakeMs - askedAtMs, timeoutMs);
    };
    return { askedAtMs: this.nowMs, done };
  }

  /** Checks that no call outlives its time-out; where that is short, one full attempt is made, from its turn in the process on. */
  #checkPatience(locks: readonly string[], waitedMs: number, timeoutMs: number): void {
    const attemptMs = Math.max(SHORTEST_PATIENCE_MS, this.scene.plan.leaseMs * FULL_ATTEMPT);
    const longestMs = timeoutMs === 0 ? LONGEST_IN_QUEUE_MS : Math.max(timeoutMs, attemptMs);
    const boundMs = longestMs * SLOWEST_CLOCK + PATIENCE_SLACK_MS;
    if (waitedMs <= boundMs || !this.client.isAlive) return;
    const what = `${this.name} waits ${Math.round(waitedMs)} ms for ${locks.join(", ")}`;
    this.scene.findings.report("patience", `${what}, with a time-out of ${timeoutMs} ms`);
  }

  /** Acquires, works, releases. */
  async use(name: string, options: AcquireOptions, work?: (lock: Lock) => Promise<void>): Promise<void> {
    const ask = this.ask([name], options.timeoutMs);
    const { mutex } = this.client;
    const lock = await this.expecting(mutex.acquire(name, { ...options, label: this.name }));
    ask.done(lock !== undefined);
    if (lock === undefined) return;
    await this.hold(lock, ask, work);
    await this.giveBack(lock);
  }

  /** Releases what nothing else of its process has a share in. */
  async giveBack(lock: Lock): Promise<void> {
    const answer = await this.expecting(lock.release());
    if (answer !== undefined) this.client.events.givenBack(lock, answer);
  }

  /** Takes a lock by name; whether it has it. It need not be given back. */
  async takeByName(name: string, timeoutMs: number, priority?: number): Promise<boolean> {
    const { mutex } = this.client;
    const isGranted = (await this.expecting(mutex.acquireLock(name, timeoutMs, priority))) === true;
    if (isGranted) this.scene.deadlocks.tookByName(this.name, name, mutex.ownerId);
    return isGranted;
  }

  /** Holds a lock that it has just got: checked from the outside, while it uses what the lock protects. */
  async hold(
    lock: Lock,
    ask: Ask,
    work: (lock: Lock, insider: Insider) => Promise<void> = () => this.work(lock),
    holding: Holding = {},
  ): Promise<void> {
    const { history, order } = this.scene;
    const grantedAtMs = this.nowMs;
    const token = lock.fencingToken;
    const isShared = lock.mode === "shared";
    order?.asked(keyOf(lock.name), token, ask.askedAtMs);
    try {
      await this.believing(lock.name, lock, (insider) => work(lock, insider), holding);
    } finally {
      const times = { askedAtMs: ask.askedAtMs, grantedAtMs, endedAtMs: this.nowMs };
      // Where it let others in meanwhile, it is not known when that took effect.
      const wasLost = !lock.held || this.#sharing.has(lock);
      history.add(lock.name, { client: this.name, token, ...times, wasLost, isShared });
    }
  }

  /** Does something while it has a lock or permits, as far as it knows by asking its handle at any instant. */
  async believing(
    name: string,
    lock: Believed,
    work: (insider: Insider) => Promise<void>,
    { permits = [1, 1], ...holding }: Holding = {},
  ): Promise<void> {
    const { beliefs } = this.scene;
    const believer: Believer = {
      client: this.name,
      token: lock.fencingToken,
      permits,
      mode: () => (this.#sharing.has(lock) ? "shared" : lock.mode),
      believes: () => this.client.isAlive && lock.held,
    };
    beliefs.begin(name, believer);
    const forget = "signal" in lock ? this.client.events.watch(lock) : () => {};
    this.#holds += 1;
    try {
      await this.inside(name, lock, work, { permits, ...holding });
    } finally {
      this.#holds -= 1;
      forget();
      beliefs.end(name, believer);
    }
  }

  /** Runs code under a lock, from its first line to its last. */
  async inside(
    name: string,
    lock: Held,
    work: (insider: Insider) => Promise<void>,
    { kind = "handle", permits = [1, 1], within }: Holding = {},
  ): Promise<void> {
    const { client, scene } = this;
    const insider: Insider = {
      who: this.name,
      process: client.process,
      kind,
      token: lock.fencingToken,
      mode: () => (this.#sharing.has(lock) ? "shared" : lock.mode),
      permits,
      within,
      counts: () => client.isAlive && !client.hasLost(lock),
      leftMs: () => lock.remainingMs * SURE_OF_CLOCKS,
    };
    scene.inside.enter(name, insider);
    try {
      await work(insider);
    } finally {
      scene.inside.leave(name, insider);
    }
  }

  /** Lets others in: from the call on, whatever its answer is, no task may count on being alone. */
  async share(lock: Lock): Promise<void> {
    this.#sharing.add(lock);
    await this.expecting(lock.downgrade());
  }

  /** Reads the counter, thinks, and writes it one higher, whether it still holds the lock or not: tokens have to stop it. */
  async work(lock: { readonly name: string; readonly fencingToken: number }): Promise<void> {
    const counter = this.scene.counters.get(lock.name);
    const value = counter?.read(lock.fencingToken);
    await this.think();
    if (value !== undefined) counter?.write(lock.fencingToken, value + 1);
  }

  /** Waits, mostly a moment, sometimes longer than a lease. */
  async think(): Promise<void> {
    await this.pause(this.random.between(1, this.random.chance(0.06) ? this.scene.plan.leaseMs * 2 : 300));
  }

  /** Awaits an answer. Contention, deadlock and a store that does not answer are what happens; anything else is a finding. */
  async expecting<T>(promise: Promise<T>): Promise<T | undefined> {
    try {
      return await promise;
    } catch (error) {
      if (S3MutexError.is(error, "deadlock") && !this.#mayBlock)
        this.scene.findings.report("victim", `${this.name} holds nothing and gives way: ${error.message}`);
      if (S3MutexError.is(error) && EXPECTED.has(error.code)) return undefined;
      if (S3MutexError.is(error, "store-unsafe") && this.scene.mayContradictItself) {
        this.scene.leftovers.distrusts(this.client.name);
        return undefined;
      }
      this.scene.findings.report("error", `${this.name}: ${error instanceof Error ? error.stack : error}`);
      return undefined;
    }
  }
}

/** What one full attempt may take: two requests of a sixth of the lease each. */
const SHORTEST_PATIENCE_MS = 2000;
const FULL_ATTEMPT = 2 / 6;
/** One attempt that waits for its turn among those of its process may take that long in all. */
const LONGEST_IN_QUEUE_MS = 30_000;
/** The slowest of the clocks that break the assumptions. */
const SLOWEST_CLOCK = 1.011;
/** What had been acquired is given back before the call returns. */
const PATIENCE_SLACK_MS = 600;

/** How far the clocks that a lease is counted on can be trusted to be right. */
const SURE_OF_CLOCKS = 0.999;

const EXPECTED: ReadonlySet<string> = new Set([
  "timed-out",
  "aborted",
  "lost",
  "deadlock",
  "fenced-out",
  "store-unavailable",
  "closed",
]);
