import { expect, it } from "vitest";
import type { Waiter } from "../../src/core/record.js";
import { S3MutexError } from "../../src/errors.js";
import type { Lock } from "../../src/primitives/lock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import type { Random } from "../../src/testing/virtual/random.js";
import { NAME, Scene } from "../../testkit/scene.js";
import { share } from "../scale.js";
import { inversions, outcomeOf, pause, problemsBySeed, queueOf, Rooms, untilQueued } from "./place.js";

/** Who is served first: priority, then arrival, whatever happens to those in between. */

interface Line {
  /** How long the first turn lasts after all have joined, and each later one. */
  readonly firstMs: (random: Random) => number;
  readonly turnMs: (random: Random) => number;
  readonly roundTripMs: (random: Random) => number;
}

/** Plays some waiters of random priorities that come within two seconds; all have joined when the lock becomes free. */
async function playLine(seed: number, line: Line): Promise<{ wrong: readonly string[]; longestIdleMs: number }> {
  const scene = new Scene({ seed, roundTripMs: () => line.roundTripMs(random) });
  const random = scene.world.random.fork();
  const rooms = new Rooms(scene);
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const waiters = Array.from({ length: random.integer(3, 9) }, (_, index) => {
    return { who: `w${index}`, priority: random.integer(-1, 1), atMs: random.between(0, 2000) };
  });
  let freeSinceMs = 0;
  let longestIdleMs = 0;
  const turns = waiters.map(async ({ who, priority, atMs }) => {
    const { mutex, process } = scene.client();
    await pause(process, atMs);
    const own = await mutex.acquire(NAME, { priority });
    longestIdleMs = Math.max(longestIdleMs, scene.nowMs - freeSinceMs);
    await rooms.turn(who, own, process, line.turnMs(random));
    freeSinceMs = scene.nowMs;
  });
  await scene.pass(2000);
  await untilQueued(scene, waiters.length);
  await scene.pass(line.firstMs(random));
  freeSinceMs = scene.nowMs;
  await scene.until(lock.release());
  await scene.until(Promise.all(turns));
  const expected = [...waiters].sort((one, other) => other.priority - one.priority || one.atMs - other.atMs);
  const order = expected.map(({ who }) => who);
  const wrong = inversions(rooms.served, order).map((pair) => `served ${rooms.served}, not ${order}: ${pair}`);
  return { wrong: [...scene.problems, ...wrong], longestIdleMs };
}

it("serves waiters by priority, then arrival, where turns are as long as the last", async () => {
  const line: Line = {
    firstMs: (random) => random.between(8000, 12_000),
    turnMs: (random) => random.between(8000, 15_000),
    roundTripMs: () => 20,
  };
  expect(await problemsBySeed(share(40), async (seed) => (await playLine(seed, line)).wrong)).toEqual({});
});

const UNEVEN: Line = {
  firstMs: (random) => random.between(0, 3000),
  turnMs: (random) => random.between(1, 200),
  roundTripMs: (random) => random.between(5, 80),
};

// Turns that become much shorter than the ones before: a waiter that sleeps by the pace, or until the next poll age of a long hold, is waited
// for all the same.
it("serves waiters by priority, then arrival, whatever turns are like", async () => {
  expect(await problemsBySeed(share(40), async (seed) => (await playLine(seed, UNEVEN)).wrong)).toEqual({});
});

// After a hold of seconds followers are asleep until its next poll age, or the one after that: 5 s at most.
it("leaves a lock with waiters free for no longer than poll ages are apart, whatever turns are like", async () => {
  const idle: number[] = [];
  for (let seed = 1; seed <= share(20); seed += 1) idle.push((await playLine(seed, UNEVEN)).longestIdleMs);
  expect(Math.max(...idle)).toBeLessThan(5000);
  expect(idle.filter((ms) => ms < 3000).length).toBeGreaterThanOrEqual(share(16));
});

// A process that has just started connects and compiles while its first answers come: that says nothing about the store.
it("serves processes whose first answers were slow in the order in which they came, and soon", async () => {
  const drainedMs: number[] = [];
  const bad = await problemsBySeed(share(10), async (seed) => {
    let roundTripMs = 150;
    const scene = new Scene({ seed, roundTripMs: () => roundTripMs });
    const rooms = new Rooms(scene);
    const clients = Array.from({ length: 12 }, () => scene.client());
    await scene.until(Promise.all(clients.map(({ mutex }, index) => mutex.withLock(`warm-${index}`, async () => {}))));
    roundTripMs = 10;
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    const turns = clients.map(async ({ mutex, process }, index) => {
      await pause(process, 100 * index);
      await rooms.turn(`w${index}`, await mutex.acquire(NAME), process, 50);
    });
    await scene.pass(8000);
    const releasedAtMs = scene.nowMs;
    await scene.until(lock.release());
    await scene.until(Promise.all(turns));
    drainedMs.push(scene.nowMs - releasedAtMs);
    const order = clients.map((_, index) => `w${index}`);
    return [...scene.problems, ...inversions(rooms.served, order).map(String)];
  });
  expect(bad).toEqual({});
  expect(Math.max(...drainedMs)).toBeLessThan(4000);
});

it("lets no newcomer of the same or lower priority overtake a live waiter, tryAcquire included", async () => {
  const bad = await problemsBySeed(share(40), async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const holder = await scene.until(scene.client().mutex.acquire(NAME));
    const waiter = scene.client();
    const waiting = outcomeOf(scene, waiter.mutex.acquire(NAME, { priority: 1 }));
    await untilQueued(scene, 1);
    await scene.pass(random.between(0, 4000));
    const freed = scene.until(holder.release());
    await freed;
    const problems: string[] = [];
    // It is free now, and the waiter has not looked yet.
    for (let tries = 0; scene.record()?.holders.length === 0; tries += 1) {
      const priority = random.pick([0, 1]);
      const { mutex } = scene.client();
      const got = await scene.until(mutex.tryAcquire(NAME, { priority }));
      if (got !== null) problems.push(`a newcomer of priority ${priority} overtook at try ${tries}`);
      if (tries > 500) throw new Error("the waiter never came");
    }
    await scene.until(waiting);
    return [...problems, ...scene.problems];
  });
  expect(bad).toEqual({});
});

it("answers tryAcquire with null while the lock is free but has a live waiter, and leaves no entry", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const waiter = scene.client();
  const waiting = waiter.mutex.acquire(NAME);
  await untilQueued(scene, 1);
  await scene.pass(3000);
  waiter.process.freeze(400, false);
  await scene.until(lock.release());
  expect(scene.record()).toMatchObject({ holders: [] });
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
  expect(queueOf(scene).length).toBe(1);
  // A caller of higher priority may.
  const urgent = await scene.until(scene.client().mutex.tryAcquire(NAME, { priority: 1 }));
  expect(urgent).not.toBeNull();
  await scene.until((urgent as Lock).release());
  await scene.until((await scene.until(waiting)).release());
  expect(scene.problems).toEqual([]);
});

it("does not let one of lower priority in before one of higher who came later", async () => {
  const scene = new Scene({ seed: 4 });
  const rooms = new Rooms(scene);
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const come = async (who: string, priority: number) => {
    const { mutex, process } = scene.client();
    await rooms.turn(who, await mutex.acquire(NAME, { priority }), process, 20);
  };
  const turns: Promise<void>[] = [];
  for (const [who, priority] of [
    ["low", -3],
    ["usual", 0],
    ["high", 9],
    ["usual 2", 0],
    ["high 2", 9],
  ] as const) {
    turns.push(come(who, priority));
    await scene.pass(200);
  }
  await scene.until(lock.release());
  await scene.until(Promise.all(turns));
  expect(rooms.served).toEqual(["high", "high 2", "usual", "usual 2", "low"]);
});

it("has a waiter that was passed over come back with the arrival that it had", async () => {
  const scene = new Scene({ seed: 2 });
  const rooms = new Rooms(scene);
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const come = async (who: string, holdMs: number, { mutex, process } = scene.client()) => {
    await rooms.turn(who, await mutex.acquire(NAME), process, holdMs);
  };
  const sleeper = scene.client();
  const turns = [come("sleeper", 20, sleeper)];
  await untilQueued(scene, 1);
  turns.push(come("second", 4000));
  await untilQueued(scene, 2);
  turns.push(come("third", 20));
  await untilQueued(scene, 3);
  const [first] = scene.record()?.queue ?? [];
  // It is paused when its turn comes, for longer than a grace, and wakes up while another has the lock.
  sleeper.process.freeze(5000, false);
  await scene.until(lock.release());
  await scene.until(Promise.all(turns));
  expect(rooms.served).toEqual(["second", "sleeper", "third"]);
  const again = scene.landed.flatMap(({ record }) => record?.queue ?? []).filter(({ id }) => id === first?.id);
  expect(new Set(again.map(({ sinceMs }) => sinceMs))).toEqual(new Set([first?.sinceMs]));
  expect(scene.problems).toEqual([]);
});

it("gives one whose entry had expired its old place when it comes back", async () => {
  const scene = new Scene({ seed: 3 });
  const rooms = new Rooms(scene);
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const come = async (who: string, { mutex, process } = scene.client()) => {
    await rooms.turn(who, await mutex.acquire(NAME), process, 20);
  };
  const sleeper = scene.client();
  const turns = [come("sleeper", sleeper)];
  await untilQueued(scene, 1);
  sleeper.process.freeze(20_000, false);
  await scene.pass(1000);
  turns.push(come("second"));
  await scene.pass(22_000);
  await untilQueued(scene, 2);
  await scene.until(lock.release());
  await scene.until(Promise.all(turns));
  expect(rooms.served).toEqual(["sleeper", "second"]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Everything at random

const NAMES = ["timed-out", "aborted"];

/**
 * Plays callers that come, wait, give up, die and are served, at random. Whenever a caller is granted the lock it is checked against the
 * record that it was granted on: no waiter that was enqueued, alive and ahead may have been overtaken, unless the lock had been free for
 * long enough to pass it over.
 */
async function playOrder(seed: number): Promise<readonly string[]> {
  const scene = new Scene({ seed, roundTripMs: () => random.between(5, 60) });
  const random = scene.world.random.fork();
  const dead = new Set<string>();
  const processes: SimProcess[] = [];
  const arrivals = new Map<string, number>();
  const living = () => processes.filter(({ isDead }) => !isDead);

  const act = async (mutex: S3Mutex, process: SimProcess) => {
    for (let turn = 0; turn < 5; turn += 1) {
      await pause(process, random.between(0, 1500));
      const stop = new AbortController();
      if (random.chance(0.2)) scene.world.after(random.between(0, 2500), () => stop.abort());
      const options = { priority: random.integer(0, 2), signal: stop.signal };
      const waiting = random.chance(0.15)
        ? mutex.tryAcquire(NAME, options)
        : mutex.acquire(NAME, random.chance(0.3) ? { ...options, timeoutMs: random.between(0, 3000) } : options);
      if (random.chance(0.04)) {
        scene.world.after(random.between(0, 2000), () => {
          if (living().length < 3) return;
          process.kill();
          dead.add(process.name);
        });
      }
      const lock = await waiting.catch((error: unknown) => {
        if (!S3MutexError.is(error) || !NAMES.includes(error.code)) throw error;
        return null;
      });
      if (lock === null) continue;
      scene.believe(lock, process);
      await pause(process, random.between(1, 400));
      await lock.release();
      scene.disbelieve(lock);
    }
  };

  const actors = Array.from({ length: random.integer(3, 6) }, () => {
    const { mutex, process } = scene.client({ lockTimeoutMs: 4000 });
    processes.push(process);
    mutex.on("acquired", ({ acquisitionId, waitedMs }) => arrivals.set(acquisitionId, scene.nowMs - waitedMs));
    return { process, done: false, acting: act(mutex, process) };
  });
  for (const actor of actors) {
    actor.acting.then(
      () => {
        actor.done = true;
      },
      (error) => scene.problem(`an actor failed: ${error?.stack ?? error}`),
    );
  }
  const isOver = () => actors.every(({ done, process }) => done || process.isDead);
  await scene.world.run(600_000, isOver);
  if (!isOver()) scene.problem("not all were served");
  await scene.pass(20_000);
  const left = queueOf(scene).filter((id) => !dead.has(id.split("#")[0] as string));
  if (left.length > 0) scene.problem(`left in the queue: ${left}`);
  return [...scene.problems, ...overtakings(scene, arrivals)];
}

function overtakings(scene: Scene, arrivals: ReadonlyMap<string, number>): string[] {
  const found: string[] = [];
  for (const [index, { atMs, record }] of scene.landed.entries()) {
    const before = scene.landed[index - 1]?.record;
    const granted = record?.holders.find(({ id }) => !before?.holders.some((held) => held.id === id));
    if (before === undefined || granted === undefined) continue;
    const own = before.queue.find(({ id }) => id === granted.id);
    // A caller that died before it heard of its grant has not told when it came.
    const sinceMs = own?.sinceMs ?? arrivals.get(granted.id) ?? 0;
    const rank = { priority: granted.priority, sinceMs };
    const isAhead = (waiter: Waiter) =>
      waiter.id !== granted.id &&
      waiter.expiresAtMs > atMs &&
      (waiter.priority > rank.priority || (waiter.priority === rank.priority && waiter.sinceMs < rank.sinceMs - 2));
    const ahead = before.queue.filter(isAhead);
    // A grace is at least this long; a lease that was taken over had its tolerance first.
    const freeSinceMs = before.freeSinceMs ?? Math.min(...before.holders.map(({ expiresAtMs }) => expiresAtMs + 1000));
    const isReleasing = before.holders.length > 0 && record?.recent[0]?.ended === "released";
    const freeForMs = isReleasing ? 0 : atMs - freeSinceMs;
    if (ahead.length * 110 > freeForMs + 5)
      found.push(`at ${atMs}: ${granted.id} overtook ${ahead.map(({ id }) => id)} after ${freeForMs} ms`);
  }
  return found;
}

it("keeps the order over random arrivals, cancellations, deaths and releases", async () => {
  expect(await problemsBySeed(share(100), playOrder)).toEqual({});
});
