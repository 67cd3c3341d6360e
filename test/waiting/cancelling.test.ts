import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { KEY, NAME, Scene } from "../../testkit/scene.js";
import { aftermath, leftovers, type Outcome, outcomeOf, queueOf, untilQueued } from "./place.js";

/** A caller that stops waiting is not kept waiting for that, leaves nothing behind, and nothing of it lands later. */

const ROUND_TRIP_MS = 20;
/** Until an entry has been written, and a look or two after that. */
const MOMENTS = Array.from({ length: 3 * ROUND_TRIP_MS + 10 }, (_, index) => index);

const abortAfter = (scene: Scene, ms: number) => {
  const stop = new AbortController();
  scene.world.after(ms, () => stop.abort(new Error("enough")));
  return { signal: stop.signal };
};
const timeOutAfter = (_: Scene, ms: number) => ({ timeoutMs: ms });

it.each([
  ["aborted", abortAfter],
  ["timed-out", timeOutAfter],
] as const)("leaves no entry when %s at any moment while another caller has the lock", async (code, giveUpAfter) => {
  for (const ms of MOMENTS) {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    const { mutex } = scene.client();
    const startedAtMs = scene.nowMs;
    const outcome = await scene.until(outcomeOf(scene, mutex.acquire(NAME, giveUpAfter(scene, ms))));
    expect(outcome.code).toBe(code);
    // However short the time, one attempt is made: a read and a write.
    const patienceMs = code === "aborted" ? ms : Math.max(ms, 3 * ROUND_TRIP_MS);
    expect(outcome.atMs - startedAtMs).toBeLessThan(patienceMs + 2);
    await scene.pass(4 * ROUND_TRIP_MS);
    expect(queueOf(scene)).toEqual([]);
    await scene.until(lock.release());
    await aftermath(scene);
    expect(leftovers(scene)).toEqual([]);
    expect(scene.problems).toEqual([]);
  }
});

it("leaves a lock free that it was granted just when it stopped waiting", async () => {
  let granted = 0;
  for (const ms of MOMENTS) {
    const scene = new Scene();
    const { mutex } = scene.client();
    const { value, code } = await scene.until(outcomeOf(scene, mutex.acquire(NAME, abortAfter(scene, ms))));
    if (value === undefined) expect(code).toBe("aborted");
    else await scene.until(value.release());
    granted += value === undefined ? 0 : 1;
    await scene.pass(6 * ROUND_TRIP_MS);
    expect(leftovers(scene)).toEqual([]);
    expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).not.toBeNull();
    expect(scene.problems).toEqual([]);
  }
  expect(granted).toBeGreaterThan(0);
  expect(granted).toBeLessThan(MOMENTS.length);
});

/** Plays a caller that stops waiting after so many milliseconds while the first write that it sends has this fate; says what it leaves. */
async function playGiveUp(fate: Fate, held: boolean, ms: number): Promise<readonly string[]> {
  const scene = new Scene();
  const lock = held ? await scene.until(scene.client().mutex.acquire(NAME)) : undefined;
  const { mutex, process } = scene.client();
  const left = [fate];
  scene.fate = (request) => {
    const isItsWrite = request.process === process && request.operation === "write";
    return (isItsWrite ? left.shift() : undefined) ?? { kind: "fine" };
  };
  const startedAtMs = scene.nowMs;
  const outcome = await scene.until(outcomeOf(scene, mutex.acquire(NAME, abortAfter(scene, ms))));
  if (outcome.value !== undefined) await scene.until(outcome.value.release());
  const problems = outcome.atMs - startedAtMs > ms + 1 ? ["kept waiting"] : [];
  await scene.pass(25_000);
  const { holders = [], queue = [] } = scene.record() ?? {};
  const own = [...holders, ...queue].filter(({ host }) => host === process.name);
  problems.push(...own.map(({ id }) => `${id} is left`));
  if (lock !== undefined) await scene.until(lock.release());
  const next = await scene.until(scene.client().mutex.tryAcquire(NAME));
  if (next === null) problems.push("not free");
  return [...problems, ...scene.problems].map((problem) => `${ms} ms, ${held ? "held" : "free"}: ${problem}`);
}

async function playAllGiveUps(fate: Fate): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const held of [true, false]) {
    for (const ms of [0, 5, 19, 21, 25, 39, 41, 45, 60, 300, 2500, 7000]) {
      problems.push(...(await playGiveUp(fate, held, ms)));
    }
  }
  return problems;
}

it.each<Fate>([
  { kind: "lost" },
  { kind: "answer-lost" },
  { kind: "late", byMs: 2000 },
  { kind: "late", byMs: 12_000 },
  { kind: "error", status: 500, applied: true },
  { kind: "error", status: 503, applied: false },
])("leaves nothing behind, and lets nothing land later, where the fate of its first write is %j", async (fate) => {
  expect(await playAllGiveUps(fate)).toEqual([]);
});

// The answer that is heard is the second one, a conflict: the attempt counts as one that came to nothing, so that who gives
// up before it has read again clears nothing away. The lock stays held for the whole lease, or the entry in the queue.
it("leaves nothing behind where its first write arrives twice", async () => {
  expect(await playAllGiveUps({ kind: "twice" })).toEqual([]);
});

it.each([3000, 25_000])(
  "clears up what a release could not, once a store that answered conflicts for %i ms takes writes again",
  async (forMs) => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 60_000 });
    const lock = await scene.until(mutex.acquire(NAME));
    const untilMs = scene.nowMs + forMs;
    scene.fate = ({ operation }) =>
      operation === "write" && scene.nowMs < untilMs
        ? { kind: "error", status: 409, applied: false }
        : { kind: "fine" };
    expect((await scene.until(outcomeOf(scene, lock.release()))).code).toBe("store-unsafe");
    const requests = scene.sent.length;
    await scene.pass(untilMs - scene.nowMs);
    expect(scene.record()?.holders).toHaveLength(1);
    // No caller waits for it: there is no hurry.
    expect(scene.sent.length - requests).toBeLessThan(10 + forMs / 300);
    await scene.pass(2500);
    expect(leftovers(scene)).toEqual([]);
    expect(scene.problems).toEqual([]);
  },
);

it.each(["its own lock", "another lock of a cycle"])(
  "leaves no entry when it stops waiting while a look at %s hangs",
  async (which) => {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    const { mutex, process } = scene.client();
    const outer = await scene.until(mutex.acquire("y"));
    const key = which === "its own lock" ? KEY : "locks/y.json";
    const stop = new AbortController();
    const waiting = outcomeOf(scene, mutex.acquire(NAME, { within: outer, signal: stop.signal }));
    await untilQueued(scene, 1);
    let hangs = 0;
    scene.fate = (request) => {
      if (request.process !== process || request.operation !== "read" || request.key !== key) return { kind: "fine" };
      hangs += 1;
      return { kind: "lost" };
    };
    while (hangs === 0) await scene.pass(10);
    await scene.pass(300);
    scene.fate = () => ({ kind: "fine" });
    stop.abort();
    expect((await scene.until(waiting)).code).toBe("aborted");
    await scene.pass(4 * ROUND_TRIP_MS);
    expect(queueOf(scene)).toEqual([]);
    await scene.pass(10_000);
    await scene.until(Promise.all([lock.release(), outer.release()]));
    expect(leftovers(scene)).toEqual([]);
    expect(scene.problems).toEqual([]);
  },
);

it("rejects in the very instant of the abort, although the store never answers", async () => {
  for (const ms of [0, 1, 10, 5000, 20_000]) {
    const scene = new Scene();
    scene.fate = () => ({ kind: "lost" });
    const { mutex } = scene.client();
    const startedAtMs = scene.nowMs;
    const outcome = await scene.until(outcomeOf(scene, mutex.acquire(NAME, abortAfter(scene, ms))));
    expect(outcome.code).toBe("aborted");
    expect(outcome.atMs).toBe(startedAtMs + ms);
  }
});

it("rejects in the very instant of the abort or the time-out once it is enqueued, although the store has fallen silent", async () => {
  for (const giveUpAfter of [abortAfter, timeOutAfter]) {
    const scene = new Scene();
    await scene.until(scene.client().mutex.acquire(NAME));
    const { mutex, process } = scene.client();
    const startedAtMs = scene.nowMs;
    const waiting = outcomeOf(scene, mutex.acquire(NAME, giveUpAfter(scene, 2000)));
    await untilQueued(scene, 1);
    scene.fate = (request) => (request.process === process ? { kind: "lost" } : { kind: "fine" });
    const { atMs } = await scene.until(waiting);
    // Timers count whole milliseconds.
    expect(atMs - startedAtMs).toBeGreaterThanOrEqual(1999);
    expect(atMs - startedAtMs).toBeLessThan(2002);
  }
});

it("does without any request when the signal was aborted before, and says what with", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const reason = new Error("too late");
  const { code, error } = await scene.until(
    outcomeOf(scene, mutex.acquire(NAME, { signal: AbortSignal.abort(reason) })),
  );
  expect(code).toBe("aborted");
  expect(error).toMatchObject({ cause: reason, lockName: NAME });
  expect(scene.sent).toEqual([]);
});

it("does not touch a lock that is held when the signal is aborted later", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME, abortAfter(scene, 500)));
  await scene.pass(1000);
  expect(lock.held).toBe(true);
  expect(scene.record()?.holders.length).toBe(1);
});

it("waits out the time it was given, and has a lock that becomes free just before its end", async () => {
  for (const beforeEndMs of [150, 200, 400, 1000]) {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    const { mutex } = scene.client();
    const waiting = outcomeOf(scene, mutex.acquire(NAME, { timeoutMs: 5000 }));
    await scene.pass(5000 - beforeEndMs);
    await scene.until(lock.release());
    expect((await scene.until(waiting)).value?.held).toBe(true);
  }
});

it("gives acquireLock and withLock false and null, and leaves no entry, when the time is up", async () => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire(NAME));
  const { mutex } = scene.client();
  expect(await scene.until(mutex.acquireLock(NAME, 700))).toBe(false);
  expect(await scene.until(mutex.withLock(NAME, () => "ran", { timeoutMs: 700 }))).toBeNull();
  await scene.pass(200);
  expect(queueOf(scene)).toEqual([]);
});

it("drops one of many waiters, and no other", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const outcomes: Promise<Outcome<Lock>>[] = [];
  for (const ms of [3000, undefined, 3100, undefined]) {
    const options = ms === undefined ? {} : abortAfter(scene, ms);
    outcomes.push(outcomeOf(scene, scene.client().mutex.acquire(NAME, options)));
    await scene.pass(100);
  }
  await untilQueued(scene, 4);
  await scene.pass(4000);
  expect(queueOf(scene).length).toBe(2);
  await scene.until(lock.release());
  const codes: (string | undefined)[] = [];
  for (const outcome of outcomes) {
    const { value, code } = await scene.until(outcome);
    if (value !== undefined) await scene.until(value.release());
    codes.push(code);
  }
  expect(codes).toEqual(["aborted", undefined, "aborted", undefined]);
  expect(scene.record(KEY)).toMatchObject({ queue: [], holders: [] });
});

// A swap looks at its signal only before it reads, not before it writes: given up while the first read is under way, an entry
// is written that has to be taken out again, and the caller's `enqueued` comes after its rejection.
it("sends no entry, and tells of none, once the caller has stopped waiting", async () => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire(NAME));
  const { mutex, process } = scene.client();
  const told: string[] = [];
  mutex.on("enqueued", () => told.push("enqueued"));
  await scene.until(outcomeOf(scene, mutex.acquire(NAME, abortAfter(scene, 5))));
  await scene.pass(1000);
  expect(told).toEqual([]);
  expect(scene.requestsOf(process).map(({ operation }) => operation)).toEqual(["read"]);
});

it("leaves no entry where a cache shows the record as it was before it", async () => {
  const scene = new Scene({ isCached: true });
  const holder = scene.client().mutex;
  const lock = await scene.until(holder.acquire(NAME));
  await scene.pass(3000);
  const { mutex, process } = scene.client();
  const giveUp = new AbortController();
  const beforeEntryMs = scene.nowMs;
  const waiting = outcomeOf(scene, mutex.acquire(NAME, { signal: giveUp.signal }));
  await untilQueued(scene, 1);
  const other = scene.client().mutex.acquire(NAME, { priority: -1 });
  await untilQueued(scene, 2);
  await scene.pass(300);
  let cachedUntilMs = Number.POSITIVE_INFINITY;
  scene.fate = (request) => {
    const isCached = request.process === process && request.operation === "read" && scene.nowMs < cachedUntilMs;
    return isCached ? { kind: "stale", byMs: scene.nowMs - beforeEntryMs } : { kind: "fine" };
  };
  // The renewal is refused once, reads, and has written again just before the entry is taken out: that write is refused, and has to read.
  const renewed = lock.renew();
  await scene.pass(2 * ROUND_TRIP_MS + 8);
  giveUp.abort();
  expect((await scene.until(waiting)).code).toBe("aborted");
  await scene.until(renewed);
  await scene.pass(1000);
  cachedUntilMs = scene.nowMs;
  await scene.pass(2000);
  expect(queueOf(scene).length).toBe(1);
  await scene.until(lock.release());
  await scene.until((await scene.until(other)).release());
  expect(scene.problems).toEqual([]);
});
