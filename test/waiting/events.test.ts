import { expect, it } from "vitest";
import type { S3MutexError } from "../../src/errors.js";
import type { S3MutexEvents } from "../../src/runtime/base/events.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { NAME, Scene } from "../../testkit/scene.js";
import { type Outcome, outcomeOf, pause, untilQueued } from "./place.js";

/** What a mutex tells while its callers wait and hold. */

interface Told {
  readonly event: string;
  readonly atMs: number;
  readonly [detail: string]: unknown;
}

const EVENTS: readonly (keyof S3MutexEvents)[] = [
  "enqueued",
  "position",
  "acquired",
  "renewed",
  "lost",
  "released",
  "deadlock",
];

function listen(scene: Scene, mutex: S3Mutex): Told[] {
  const told: Told[] = [];
  for (const event of EVENTS) {
    mutex.on(event, (payload: object) => told.push({ event, atMs: scene.nowMs, ...payload }));
  }
  return told;
}

const namesOf = (told: readonly Told[]) => told.map(({ event }) => event);

it("tells of a lock that was free: acquired without having waited, then released", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const told = listen(scene, mutex);
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.pass(500);
  await scene.until(lock.release());
  const hold = { lockName: NAME, fencingToken: lock.fencingToken, acquisitionId: told[0]?.["acquisitionId"] };
  expect(told).toMatchObject([
    { event: "acquired", ...hold },
    { event: "released", ...hold },
  ]);
  expect(hold.acquisitionId).toEqual(expect.any(String));
  // A read and a write; and until the answer to the release.
  expect(told[0]?.["waitedMs"]).toBeCloseTo(40, 0);
  expect(told[1]?.["heldMs"]).toBeCloseTo(520, 0);
});

it("tells of the place in the queue as it is taken and as it changes, then of the lock and how long that took", async () => {
  const scene = new Scene();
  const first = await scene.until(scene.client().mutex.acquire(NAME));
  const second = scene.client().mutex.acquire(NAME);
  await untilQueued(scene, 1);
  const { mutex } = scene.client();
  const told = listen(scene, mutex);
  const startedAtMs = scene.nowMs;
  const third = outcomeOf(scene, mutex.acquire(NAME));
  await untilQueued(scene, 2);
  await scene.pass(2000);
  await scene.until(first.release());
  const between = await scene.until(second);
  await scene.pass(4000);
  await scene.until(between.release());
  const { atMs } = await scene.until(third);
  const acquisitionId = scene.record()?.holders[0]?.id;
  expect(told).toMatchObject([
    { event: "enqueued", lockName: NAME, acquisitionId, position: 1 },
    { event: "position", lockName: NAME, acquisitionId, position: 0 },
    { event: "acquired", lockName: NAME, acquisitionId, fencingToken: scene.record()?.holders[0]?.token },
  ]);
  expect(told[2]?.["waitedMs"]).toBeCloseTo(atMs - startedAtMs, 3);
});

it("tells of being overtaken by one of higher priority", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  const { mutex } = scene.client();
  const told = listen(scene, mutex);
  const waiting = mutex.acquire(NAME);
  await untilQueued(scene, 1);
  const urgent = scene.client().mutex.acquire(NAME, { priority: 1 });
  await untilQueued(scene, 2);
  await scene.pass(4000);
  expect(told).toMatchObject([
    { event: "enqueued", position: 0 },
    { event: "position", position: 1 },
  ]);
  await scene.until(lock.release());
  await scene.until((await scene.until(urgent)).release());
  await scene.until(waiting);
});

it("tells of every renewal, and until when it is held after that", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 3000 });
  const told = listen(scene, mutex);
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.pass(4500);
  const renewals = told.filter(({ event }) => event === "renewed");
  expect(renewals.length).toBe(4);
  for (const { atMs, expiresAt, fencingToken } of renewals) {
    expect(fencingToken).toBe(lock.fencingToken);
    expect(Math.abs((expiresAt as number) - atMs - 3000)).toBeLessThan(50);
  }
  expect(renewals.at(-1)?.["expiresAt"]).toBe(lock.expiresAt);
  expect(await scene.until(lock.renew())).toBe(true);
  expect(told.at(-1)?.event).toBe("renewed");
  await scene.until(lock.release());
});

it("tells of a loss with its reason and the very error of the signal, once, and of no release", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 3000 });
  const told = listen(scene, mutex);
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  await scene.pass(5000);
  expect(await scene.until(lock.release())).toBe(false);
  expect(namesOf(told)).toEqual(["acquired", "lost"]);
  expect(told[1]).toMatchObject({ lockName: NAME, fencingToken: lock.fencingToken, reason: "force-released" });
  expect(told[1]?.["error"]).toBe(lock.signal.reason);
});

it.each([
  ["expired", { stops: "process" }],
  ["store-unavailable", { stops: "store" }],
] as const)("tells of a loss because it was %s", async (reason, { stops }) => {
  const scene = new Scene();
  const { mutex, process } = scene.client({ lockTimeoutMs: 3000 });
  const told = listen(scene, mutex);
  const lock = await scene.until(mutex.acquire(NAME));
  if (stops === "process") process.freeze(10_000, false);
  else scene.fate = () => ({ kind: "lost" });
  await scene.pass(11_000);
  const losses = told.filter(({ event }) => event === "lost");
  expect(losses).toMatchObject([{ reason }]);
  expect(lock.signal.reason).toBe(losses[0]?.["error"]);
});

it("tells of transfers between callers of one process as of any other", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const told = listen(scene, mutex);
  const turn = async () => {
    const lock = await mutex.acquire(NAME);
    await pause(process, 100);
    await lock.release();
  };
  await scene.until(Promise.all([turn(), turn(), turn()]));
  const holds = told.filter(({ event }) => event === "acquired");
  expect(new Set(holds.map(({ fencingToken }) => fencingToken)).size).toBe(3);
  expect(namesOf(told).filter((event) => event === "released").length).toBe(3);
  const waited = holds.map(({ waitedMs }) => Math.round((waitedMs as number) / 40));
  expect(waited).toEqual([1, 4, 7]);
});

it("tells of deadlocks the waiter that gives way, and no other", async () => {
  const scene = new Scene();
  const clients = [scene.client(), scene.client()];
  const told = clients.map(({ mutex }) => listen(scene, mutex));
  const outcomes = clients.map(({ mutex, process }, index) =>
    outcomeOf(
      scene,
      mutex.withLock(`L${index}`, async () => {
        await pause(process, 200);
        return mutex.withLock(`L${1 - index}`, () => true, { priority: index, timeoutMs: 60_000 });
      }),
    ),
  );
  const [victim] = await scene.until(Promise.all(outcomes));
  const [lost, kept] = told as [Told[], Told[]];
  expect(namesOf(lost)).toEqual(["acquired", "enqueued", "deadlock", "released"]);
  expect(namesOf(kept)).not.toContain("deadlock");
  const event = lost.find((other) => other.event === "deadlock");
  const { cycle } = (victim as Outcome<unknown>).error as S3MutexError;
  expect(event).toMatchObject({ lockName: "L1", cycle });
  expect(event?.["description"]).toBe("L1 (held by p2:1) -> L0 (held by p1:1) -> L1");
});

it("does not let a listener that throws disturb anything, and reports it to the logger", async () => {
  const scene = new Scene();
  const errors: unknown[][] = [];
  const { mutex, process } = scene.client({ lockTimeoutMs: 3000, logger: { error: (...all) => errors.push(all) } });
  const failure = new Error("listener");
  for (const event of EVENTS) {
    mutex.on(event, () => {
      throw failure;
    });
  }
  const lock = await scene.until(mutex.acquire(NAME));
  const waiting = outcomeOf(scene, mutex.acquire(NAME, { timeoutMs: 10_000 }));
  await scene.pass(2500);
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
  const { value } = await scene.until(waiting);
  process.freeze(10_000, false);
  await scene.pass(12_000);
  expect(value?.signal.aborted).toBe(true);
  const reported = errors.map(([message, fields]) => [
    /"(\w+)"/.exec(message as string)?.[1],
    (fields as { readonly err?: unknown }).err,
  ]);
  expect(reported.every(([, error]) => error === failure)).toBe(true);
  expect(reported.map(([event]) => event)).toEqual(expect.arrayContaining(["acquired", "renewed", "released", "lost"]));
});

it("hears a listener that rejects, too, which would end the process otherwise", async () => {
  const scene = new Scene();
  const errors: unknown[][] = [];
  const { mutex } = scene.client({ logger: { error: (...all) => errors.push(all) } });
  const failure = new Error("later");
  mutex.on("acquired", async () => {
    await scene.pass(1);
    throw failure;
  });
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.pass(100);
  expect(errors).toEqual([[expect.stringMatching(/a listener of "acquired" rejected/), { err: failure }]]);
  expect(await scene.until(lock.release())).toBe(true);
});

// A lease that ran out before it is given back, as those of `acquireLock` do, which have no timer, is told of as lost, and
// then as released as well.
it("tells of the end of a hold once: lost or released", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 3000 });
  const told = listen(scene, mutex);
  await scene.until(mutex.acquireLock(NAME));
  await scene.pass(3500);
  await scene.until(mutex.releaseLock(NAME));
  expect(namesOf(told).length).toBe(2);
});
