import { expect, test } from "vitest";
import type { FencedObject, Lock } from "../../src/index.js";
import { S3MutexError } from "../../src/index.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { share } from "../scale.js";
import { Chain, drawnFate, FencedWorld, KEY, LEASE_MS, LOCK } from "./fenced-world.js";

const SCHEDULES = share(1000);
const CLIENTS = 3;
const TURNS = 2;

/** Lets a call fail if the store was not heard, as a process is told that froze until its time was up, or nearly: the lease runs out. */
async function unlessTimeIsUp(call: Promise<unknown>): Promise<void> {
  await call.catch((error) => {
    if (!S3MutexError.is(error, "store-unavailable")) throw error;
  });
}

interface Tally {
  /** Changes that were refused because a newer holder had been there. */
  fencedOut: number;
  /** Those that are not known of. */
  unknown: number;
  applied: number;
}

/**
 * Processes that change one object under one lock, that freeze for longer than their leases, take the lock from each other by force
 * and go on as zombies, on a store that loses, delays, repeats and refuses.
 */
class Schedule {
  readonly #fenced: FencedWorld;
  readonly #chain = new Chain();
  readonly #tally: Tally;
  #names = 0;
  readonly #problems: string[] = [];
  readonly #checks: (() => void)[] = [];

  constructor(seed: number, tally: Tally) {
    this.#fenced = new FencedWorld(seed);
    this.#tally = tally;
    this.#fenced.bucket.onChange = (key, body) => this.#chain.landed(key, body);
    const random = this.#fenced.world.random.fork();
    this.#fenced.fate = (operation, key) =>
      key === KEY && random.chance(0.25) ? drawnFate(random, operation) : { kind: "fine" };
  }

  async play(): Promise<readonly string[]> {
    const clients = Array.from({ length: CLIENTS }, (_, index) => this.#client(`p${index}`));
    await this.#fenced.until(Promise.all(clients));
    // Whatever is still on its way arrives.
    await this.#fenced.until(this.#fenced.world.sleep(10_000));
    for (const check of this.#checks) check();
    return [...this.#chain.problems, ...this.#problems];
  }

  async #client(name: string): Promise<void> {
    const { world } = this.#fenced;
    const random = world.random.fork();
    const drift = random.between(-1e-4, 1e-4);
    const process = this.#fenced.process(name, { wallOffsetMs: random.between(-1e6, 1e6), drift });
    const mutex = this.#fenced.mutex(process);
    for (let turn = 0; turn < TURNS; turn += 1) {
      if (random.chance(0.3)) await unlessTimeIsUp(mutex.releaseLock(LOCK, true));
      const lock = await mutex.acquire(LOCK);
      if (random.chance(0.3)) {
        world.after(random.between(0, 500), () => process.freeze(random.between(10, 3 * LEASE_MS), random.chance(0.5)));
      }
      // The test does not wait for the zombie that this may become.
      const using = this.#use(lock, process);
      if (random.chance(0.7)) await using;
      await unlessTimeIsUp(lock.release());
      await using;
      await this.#fenced.pause(process, random.between(1, 100));
    }
    await mutex.close();
  }

  async #use(lock: Lock, process: SimProcess): Promise<void> {
    const random = this.#fenced.world.random.fork();
    // It goes on whatever it is told: what it is refused once has to be refused always.
    const object = lock.fencedObject<readonly string[]>({ key: KEY });
    for (let step = random.integer(1, 4); step > 0; step -= 1) {
      await this.#step(object, random.number());
      await this.#fenced.pause(process, random.between(1, 300));
    }
  }

  async #step(object: FencedObject<readonly string[]>, drawn: number): Promise<void> {
    this.#names += 1;
    if (drawn < 0.2) return this.#read(object);
    if (drawn < 0.25) return void (await object.delete().catch((error) => this.#expected(error)));
    const name = `${drawn < 0.4 ? "write" : "update"}-${this.#names}`;
    let calls = 0;
    const append = (entries: readonly string[] = []) => {
      calls += 1;
      return [...entries, name];
    };
    const change = drawn < 0.4 ? object.write([name]) : object.update(append);
    const error = await change.then(
      () => undefined,
      (reason) => this.#expected(reason),
    );
    if (calls > 1) this.#problems.push(`the function of ${name} was called ${calls} times`);
    this.#tally.applied += error === undefined ? 1 : 0;
    this.#tally.unknown += error?.maybeApplied ? 1 : 0;
    this.#checks.push(() => this.#checkMade(name, error));
  }

  #checkMade(name: string, error: S3MutexError | undefined): void {
    const times = this.#chain.made(name);
    if (times > 1) this.#problems.push(`${name} was made ${times} times`);
    if (error === undefined && times !== 1) this.#problems.push(`${name} was reported made, and was not`);
    if (error !== undefined && !error.maybeApplied && times > 0)
      this.#problems.push(`${name} was reported not made (${error.code}), and was`);
  }

  async #read(object: FencedObject<readonly string[]>): Promise<void> {
    const since = this.#chain.length;
    const error = await object.read().then(
      (entries) => {
        if (!this.#chain.contained(entries, since)) this.#problems.push(`${entries} was read, and was not there`);
        return undefined;
      },
      (reason) => this.#expected(reason),
    );
    if (error?.maybeApplied) this.#problems.push("reading has changed something");
  }

  #expected(error: unknown): S3MutexError {
    if (!S3MutexError.is(error)) throw error;
    const isExpected = ["fenced-out", "store-unavailable", "lost"].includes(error.code);
    if (!isExpected) this.#problems.push(`${error.code}: ${error.message}`);
    if (error.code === "fenced-out") this.#tally.fencedOut += 1;
    return error;
  }
}

test(`${SCHEDULES} schedules with zombies, lost answers, late and repeated writes: one chain, and no lost update`, {
  timeout: 300_000,
}, async () => {
  const tally: Tally = { fencedOut: 0, unknown: 0, applied: 0 };
  const bad: Record<string, readonly string[]> = {};
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const problems = await new Schedule(seed, tally).play();
    if (problems.length > 0) bad[seed] = problems.slice(0, 3);
  }
  expect(bad).toEqual({});
  // What is not exercised is not proven.
  expect(tally.fencedOut).toBeGreaterThan(share(1000));
  expect(tally.applied).toBeGreaterThan(share(5000));
  expect(tally.unknown).toBeGreaterThan(share(100));
});
