import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../src/testing/virtual/random.js";
import type { ChaosSettings } from "../arguments.js";
import type { FromResource, FromWorker, LockSettings, StoreAddress } from "../messages.js";
import { EmbeddedStore } from "./embedded-store.js";
import { EventLog } from "./event-log.js";
import { FaultInjector } from "./fault-injector.js";
import { Figures } from "./figures.js";
import { Fleet, type Worker } from "./fleet.js";
import { inspectLocks } from "./lock-inspection.js";
import type { Outcome } from "./outcome.js";
import { RemoteStore } from "./remote-store.js";
import { headline } from "./report.js";
import { Resource } from "./resource.js";
import type { Store } from "./store.js";
import { failuresIn, failuresInJournals, sum } from "./verdict.js";

/** Half of the default of the library, since leases are short here, too. */
export const TOLERANCE_MS = 500;
const PROGRESS_EVERY_MS = 5000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
/** On top of lease and tolerance, until each lock was granted once after faults are over. */
const RECOVERY_SLACK_MS = 15_000;
const LOG_TAIL = 80;
/** A worker that was thawed this recently may still be finding out about it. */
const DAZED_MS = 5000;

/** One run, from the first process to the last; whatever happens, nothing of it stays behind. */
export class Run {
  readonly #settings: ChaosSettings;
  readonly #signal: AbortSignal;
  readonly #print: (line: string) => void;
  readonly #log = new EventLog();
  readonly #figures = new Figures();
  readonly #random: Random;
  readonly #folder: string;
  readonly #lockNames: readonly string[];
  readonly #resource: Resource;
  #store: Store | undefined;
  #fleet: Fleet | undefined;
  readonly #failures: string[] = [];
  #fail: (error: Error) => void = () => {};
  /** Rejects when going on makes no sense. */
  readonly #failure: Promise<never>;
  readonly #killAll = () => this.#end();

  constructor(settings: ChaosSettings, signal: AbortSignal, print: (line: string) => void) {
    this.#settings = settings;
    this.#signal = signal;
    this.#print = print;
    this.#random = new Random(settings.seed);
    this.#failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // It is raced against wherever something is waited for; in between it has no listener.
    this.#failure.catch(() => {});
    signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
    this.#lockNames = Array.from({ length: settings.locks }, (_, index) => `lock-${index + 1}`);
    this.#folder = mkdtempSync(join(tmpdir(), "s3-mutex-chaos-"));
    process.once("exit", this.#killAll);
    this.#resource = new Resource(this.#folder, this.#lockNames, {
      message: (message) => this.#hear(message),
      failed: (error) => this.#fail(error),
    });
  }

  /** Rejects with the signal's reason when it is aborted, and with what cannot be explained by any fault. */
  async run(): Promise<Outcome> {
    try {
      return await this.#play();
    } catch (error) {
      if (!this.#signal.aborted) for (const line of this.#log.tail(LOG_TAIL)) this.#print(line);
      throw error;
    } finally {
      await this.#close();
    }
  }

  async #play(): Promise<Outcome> {
    const store = await this.#orFailure(this.#startStore());
    const locks: LockSettings = {
      ...store.address,
      lockNames: this.#lockNames,
      leaseMs: this.#settings.leaseMs,
      toleranceMs: TOLERANCE_MS,
    };
    const fleet = await this.#startFleet(locks, store.ways);
    const startedMs = performance.now();
    const faultInjector = this.#faultInjector(fleet, store);
    await this.#makeFaultInjector(faultInjector);
    const seconds = (performance.now() - startedMs) / 1000;
    const recoveryMs = await this.#recover(faultInjector);
    await this.#sendHome(fleet);
    const inspection = await this.#orFailure(inspectLocks(locks));
    const tally = await this.#orFailure(this.#resource.tally());
    this.#failures.push(...inspection.failures, ...failuresIn(tally), ...failuresInJournals(this.#folder, tally));
    return {
      failures: this.#failures,
      figures: this.#figures,
      tally,
      inspection,
      workersStarted: fleet.started,
      recoveryMs,
      seconds,
      logTail: this.#log.tail(LOG_TAIL),
    };
  }

  async #startStore(): Promise<Store> {
    const { remote, processes, locks, leaseMs, seed, faults } = this.#settings;
    if (remote === undefined) {
      const store = new EmbeddedStore({
        folder: this.#folder,
        random: this.#random.fork(),
        figures: this.#figures,
        guard: (pid) => this.#resource.guard(pid),
        unguard: (pid) => this.#resource.unguard(pid),
        failed: (error) => this.#fail(error),
      });
      this.#store = store;
      await store.start();
      if (faults) await store.startProxies();
    } else {
      this.#store = new RemoteStore(remote);
    }
    this.#print(
      `${processes} processes, ${locks} locks, lease ${leaseMs} ms, tolerance ${TOLERANCE_MS} ms, seed ${seed}`,
    );
    this.#print(this.#store.description);
    return this.#store;
  }

  async #startFleet(locks: LockSettings, ways: readonly StoreAddress[]): Promise<Fleet> {
    const { processes, breakage } = this.#settings;
    const resourcePort = await this.#orFailure(this.#resource.port);
    const fleet = new Fleet({
      size: processes,
      folder: this.#folder,
      ways,
      random: this.#random.fork(),
      common: { ...locks, resourcePort, ...(breakage === undefined ? {} : { breakage }) },
      guard: (pid) => this.#resource.guard(pid),
      unguard: (pid) => this.#resource.unguard(pid),
      message: (worker, message) => this.#listen(worker, message),
      failed: (error) => this.#fail(error),
    });
    this.#fleet = fleet;
    await this.#within(START_LIMIT_MS, "the workers did not start", fleet.working(processes));
    return fleet;
  }

  #faultInjector(fleet: Fleet, store: Store): FaultInjector {
    const { leaseMs, faults } = this.#settings;
    return new FaultInjector({
      fleet,
      resource: this.#resource,
      store: faults ? store.faultInjector : undefined,
      random: this.#random.fork(),
      log: this.#log,
      figures: this.#figures,
      takeoverMs: leaseMs + TOLERANCE_MS,
      leaseMs,
    });
  }

  async #makeFaultInjector(faultInjector: FaultInjector): Promise<void> {
    const over = new AbortController();
    const progress = setInterval(() => this.#printProgress(), PROGRESS_EVERY_MS);
    const timer = setTimeout(() => over.abort(), this.#settings.seconds * 1000);
    try {
      await this.#orFailure(faultInjector.run(over.signal));
    } finally {
      clearInterval(progress);
      clearTimeout(timer);
      over.abort();
    }
  }

  /** Waits until each waiter is served, now that faults are over. A failure is noted, and the run goes on to its end. */
  async #recover(faultInjector: FaultInjector): Promise<number> {
    await this.#within(START_LIMIT_MS, "the store did not come back", faultInjector.end());
    const startedMs = performance.now();
    const boundMs = this.#settings.leaseMs + TOLERANCE_MS + RECOVERY_SLACK_MS;
    const before = await this.#orFailure(this.#resource.tally());
    for (;;) {
      const { locks } = await this.#orFailure(this.#resource.tally());
      const unserved = locks.filter(({ accepted }, index) => accepted === before.locks[index]?.accepted);
      const elapsedMs = performance.now() - startedMs;
      if (unserved.length === 0 || this.#settings.breakage !== undefined) return elapsedMs;
      if (elapsedMs > boundMs) {
        const names = unserved.map(({ lockName }) => lockName).join(", ");
        this.#failures.push(`${names} served no worker within ${boundMs} ms after the faults had ended`);
        return elapsedMs;
      }
      await this.#orFailure(sleep(50));
    }
  }

  async #sendHome(fleet: Fleet): Promise<void> {
    this.#log.add("all workers are told to stop");
    const gone = fleet.stop().then(() => true);
    const limit = new AbortController();
    const late = sleep(STOP_LIMIT_MS, false, { signal: limit.signal }).catch(() => false);
    const isEmpty = await this.#orFailure(Promise.race([gone, late]));
    limit.abort();
    if (isEmpty) return;
    const names = [...fleet.in("working"), ...fleet.in("starting")].map(({ name }) => name).join(", ");
    this.#failures.push(`${names} did not stop within ${STOP_LIMIT_MS} ms`);
    fleet.killAll();
    await fleet.gone();
  }

  #listen(worker: Worker, message: FromWorker): void {
    if (message.kind === "counts") this.#figures.add(message.counts);
    else if (message.kind === "note") this.#log.add(message.text);
    else if (message.kind === "wrong") {
      this.#log.add(message.text);
      // Its own words are enough; one of a kind is, too.
      if (this.#failures.length < 20) this.#failures.push(`no fault explains this, of ${worker.name}: ${message.text}`);
    }
  }

  #hear(message: FromResource): void {
    if (message.kind === "takeover") this.#log.add(message.text);
    else if (message.kind === "violation") {
      const { kind, text } = message.violation;
      this.#log.add(`VIOLATION ${kind}: ${text}`);
      this.#print(`${this.#log.clock()}  VIOLATION ${kind}: ${text}`);
    } else if (message.kind === "refused") {
      this.#log.add(message.text);
      if (message.wasSure) this.#judgeRefusal(message.pid, message.text);
    }
  }

  /** Judges that a worker's clocks had told it that it held the lock, and then another had a newer token: a freeze explains that. */
  #judgeRefusal(pid: number, text: string): void {
    this.#figures.count("refused although sure");
    const worker = this.#fleet?.byPid(pid);
    if (worker === undefined || worker.state === "frozen" || performance.now() - worker.frozenAtMs < DAZED_MS) return;
    this.#figures.count("refused although sure and awake");
    this.#log.add(`UNEXPLAINED: ${worker.name} was sure and not frozen: ${text}`);
    this.#print(`${this.#log.clock()}  not explained by a freeze: ${text}`);
  }

  #printProgress(): void {
    void this.#resource.tally().then(({ locks }) => {
      const missing = sum(locks, ({ accepted, counter }) => accepted - counter);
      this.#print(`${this.#log.clock()}  ${headline(this.#figures, locks)}, ${missing} updates lost behind tokens`);
    });
  }

  async #within<T>(limitMs: number, complaint: string, promise: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#fail(new Error(`${complaint} within ${limitMs} ms`)), limitMs);
    return this.#orFailure(promise).finally(() => clearTimeout(timer));
  }

  #orFailure<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failure]);
  }

  async #close(): Promise<void> {
    this.#fleet?.killAll();
    await this.#fleet?.gone();
    await this.#store?.close().catch((error) => this.#print(`the store could not be tidied up: ${String(error)}`));
    await this.#resource.close();
    this.#end();
    process.off("exit", this.#killAll);
  }

  /** Ends all at once (synchronously), for the very end. */
  #end(): void {
    this.#fleet?.killAll();
    this.#store?.kill();
    this.#resource.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}
