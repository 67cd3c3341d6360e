import { expect, it } from "vitest";
import type { S3Mutex } from "../../src/s3-mutex.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { type Client, FINE, NAME, nth, Scene, type Sent, writesOf } from "../../testkit/scene.js";

/**
 * No caller has what this process asked for and did not hand out: its entry may be in the record, and is being taken out. A call by name
 * that made it last longer would tell its caller to work under what is about to be free.
 */

const LEASE_MS = 20_000;
const WAIT_MS = 2000;
const SLOW_MS = [2500, 3000, 4000, 6000, 9000];

const slowly = (ms: number): Fate => ({ kind: "slow", thereMs: 0, backMs: ms });

/** How an acquisition comes to nothing although the store has written it. */
const FAILURES: Readonly<Record<string, (client: Client, slowMs: number) => (request: Sent) => Fate>> = {
  "its answer comes too late": ({ process }, ms) => nth(0, writesOf(process), slowly(ms)),
  "its answer is lost, and those after it are late": ({ process }, ms) => {
    let writes = 0;
    return (request) => {
      if (!writesOf(process)(request)) return FINE;
      writes += 1;
      return writes === 1 ? { kind: "answer-lost" } : slowly(ms);
    };
  },
  "the store falls silent once it has written it": ({ process }, ms) => {
    let silentFromMs = Number.POSITIVE_INFINITY;
    return (request) => {
      if (request.process !== process) return FINE;
      const isSilent = request.atMs > silentFromMs && request.atMs < silentFromMs + ms;
      if (request.operation === "write") silentFromMs = Math.min(silentFromMs, request.atMs);
      return isSilent || request.atMs === silentFromMs ? { kind: "answer-lost" } : FINE;
    };
  },
};

const CASES = Object.keys(FAILURES).flatMap((failure) => SLOW_MS.map((slowMs) => ({ failure, slowMs })));

interface Failing {
  readonly scene: Scene;
  readonly ours: S3Mutex;
  readonly other: S3Mutex;
}

async function failing(failure: string, slowMs: number, ask: (mutex: S3Mutex) => Promise<unknown>): Promise<Failing> {
  const scene = new Scene();
  const [client, { mutex: other }] = [scene.client({ lockTimeoutMs: LEASE_MS }), scene.client()];
  for (const mutex of [client.mutex, other]) await scene.until(mutex.isLocked(NAME));
  scene.fate = FAILURES[failure]?.(client, slowMs) ?? (() => FINE);
  const outcome = await scene.until(ask(client.mutex).catch((error) => error.code));
  expect(["store-unavailable", false, null]).toContain(outcome);
  return { scene, ours: client.mutex, other };
}

/** Asks again and again, as a timer does, until another process has the lock. */
async function askUntilTaken({ scene, other }: Failing, ask: () => Promise<boolean>): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  let isTaken = false;
  const taken = other.acquireLock(NAME, 60_000).then((given) => {
    isTaken = given;
  });
  while (!isTaken && answers.length < 200) {
    await scene.pass(100);
    answers.push(await scene.until(ask().catch((error) => error.code)));
  }
  await scene.until(taken);
  expect(isTaken).toBe(true);
  return answers;
}

it.each(CASES)("refreshLock is false after an acquireLock that failed: $failure ($slowMs ms)", async (given) => {
  const failed = await failing(given.failure, given.slowMs, (mutex) => mutex.acquireLock(NAME, WAIT_MS));
  const { scene, ours } = failed;
  const answers = await askUntilTaken(failed, () => ours.refreshLock(NAME));
  expect(answers).not.toContain(true);
  expect(scene.problems).toEqual([]);
});

it.each(CASES)("the loop of 1.x is inside only with what it was given: $failure ($slowMs ms)", async (given) => {
  const failed = await failing(given.failure, given.slowMs, (mutex) => mutex.acquireLock(NAME, WAIT_MS));
  const { scene, ours, other } = failed;
  let isOtherInside = false;
  const othersTurn = other.acquireLock(NAME, 60_000).then((given) => {
    isOtherInside = given;
  });
  for (let turn = 0; turn < 20 && !isOtherInside; turn += 1) {
    const tick = async () => (await ours.refreshLock(NAME)) || (await ours.acquireLock(NAME, WAIT_MS));
    const isInside = await scene.until(tick().catch(() => false));
    await scene.pass(LEASE_MS / 4);
    if (isInside) expect(isOtherInside, "both are inside").toBe(false);
    if (isInside) await scene.until(ours.releaseLock(NAME));
  }
  await scene.until(othersTurn);
  expect(scene.problems).toEqual([]);
});

it.each(CASES)("isOwnedByUs is false after an acquisition that failed: $failure ($slowMs ms)", async (given) => {
  const asks: readonly ((mutex: S3Mutex) => Promise<unknown>)[] = [
    (mutex) => mutex.acquireLock(NAME, WAIT_MS),
    (mutex) => mutex.acquire(NAME, { timeoutMs: WAIT_MS }),
  ];
  for (const ask of asks) {
    const failed = await failing(given.failure, given.slowMs, ask);
    const answers = await askUntilTaken(failed, () => failed.ours.isOwnedByUs(NAME));
    expect(answers).not.toContain(true);
  }
});

it.each(CASES)("what is being taken out is nothing to release or to delete: $failure ($slowMs ms)", async (given) => {
  for (const method of ["releaseLock", "deleteLock"] as const) {
    const failed = await failing(given.failure, given.slowMs, (mutex) => mutex.acquireLock(NAME, WAIT_MS));
    const answers = await askUntilTaken(failed, () => failed.ours[method](NAME));
    expect(answers).not.toContain(true);
  }
});

it("what is still under way is owned by no caller, and is from the moment on at which it is handed out", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client({ lockTimeoutMs: LEASE_MS });
  scene.fate = nth(0, writesOf(process), slowly(1500));
  const given = mutex.acquireLock(NAME, WAIT_MS);
  await scene.pass(500);
  expect(scene.record()?.holders).toHaveLength(1);
  expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(false);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(false);
  expect(await scene.until(given)).toBe(true);
  expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(true);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
});

it("once it is taken out, another instance of the owner may have the lock, which this one may refresh", async () => {
  const scene = new Scene();
  const options = { lockTimeoutMs: LEASE_MS, ownerId: "worker" };
  const [{ process, mutex: ours }, { mutex: twin }] = [scene.client(options), scene.client(options)];
  scene.fate = nth(0, writesOf(process), slowly(3000));
  expect(await scene.until(ours.acquireLock(NAME, WAIT_MS).catch((error) => error.code))).toBe("store-unavailable");
  expect(await scene.until(twin.acquireLock(NAME))).toBe(true);
  expect(await scene.until(ours.isOwnedByUs(NAME))).toBe(true);
  expect(await scene.until(ours.refreshLock(NAME))).toBe(true);
});
