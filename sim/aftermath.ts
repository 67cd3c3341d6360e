import { type Lock, S3MutexError } from "../src/index.js";
import { SimClient } from "./client.js";
import { type BodyHolder, holdersOf } from "./plan/body.js";
import { keyOf } from "./scene.js";
import type { Stage } from "./stage.js";

/**
 * When all have gone, no lock stays orphaned beyond lease, tolerance, clock bounds and one poll: a new waiter for
 * each of them gets it so long after the last published end of a hold that was left behind, or landed late.
 */
export class Aftermath {
  readonly #stage: Stage;
  readonly #startedAtMs: number;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#startedAtMs = stage.world.nowMs;
  }

  async check(): Promise<void> {
    const { plan, scene, world } = this.#stage;
    const [first] = plan.clients;
    if (first === undefined) return;
    const exact = { ...first, clocks: { wallOffsetMs: 0, drift: 0 }, tasks: 1 };
    const last = new SimClient(scene, exact, "last");
    const waits = plan.locks.map((name) => this.#checkLock(last, name));
    await world.until(Promise.all(waits), LONGEST_MS).catch((error: Error) => {
      this.#stage.findings.report("orphan", error.message);
    });
  }

  async #checkLock(client: SimClient, name: string): Promise<void> {
    const { findings, records, world } = this.#stage;
    const key = keyOf(name);
    const start = records.last(key);
    let lastEndMs = Math.max(this.#startedAtMs, ...holdersOf(start).map(endOf));
    let lastLandingMs = this.#startedAtMs;
    let hasQueue = (start?.queue ?? []).length > 0;
    const { onChange } = this.#stage.scene.bucket;
    this.#stage.scene.bucket.onChange = (changed, body, by) => {
      onChange(changed, body, by);
      if (changed !== key || by?.process === client.process) return;
      lastLandingMs = world.nowMs;
      lastEndMs = Math.max(lastEndMs, ...holdersOf(records.last(key)).map(endOf));
      hasQueue ||= (records.last(key)?.queue ?? []).length > 0;
    };
    const lock = await this.#acquired(client, name);
    const lateMs = world.nowMs - this.#boundMs(lastEndMs, lastLandingMs, hasQueue);
    if (lateMs > 0) findings.report("orphan", `${name} becomes free ${Math.round(lateMs)} ms later than it may`);
    await lock.release();
  }

  /** Acquires. A grant may be refused where answers contradict each other on the time (seed 1028649): the next try has other answers. */
  async #acquired({ mutex }: SimClient, name: string): Promise<Lock> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await mutex.acquire(name);
      } catch (error) {
        const isDisputed = this.#stage.plan.dates !== undefined && S3MutexError.is(error, "store-unavailable");
        if (!isDisputed || tries === TRIES) throw error;
      }
    }
  }

  #boundMs(lastEndMs: number, lastLandingMs: number, hasQueue: boolean): number {
    const { leaseMs, toleranceMs, takeover, hasDate, gatewaySpreadMs, keepsAssumptions, dates, roundTripMs } =
      this.#stage.plan;
    const isObserved = takeover === "observed" || !hasDate;
    const watchedMs = Math.max(this.#startedAtMs, lastLandingMs) + leaseMs;
    // A client that is not told the time, or by one answer only that its wall clock contradicts, watches.
    const endMs = isObserved ? watchedMs : dates === undefined ? lastEndMs : Math.max(watchedMs, lastEndMs);
    // A waiter that has died is waited for until its entry expires, at the longest.
    const queueMs = hasQueue ? ENTRY_LIFE_MS : 0;
    const agedMs = Math.max(AGED_MS, AGED_ANSWERS * (roundTripMs[1] + longestPauseMs(roundTripMs[1])));
    const clocksMs =
      2 * CLOCK_BOUNDS_MS +
      (dates === undefined ? 0 : LATE_DATES_MS) +
      (dates?.frontEnds.some(({ aged }) => aged > 0) ? agedMs : 0) +
      2 * gatewaySpreadMs +
      (keepsAssumptions ? 0 : BROKEN_CLOCKS_MS);
    return (
      endMs + toleranceMs + queueMs + clocksMs + LONGEST_POLL_MS + Math.max(ROUND_TRIPS_MS, TRIPS * roundTripMs[1])
    );
  }
}

const endOf = ({ expiresAtMs }: BodyHolder) => expiresAtMs;
const LONGEST_MS = 10 * 60_000;
const ENTRY_LIFE_MS = 15_000;
/** What one answer leaves open about the store's clock. */
const CLOCK_BOUNDS_MS = 1100;
const BROKEN_CLOCKS_MS = 5000;
/** Where answers contradict each other, both ends are what the latest one may say. */
const LATE_DATES_MS = 2000;
/** Until an answer has told the time, one out of a cache does not count, and is asked for again ever less often. */
const AGED_ANSWERS = 13;
const AGED_MS = 20_000;
const longestPauseMs = (roundTripMs: number) => Math.min(64 * roundTripMs, 5000);
const LONGEST_POLL_MS = 3000;
const ROUND_TRIPS_MS = 1500;
const TRIES = 5;
/** Where each takes a second: some to learn the store's time, one to find the lease over, one to take it. */
const TRIPS = 6;
