import type { Lock } from "../../src/primitives/lock.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import type { Scene, Sent } from "../../testkit/scene.js";

/** How long an entry is in the queue that is not refreshed, and what clocks are allowed to differ by. */
export const ENTRY_LIFE_MS = 15_000;
export const TOLERANCE_MS = 1000;

export const keyOf = (lockName: string) => `locks/${lockName}.json`;

/** Sleeps as the process does: forever, where it is dead. */
export function pause(process: SimProcess, ms: number): Promise<void> {
  return new Promise((resolve) => process.effects.setTimer(ms, resolve, { keepAlive: true }));
}

/** What becomes of a promise: its value or the code of its error, and when. */
export interface Outcome<T> {
  readonly value?: T;
  readonly code?: string;
  readonly error?: unknown;
  readonly atMs: number;
}

export function outcomeOf<T>(scene: Scene, promise: Promise<T>): Promise<Outcome<T>> {
  return promise.then(
    (value) => ({ value, atMs: scene.nowMs }),
    (error) => ({ code: error?.code ?? String(error), error, atMs: scene.nowMs }),
  );
}

/** Sees to it that there is never more than one inside of each lock, and who was inside in which order. */
export class Rooms {
  readonly #scene: Scene;
  readonly #inside = new Map<string, string>();
  /** Who had a lock, in order. */
  readonly served: string[] = [];
  readonly servedAtMs: number[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  enter(who: string, room = "x"): void {
    const other = this.#inside.get(room);
    if (other !== undefined) this.#scene.problem(`${who} came into ${room} while ${other} was inside`);
    this.#inside.set(room, who);
    this.served.push(who);
    this.servedAtMs.push(this.#scene.nowMs);
  }

  leave(who: string, room = "x"): void {
    if (this.#inside.get(room) === who) this.#inside.delete(room);
  }

  /** Holds the lock for a while, then gives it back. */
  async turn(who: string, lock: Lock, process: SimProcess, holdMs: number): Promise<void> {
    this.enter(who, lock.name);
    await pause(process, holdMs);
    this.leave(who, lock.name);
    await lock.release();
  }
}

/** Finds the pairs that were served in another order than expected. */
export function inversions(served: readonly string[], expected: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  const rank = (who: string) => expected.indexOf(who);
  for (const [index, late] of served.entries())
    for (const early of served.slice(0, index)) if (rank(early) > rank(late)) pairs.push([early, late]);
  return pairs;
}

export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

/** Plays one run a seed; what is wrong, by seed. */
export async function problemsBySeed(
  seeds: number,
  play: (seed: number) => Promise<readonly string[]>,
): Promise<Record<string, readonly string[]>> {
  const bad: Record<string, readonly string[]> = {};
  for (let seed = 1; seed <= seeds; seed += 1) {
    const problems = await play(seed);
    if (problems.length > 0) bad[`seed ${seed}`] = problems.slice(0, 3);
  }
  return bad;
}

/** Lets answers and requests go wrong now and then. */
export function faultsOf(random: Random, probability: number, longestMs = 3000): (request: Sent) => Fate {
  return ({ operation }) => {
    if (!random.chance(probability)) return { kind: "fine" };
    const fates: Fate[] = [
      { kind: "lost" },
      { kind: "answer-lost" },
      { kind: "late", byMs: random.between(10, longestMs) },
      { kind: "twice" },
      { kind: "error", status: 500, applied: true },
      { kind: "error", status: 503, applied: false },
    ];
    if (operation === "write") fates.push({ kind: "error", status: 409, applied: false });
    return random.pick(fates);
  };
}

/** Lets a few seconds pass without anything going wrong: then everything that was given up has been cleared away. */
export async function aftermath(scene: Scene, ms = 30_000): Promise<void> {
  scene.fate = () => ({ kind: "fine" });
  await scene.pass(ms);
}

/** Names what is left in the records of these locks that should not be; dead processes may leave entries until they expire. */
export function leftovers(scene: Scene, ...lockNames: readonly string[]): string[] {
  return (lockNames.length === 0 ? ["x"] : lockNames).flatMap((name) => {
    const { holders = [], queue = [] } = scene.record(keyOf(name)) ?? {};
    return [
      ...holders.map(({ id }) => `${name} is held by ${id}`),
      ...queue.map(({ id }) => `${id} waits for ${name}`),
    ];
  });
}

/** Where there is no way to tell from outside: the ids in the queue of a lock. */
export const queueOf = (scene: Scene, name = "x") => (scene.record(keyOf(name))?.queue ?? []).map(({ id }) => id);

export async function untilQueued(scene: Scene, count: number, name = "x"): Promise<void> {
  for (let tries = 0; queueOf(scene, name).length < count; tries += 1) {
    if (tries > 3000) throw new Error(`only ${queueOf(scene, name).length} of ${count} have joined`);
    await scene.pass(20);
  }
}
