import { expect, it } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { type Client, KEY, NAME, Scene } from "../../testkit/scene.js";
import { share, stride } from "../scale.js";
import {
  aftermath,
  faultsOf,
  inversions,
  leftovers,
  type Outcome,
  outcomeOf,
  pause,
  problemsBySeed,
  Rooms,
  untilQueued,
} from "./place.js";

/** Lets callers of one instance come: one of them waits on the store, and the lock passes between them with one write. */

function come(rooms: Rooms, { mutex, process }: Client, who: string, holdMs: number, priority = 0): Promise<void> {
  return mutex.acquire(NAME, { priority }).then((lock) => rooms.turn(who, lock, process, holdMs));
}

it("serves 40 callers of one instance one at a time, in order, for at most 1.2 requests a turn", async () => {
  const scene = new Scene({ roundTripMs: () => 10 });
  const rooms = new Rooms(scene);
  const client = scene.client();
  const startedAtMs = scene.nowMs;
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  await scene.until(Promise.all(names.map((who) => come(rooms, client, who, 5))));
  expect(rooms.served).toEqual(names);
  expect(scene.bucket.requests / 40).toBeLessThanOrEqual(1.2);
  // At least 0.7 of one turn per hold and round trip.
  expect(scene.nowMs - startedAtMs).toBeLessThan((40 * 15) / 0.7);
  expect(scene.problems).toEqual([]);
});

it("serves callers of one instance by priority, then arrival", async () => {
  const bad = await problemsBySeed(share(30), async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const rooms = new Rooms(scene);
    const client = scene.client();
    const turns: Promise<void>[] = [come(rooms, client, "first", 2000)];
    const callers = Array.from({ length: 12 }, (_, index) => ({ who: `c${index}`, priority: random.integer(-2, 2) }));
    for (const { who, priority } of callers) {
      await scene.pass(random.between(20, 100));
      turns.push(come(rooms, client, who, random.between(1, 60), priority));
    }
    await scene.until(Promise.all(turns));
    const sorted = [...callers].sort((one, other) => other.priority - one.priority).map(({ who }) => who);
    return [...scene.problems, ...inversions(rooms.served, ["first", ...sorted]).map(String)];
  });
  expect(bad).toEqual({});
});

it("lets only one of its callers wait on the store", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const rooms = new Rooms(scene);
  const client = scene.client();
  const turns = Array.from({ length: 20 }, (_, index) => come(rooms, client, `c${index}`, 5));
  await scene.pass(5000);
  expect(scene.record()?.queue.length).toBe(1);
  // What a waiter needs that is alone: for twenty it would be eight hundred.
  expect(scene.requestsOf(client.process).length).toBeLessThan(50);
  await scene.until(lock.release());
  await scene.until(Promise.all(turns));
  expect(scene.problems).toEqual([]);
});

it("takes local and remote waiters together: by priority, then arrival, wherever they are", async () => {
  const bad = await problemsBySeed(share(20), async (seed) => {
    const scene = new Scene({ seed });
    const random = scene.world.random.fork();
    const rooms = new Rooms(scene);
    const here = scene.client();
    const turns: Promise<void>[] = [come(rooms, here, "first", 10_000)];
    await scene.pass(100);
    const callers = ["here 1", "there 1", "here 2", "there 2", "here 3"].map((who) => {
      return { who, priority: random.integer(0, 1) };
    });
    for (const { who, priority } of callers) {
      turns.push(come(rooms, who.startsWith("here") ? here : scene.client(), who, 10_000, priority));
      // Those elsewhere join the queue meanwhile.
      await scene.pass(200);
    }
    await scene.until(Promise.all(turns));
    const sorted = [...callers].sort((one, other) => other.priority - one.priority).map(({ who }) => who);
    const wrong = inversions(rooms.served, ["first", ...sorted]);
    return [...scene.problems, ...wrong.map((pair) => `${rooms.served}, not ${sorted}: ${pair}`)];
  });
  expect(bad).toEqual({});
});

it("lets a remote waiter in among callers who keep the lock among themselves", async () => {
  for (const [holdMs, roundTripMs] of [
    [5, 10],
    [1, 60],
    [40, 20],
  ] as const) {
    for (let seed = 1; seed <= share(6); seed += 1) {
      const scene = new Scene({ seed, roundTripMs: () => roundTripMs });
      const busy = scene.client();
      let isOver = false;
      const loops = Array.from({ length: 5 }, async () => {
        while (!isOver) {
          const lock = await busy.mutex.acquire(NAME);
          await pause(busy.process, holdMs);
          await lock.release();
        }
      });
      await scene.pass(3000);
      const startedAtMs = scene.nowMs;
      const lock = await scene.until(scene.client().mutex.acquire(NAME), 60_000);
      // It joins at the next pause, and then is in the queue like all others.
      expect(scene.nowMs - startedAtMs).toBeLessThan(3000 + 10 * (holdMs + roundTripMs));
      isOver = true;
      await scene.until(lock.release());
      await scene.until(Promise.all(loops));
      expect(scene.problems).toEqual([]);
    }
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// The holder here holds nothing any more

it("has the next caller get a lock that another process released by force while its neighbour holds it", async () => {
  const scene = new Scene();
  const here = scene.client();
  const lock = await scene.until(here.mutex.acquire(NAME));
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME));
  await scene.pass(500);
  const startedAtMs = scene.nowMs;
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  const { value, atMs } = await scene.until(waiting, 5000);
  expect(value?.held).toBe(true);
  // One second of trust in the neighbour, and what it takes to ask.
  expect(atMs - startedAtMs).toBeLessThan(2000);
  await scene.until(lock.renew());
  expect(lock.held).toBe(false);
  expect(value?.held).toBe(true);
});

it("has the next caller get a lock that another instance of the same owner released", async () => {
  const scene = new Scene();
  const here = scene.client({ ownerId: "shared" });
  expect(await scene.until(here.mutex.acquireLock(NAME))).toBe(true);
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME));
  await scene.pass(200);
  expect(await scene.until(scene.client({ ownerId: "shared" }).mutex.releaseLock(NAME))).toBe(true);
  const { value } = await scene.until(waiting, 5000);
  expect(value?.held).toBe(true);
});

it("has the next caller get a lock whose holder here stopped renewing, once the lease is over", async () => {
  const scene = new Scene();
  const here = scene.client({ lockTimeoutMs: 3000 });
  expect(await scene.until(here.mutex.acquireLock(NAME))).toBe(true);
  const startedAtMs = scene.nowMs;
  const { value, atMs } = await scene.until(outcomeOf(scene, here.mutex.acquire(NAME)), 20_000);
  expect(value?.held).toBe(true);
  expect(atMs - startedAtMs).toBeGreaterThan(2900);
  expect(atMs - startedAtMs).toBeLessThan(3000 + 1000 + 1500);
  expect(scene.problems).toEqual([]);
});

it("has the next caller get a lock that was lost here because the store could not be reached", async () => {
  const scene = new Scene();
  const here = scene.client({ lockTimeoutMs: 3000 });
  const lock = await scene.until(here.mutex.acquire(NAME));
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME));
  scene.fate = () => ({ kind: "lost" });
  await scene.pass(4000);
  expect(lock.held).toBe(false);
  scene.fate = () => ({ kind: "fine" });
  const { value } = await scene.until(waiting, 10_000);
  expect(value?.held).toBe(true);
  scene.believe(value as never, here.process);
  expect(scene.problems).toEqual([]);
});

it("keeps a caller waiting whose turn it is while the release before it fails, and serves it when the lease is over", async () => {
  const scene = new Scene();
  const here = scene.client({ lockTimeoutMs: 3000 });
  const lock = await scene.until(here.mutex.acquire(NAME));
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME));
  await scene.pass(100);
  scene.fate = () => ({ kind: "lost" });
  const released = outcomeOf(scene, lock.release());
  await scene.pass(5000);
  scene.fate = () => ({ kind: "fine" });
  expect((await scene.until(released)).code).toBe("store-unavailable");
  const { value } = await scene.until(waiting, 10_000);
  expect(value?.held).toBe(true);
  await scene.until((value as NonNullable<typeof value>).release());
  await aftermath(scene);
  expect(leftovers(scene)).toEqual([]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Giving up while another caller asks

it.each(["abort", "timeout"])("lets a caller who waits for its neighbour give up at once, by %s", async (how) => {
  const scene = new Scene();
  const here = scene.client();
  const lock = await scene.until(here.mutex.acquire(NAME));
  const stop = new AbortController();
  const patience = how === "timeout" ? { timeoutMs: 700 } : { signal: stop.signal };
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME, patience));
  const after = outcomeOf(scene, here.mutex.acquire(NAME));
  const startedAtMs = scene.nowMs;
  scene.world.after(700, () => stop.abort());
  const { code, atMs } = await scene.until(waiting);
  expect(code).toBe(how === "timeout" ? "timed-out" : "aborted");
  expect(Math.abs(atMs - startedAtMs - 700)).toBeLessThan(2);
  await scene.until(lock.release());
  const { value } = await scene.until(after);
  await scene.until((value as NonNullable<typeof value>).release());
  await aftermath(scene);
  expect(leftovers(scene)).toEqual([]);
  expect(scene.problems).toEqual([]);
});

/** Passes the lock on to a caller that gives up this much later; `others` wait as well, behind it. Says what went wrong. */
async function playGiveUp(afterMs: number, others: number, fates: readonly Fate[] = []): Promise<readonly string[]> {
  const scene = new Scene();
  const here = scene.client({ lockTimeoutMs: 6000 });
  const lock = await scene.until(here.mutex.acquire(NAME));
  const stop = new AbortController();
  const waiting = outcomeOf(scene, here.mutex.acquire(NAME, { signal: stop.signal }));
  const behind = Array.from({ length: others }, () => outcomeOf(scene, here.mutex.acquire(NAME)));
  await scene.pass(300);
  const left = [...fates];
  scene.fate = () => left.shift() ?? { kind: "fine" };
  const startedAtMs = scene.nowMs;
  const released = outcomeOf(scene, lock.release());
  scene.world.after(afterMs, () => stop.abort());
  const problems: string[] = [];
  const { value } = await scene.until(waiting);
  if (value !== undefined) await scene.until(value.release());
  const answered = await scene.until(released);
  if (answered.code !== undefined) problems.push(`release: ${answered.code}`);
  for (const next of behind) {
    const { value: own } = await scene.until(next, 100_000);
    const tookMs = scene.nowMs - startedAtMs;
    // Long before a lease would end.
    if (tookMs > 4000) problems.push(`a waiter behind was served only after ${tookMs} ms`);
    if (own === undefined) problems.push("a waiter behind was not served");
    else await scene.until(own.release());
  }
  await scene.pass(4000);
  problems.push(...leftovers(scene), ...scene.problems);
  return problems.map((problem) => `gave up after ${afterMs} ms: ${problem}`);
}

it("leaves the lock free when its successor gives up at any moment of the transfer", async () => {
  const problems: string[] = [];
  for (const others of [0, 1, 2]) {
    for (let afterMs = 0; afterMs <= 80; afterMs += stride(1)) problems.push(...(await playGiveUp(afterMs, others)));
  }
  expect(problems).toEqual([]);
});

it("leaves it free when the answer of that transfer is lost, late or an error as well", async () => {
  const problems: string[] = [];
  const fates: Fate[] = [
    { kind: "error", status: 500, applied: true },
    { kind: "error", status: 503, applied: false },
    { kind: "error", status: 409, applied: false },
    { kind: "answer-lost" },
    { kind: "lost" },
    { kind: "late", byMs: 1500 },
  ];
  for (const fate of fates) {
    for (let afterMs = 0; afterMs <= 1200; afterMs += stride(afterMs < 60 ? 4 : 60)) {
      problems.push(...(await playGiveUp(afterMs, 1, [fate])).map((problem) => `${JSON.stringify(fate)} ${problem}`));
    }
  }
  expect(problems).toEqual([]);
});

// The write arrived twice and the second answer, a conflict, is the one that was heard: for the caller whom it handed the lock
// to, that counts as an attempt that came to nothing. When this caller gives up before the holder has read again, its
// clean-up finds nothing to do, and the lock stays with it until its lease ends.
it("leaves it free when the write of that transfer arrives twice", async () => {
  const problems: string[] = [];
  for (let afterMs = 20; afterMs <= 44; afterMs += 4)
    problems.push(...(await playGiveUp(afterMs, 1, [{ kind: "twice" }])));
  expect(problems).toEqual([]);
});

// The write that passed the lock to the first caller has landed, but its answer is lost; before the holder asks again, one
// of higher priority has come. The transfer is computed anew, for that one, which is told to wait: for the first caller, who
// holds the lock in the record and does not know. It is not woken, so all wait for its lease to end.
it.each<Fate>([{ kind: "answer-lost" }, { kind: "error", status: 500, applied: true }])(
  "wakes a caller who was handed the lock by a write whose answer was %j, although another is the first by now",
  async (fate) => {
    const scene = new Scene();
    const here = scene.client({ lockTimeoutMs: 30_000 });
    const rooms = new Rooms(scene);
    const lock = await scene.until(here.mutex.acquire(NAME));
    const turns = [come(rooms, here, "first", 50)];
    await scene.pass(100);
    const left = [fate];
    scene.fate = ({ operation }) => (operation === "write" ? left.shift() : undefined) ?? { kind: "fine" };
    const released = lock.release();
    await scene.pass(22);
    turns.push(come(rooms, here, "urgent", 50, 5));
    await scene.until(Promise.all([released, ...turns]), 10_000);
    expect(rooms.served.length).toBe(2);
  },
);

// ---------------------------------------------------------------------------------------------------------------------
// Everything at random

/** Plays one to three instances with several callers each, some of which give up; the store loses, delays and repeats. */
async function playTransfers(seed: number): Promise<readonly string[]> {
  const scene = new Scene({ seed, roundTripMs: () => random.between(5, 60) });
  const random = scene.world.random.fork();
  scene.fate = faultsOf(random, 0.08);
  const outcomes: Promise<Outcome<void>>[] = [];
  for (let clients = random.integer(1, 3); clients > 0; clients -= 1) {
    const { mutex, process } = scene.client({ lockTimeoutMs: 5000 });
    for (let callers = random.integer(2, 5); callers > 0; callers -= 1) {
      const call = async () => {
        for (let turn = 0; turn < 3; turn += 1) {
          await pause(process, random.between(0, 500));
          const stop = new AbortController();
          if (random.chance(0.25)) scene.world.after(random.between(0, 3000), () => stop.abort());
          const waiting = mutex.acquire(NAME, { signal: stop.signal, priority: random.integer(0, 2) });
          const lock = await waiting.catch((error) => {
            if (error.code !== "aborted" && error.code !== "store-unavailable") throw error;
            return undefined;
          });
          if (lock === undefined) continue;
          scene.believe(lock, process);
          await pause(process, random.between(1, 200));
          await lock.release().catch((error) => {
            if (error.code !== "store-unavailable") throw error;
          });
          scene.disbelieve(lock);
        }
      };
      outcomes.push(outcomeOf(scene, call()));
    }
  }
  const problems = (await scene.until(Promise.all(outcomes), 600_000)).flatMap(({ code }) => code ?? []);
  await aftermath(scene);
  return [...problems, ...leftovers(scene), ...scene.problems];
}

it("never has two believers and orphans nothing while transfers go wrong in every way", async () => {
  expect(await problemsBySeed(share(80), playTransfers)).toEqual({});
});

it("makes no further request once there is neither waiter nor holder", async () => {
  const scene = new Scene();
  const rooms = new Rooms(scene);
  const client = scene.client();
  await scene.until(Promise.all([come(rooms, client, "a", 50), come(rooms, client, "b", 50)]));
  const { requests } = scene.bucket;
  await scene.pass(300_000);
  expect(scene.bucket.requests).toBe(requests);
  expect(scene.record(KEY)).toMatchObject({ holders: [], queue: [] });
  await untilQueued(scene, 0);
});
