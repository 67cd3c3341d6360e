import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { Random } from "../../src/testing/virtual/random.js";
import { Scene } from "../../testkit/scene.js";
import { IN_FULL } from "../scale.js";
import { drawAnswers, EndlessStore } from "./endless-answers.js";

const LEASE_MS = 6000;
/** A third of the lease: one full attempt where the time was up before. */
const ATTEMPT_MS = LEASE_MS / 3;

interface Held {
  readonly mutex: S3Mutex;
  readonly lock: Lock;
  readonly handedOver: string;
  readonly random: Random;
}

interface Call {
  readonly start: (held: Held) => Promise<unknown>;
  /** By when it has to end, in milliseconds: what docs/guide/operations.md says. */
  readonly withinMs: number;
}

async function all(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of iterable);
}

const CALLS: Readonly<Record<string, Call>> = {
  "acquire, timeoutMs 3000": { start: ({ mutex }) => mutex.acquire("free", { timeoutMs: 3000 }), withinMs: 3000 },
  "acquire, timeoutMs 50": { start: ({ mutex }) => mutex.acquire("free", { timeoutMs: 50 }), withinMs: 2000 },
  "acquire, held, timeoutMs 3000": { start: ({ mutex }) => mutex.acquire("held", { timeoutMs: 3000 }), withinMs: 3000 },
  tryAcquire: { start: ({ mutex }) => mutex.tryAcquire("free"), withinMs: ATTEMPT_MS },
  acquireLock: { start: ({ mutex }) => mutex.acquireLock("free"), withinMs: 6200 },
  // The lock that it got is released until its lease is over.
  withLock: { start: ({ mutex }) => mutex.withLock("free", () => 1), withinMs: 6200 + LEASE_MS },
  acquireAll: {
    start: ({ mutex }) => mutex.acquireAll(["free", "free2", "held"], { timeoutMs: 3000 }),
    withinMs: 3500,
  },
  once: {
    start: ({ mutex }) => mutex.runOnce("key", () => 1, { timeoutMs: 3000, leaseMs: LEASE_MS }),
    withinMs: 3000 + 2 * LEASE_MS,
  },
  forget: { start: ({ mutex }) => mutex.forget("done", { timeoutMs: 3000 }), withinMs: 3000 + 2 * LEASE_MS },
  "semaphore.acquire": {
    start: ({ mutex }) => mutex.semaphore("pool", { permits: 2 }).acquire({ timeoutMs: 3000 }),
    withinMs: 3000,
  },
  "semaphore.resize": { start: ({ mutex }) => mutex.semaphore("pool", { permits: 2 }).resize(3), withinMs: 10_000 },
  "semaphore.inspect": { start: ({ mutex }) => mutex.semaphore("pool", { permits: 2 }).inspect(), withinMs: 10_000 },
  campaign: { start: ({ mutex }) => mutex.election("svc").campaign({ timeoutMs: 3000 }), withinMs: 3000 },
  leader: { start: ({ mutex }) => mutex.election("svc").leader(), withinMs: 10_000 },
  renew: { start: ({ lock }) => lock.renew(), withinMs: LEASE_MS },
  downgrade: { start: ({ lock }) => lock.downgrade(), withinMs: LEASE_MS },
  release: { start: ({ lock }) => lock.release(), withinMs: LEASE_MS },
  serialize: { start: ({ lock }) => lock.serialize(), withinMs: LEASE_MS },
  restore: { start: ({ mutex, handedOver }) => mutex.restore(handedOver), withinMs: LEASE_MS + ATTEMPT_MS },
  refreshLock: { start: ({ mutex }) => mutex.refreshLock("named"), withinMs: LEASE_MS },
  releaseLock: { start: ({ mutex }) => mutex.releaseLock("named"), withinMs: LEASE_MS },
  "releaseLock, forced": { start: ({ mutex }) => mutex.releaseLock("held", true), withinMs: 10_000 },
  deleteLock: { start: ({ mutex }) => mutex.deleteLock("named"), withinMs: 20_000 },
  "deleteLock, forced": { start: ({ mutex }) => mutex.deleteLock("held", true), withinMs: 20_000 },
  isLocked: { start: ({ mutex }) => mutex.isLocked("held"), withinMs: 10_000 },
  isOwnedByUs: { start: ({ mutex }) => mutex.isOwnedByUs("held"), withinMs: 10_000 },
  inspect: { start: ({ mutex }) => mutex.inspect("held"), withinMs: 10_000 },
  list: { start: ({ mutex }) => all(mutex.list()), withinMs: 30_000 },
  cleanupStaleLocks: { start: ({ mutex }) => mutex.cleanupStaleLocks(), withinMs: 30_000 },
  health: { start: ({ mutex }) => mutex.health(), withinMs: 2000 },
  "fencedObject, opened": { start: ({ lock }) => lock.fencedObject({ key: "new" }), withinMs: LEASE_MS },
  "fencedObject.read": { start: ({ lock }) => lock.fencedObject({ key: "object" }).read(), withinMs: LEASE_MS },
  "fencedObject.write": { start: ({ lock }) => lock.fencedObject({ key: "object" }).write(2), withinMs: LEASE_MS },
  "fencedObject.update": {
    start: ({ lock }) => lock.fencedObject<number>({ key: "object" }).update((content = 0) => content + 1),
    withinMs: LEASE_MS,
  },
  "fencedObject.delete": { start: ({ lock }) => lock.fencedObject({ key: "object" }).delete(), withinMs: LEASE_MS },
  close: { start: ({ mutex }) => mutex.close(), withinMs: 10_000 },
};

/** Plays one call over answers that never end; what was wrong. */
async function play(seed: number, { start, withinMs }: Call): Promise<string | undefined> {
  const scene = new Scene({ seed });
  const random = new Random(seed);
  let store: EndlessStore | undefined;
  const through: Parameters<Scene["client"]>[0] = {
    lockTimeoutMs: LEASE_MS,
    through: (inner, process) => {
      store = new EndlessStore(scene, process, inner);
      return store;
    },
  };
  const { mutex } = scene.client(through);
  const endless = store as unknown as EndlessStore;
  const lock = await scene.until(mutex.acquire("held"));
  await scene.until(mutex.acquireLock("named"));
  await scene.until(mutex.runOnce("done", () => 1));
  await scene.until(lock.fencedObject({ key: "object" }).write(1));
  const handedOver = await scene.until(mutex.acquire("passed on").then((passed) => passed.serialize()));
  const answers = drawAnswers(random);
  if (random.chance(0.5)) await scene.pass(random.between(0, 1500));
  endless.next = answers;
  const startedAtMs = scene.nowMs;
  const outcome = start({ mutex, lock, handedOver, random }).then(
    () => "resolved",
    (error: Error) => `${(error as { code?: string }).code ?? error.stack}`,
  );
  try {
    await scene.until(outcome, withinMs + 5);
  } catch (error) {
    return `${seed}: ${String(error)}`;
  }
  const end = await outcome;
  if (/Error/.test(end)) return `${seed}: ${end}`;
  const perSecond = endless.requests / ((scene.nowMs - startedAtMs) / 1000 + 1);
  return perSecond > 150 ? `${seed}: ${perSecond} requests a second` : undefined;
}

/** For each call. Of 150 seeds each, none was late when this was written. */
const SEEDS = IN_FULL ? 12 : 3;

it.each(Object.entries(CALLS))("S1, S6: %s ends in time over answers that never end", async (name, call) => {
  const problems: string[] = [];
  const firstSeed = 1000 * Object.keys(CALLS).indexOf(name);
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed += 1) {
    const problem = await play(seed, call);
    if (problem !== undefined) problems.push(problem);
  }
  expect(problems).toEqual([]);
});

it("S1, S6: who waits without a limit ends when aborted, whatever is answered", async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const scene = new Scene({ seed });
    let store: EndlessStore | undefined;
    const { mutex } = scene.client({
      through: (inner, process) => {
        store = new EndlessStore(scene, process, inner);
        return store;
      },
    });
    const stop = new AbortController();
    const { signal } = stop;
    const election = mutex.election("svc");
    (store as unknown as EndlessStore).next = drawAnswers(new Random(seed));
    const calls = [
      mutex.acquire("x", { signal }),
      mutex.withLock("y", () => 1, { signal, timeoutMs: 3_000_000 }),
      mutex.semaphore("s", { permits: 1 }).acquire({ signal }),
      election.campaign({ signal }),
      election.runWhenLeader(() => new Promise((resolve) => signal.addEventListener("abort", resolve)), { signal }),
      all(election.observe({ signal })),
      all(mutex.watch({ signal })),
      all(mutex.list({ signal })),
    ];
    const ended = Promise.allSettled(calls);
    await scene.pass(45_000);
    stop.abort();
    // What was acquired meanwhile is released first.
    await scene.until(ended, 61_000);
  }
});
