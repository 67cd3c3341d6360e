import { expect, it } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { Random } from "../../src/testing/virtual/random.js";
import { drawnFate } from "../fenced/fenced-world.js";
import { share } from "../scale.js";
import { type Client, DENIED, ending, LEASE_MS, ManagerWorld, microtasks } from "./manager-world.js";

/** Random requests of several managers, with every way out of each, over a store and in processes that fail for a while. */

const SCHEDULES = share(480);
const REQUESTS = 18;
const NAMES = ["a", "b"];
/** How long after the last trouble a request may take: a lease that has to run out, and all the work that is asked for. */
const BOUND_MS = 90_000;

interface Tally {
  called: number;
  refused: number;
  abortedInTime: number;
  abortedInTurn: number;
  lost: number;
  failed: number;
}

it(`${SCHEDULES} schedules: every request ends, and leaves nothing held, nothing in query(), and no later request waiting`, {
  timeout: 600_000,
}, async () => {
  const bad: Record<string, readonly string[]> = {};
  const tally: Tally = { called: 0, refused: 0, abortedInTime: 0, abortedInTurn: 0, lost: 0, failed: 0 };
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const schedule = new Schedule(seed, tally);
    const problems = await schedule.play();
    if (problems.length > 0) bad[seed] = problems.slice(0, 3);
  }
  expect(bad).toEqual({});
  for (const [way, count] of Object.entries(tally)) expect(count, way).toBeGreaterThan(SCHEDULES / 10);
});

/** One request, as its caller sees it. */
interface Asked {
  readonly id: string;
  readonly client: Client;
  readonly request: Promise<unknown>;
  /** When its signal was aborted before it was called back. */
  abortedAtMs: number | undefined;
  calls: number;
}

class Schedule {
  readonly #world: ManagerWorld;
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #clients: readonly Client[];
  readonly #closed = new Set<Client>();
  readonly #problems: string[] = [];
  readonly #troubleUntilMs: number;
  readonly #isTroubled: boolean;
  readonly #abortsInTurn: (() => void)[] = [];

  constructor(seed: number, tally: Tally) {
    this.#world = new ManagerWorld(seed);
    const { scene } = this.#world;
    this.#random = scene.world.random.fork();
    this.#tally = tally;
    const random = this.#random;
    this.#clients = Array.from({ length: random.integer(1, 3) }, () => this.#world.client());
    this.#isTroubled = random.chance(0.7);
    this.#troubleUntilMs = scene.nowMs + (this.#isTroubled ? random.between(500, 8000) : 0);
    const [rate, silent] = [random.pick([0.02, 0.1, 0.3]), random.chance(0.2) ? random.pick(this.#clients) : undefined];
    scene.fate = ({ operation, process }): Fate => {
      if (scene.nowMs >= this.#troubleUntilMs) return { kind: "fine" };
      if (process === silent?.process) return { kind: "lost" };
      if (!random.chance(rate)) return { kind: "fine" };
      return random.chance(0.2) ? DENIED : drawnFate(random, operation);
    };
    for (const { mutex } of this.#clients) mutex.on("acquired", () => this.#abortsInTurn.pop()?.());
  }

  async play(): Promise<readonly string[]> {
    const { scene } = this.#world;
    const plans = Array.from({ length: REQUESTS }, () => this.#after(this.#random.between(0, 3000), () => this.#ask()));
    const troubles = this.#troubles();
    const all = Promise.all([...plans, ...troubles]);
    await scene.until(all, 200_000 + BOUND_MS).catch((error) => this.#problem(`a request hangs: ${error.message}`));
    if (this.#problems.length > 0) return this.#problems;
    for (const { process } of this.#clients) process.thaw();
    // Where the store has not answered a release, the lease has to run out.
    await scene.pass(this.#isTroubled ? LEASE_MS + 5000 : 2000);
    for (const client of this.#clients) {
      if (this.#closed.has(client)) continue;
      await this.#world.expectFree(client, NAMES).catch((error) => this.#problem(error.message));
    }
    for (const problem of scene.problems) this.#problem(problem);
    return this.#problems;
  }

  /** Does what goes wrong besides the store: a manager is closed, a process stands still, a clock is set. */
  #troubles(): Promise<unknown>[] {
    const random = this.#random;
    const troubles: Promise<unknown>[] = [];
    const at = (run: (client: Client) => unknown) =>
      troubles.push(this.#after(random.between(0, 3000), () => run(random.pick(this.#clients))));
    if (random.chance(0.25)) at((client) => this.#close(client));
    if (!this.#isTroubled) return troubles;
    if (random.chance(0.25)) at(({ process }) => process.freeze(random.between(100, 40_000), random.chance(0.5)));
    if (random.chance(0.2)) at(({ process }) => process.stepWall(random.between(-30_000, 60_000)));
    return troubles;
  }

  async #close(client: Client): Promise<void> {
    this.#closed.add(client);
    await client.locks.close({ graceMs: this.#random.between(0, 3000) });
  }

  async #after(delayMs: number, run: () => unknown): Promise<void> {
    await this.#world.scene.world.sleep(delayMs);
    await run();
  }

  async #ask(): Promise<void> {
    const random = this.#random;
    const { scene } = this.#world;
    const kind = random.pick(["wait", "signal", "signal", "signal", "ifAvailable", "steal"] as const);
    const mode = kind !== "steal" && random.chance(0.4) ? "shared" : "exclusive";
    const client = random.pick(this.#clients);
    const stop = new AbortController();
    const name = random.pick(NAMES);
    const options = {
      wait: { mode },
      signal: { mode, signal: stop.signal },
      ifAvailable: { mode, ifAvailable: true },
      steal: { steal: true },
    } as const;
    const begunAtMs = scene.nowMs;
    const request = client.locks.request(name, options[kind], (lock) => {
      asked.calls += 1;
      if (lock === null) this.#tally.refused += 1;
      return this.#work();
    });
    const id = `${kind} ${mode} ${name} of ${client.process.name} at ${Math.round(begunAtMs)}`;
    const asked: Asked = { id, client, request, abortedAtMs: undefined, calls: 0 };
    if (kind === "signal") this.#planAbort(asked, stop);
    const over = await ending(request);
    this.#judge(asked, over);
  }

  #planAbort(asked: Asked, stop: AbortController): void {
    const random = this.#random;
    const { world } = this.#world.scene;
    const abort = async (inTurn: boolean) => {
      await microtasks(random.integer(0, 24));
      if (asked.calls === 0 && !stop.signal.aborted) {
        asked.abortedAtMs = world.nowMs;
        this.#tally[inTurn ? "abortedInTurn" : "abortedInTime"] += 1;
      }
      stop.abort("stopped");
    };
    // Some at a moment of their own, some in the turn of a grant or of the end of another request.
    if (random.chance(0.4)) void world.sleep(random.between(0, 2000)).then(() => abort(false));
    else this.#abortsInTurn.push(() => void abort(true));
    if (random.chance(0.5)) this.#abortsInTurn.push(() => void abort(true));
  }

  /** Works as a callback does: for a while, or it fails at once or later. */
  #work(): unknown {
    const random = this.#random;
    const how = random.pick(["at once", "later", "later", "throws", "rejects"] as const);
    if (how === "at once") return "done";
    if (how === "throws") throw new RangeError("no");
    const { world } = this.#world.scene;
    const over = world.sleep(random.between(0, 400));
    return over.then(() => {
      if (how === "rejects") throw new RangeError("no");
      return "done";
    });
  }

  #judge({ id, client, abortedAtMs, calls }: Asked, over: unknown): void {
    const { scene } = this.#world;
    const tally = this.#tally;
    if (calls > 1) this.#problem(`${id}: called back ${calls} times`);
    if (calls > 0) tally.called += 1;
    if (over === "AbortError") tally.lost += 1;
    if (over === "stopped") {
      if (calls > 0) this.#problem(`${id}: called back, and ended by its signal`);
      if (abortedAtMs !== undefined && scene.nowMs - abortedAtMs > 1)
        this.#problem(`${id}: ended ${scene.nowMs - abortedAtMs} ms after its signal`);
      return;
    }
    const isOfStore = over === "store-unavailable" || over === "access-denied";
    if (isOfStore) tally.failed += 1;
    const expected = calls > 0 ? ["done", "RangeError", "AbortError"] : ["AbortError", "access-denied"];
    if (expected.includes(over as string)) return;
    if (calls === 0 && (isOfStore || (over === "InvalidStateError" && this.#closed.has(client)))) return;
    this.#problem(`${id}: ${calls} calls, and ${String(over)}`);
  }

  #problem(what: string): void {
    this.#problems.push(what);
  }
}
