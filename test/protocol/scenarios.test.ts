import { expect, it } from "vitest";
import { cutOff, KEY, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";

/** What users would ask first: lost answers, bad clocks, crashes, pauses, abandoned calls. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

it("acquires, renews and releases although every write loses its first answer, and leaves nothing locked", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client();
  let writes = 0;
  scene.fate = ({ operation }) => {
    if (operation !== "write") return { kind: "fine" };
    writes += 1;
    return writes % 2 === 1 ? { kind: "answer-lost" } : { kind: "fine" };
  };
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
  scene.believe(lock, process);
  writes = 0;
  expect(await scene.until(lock.renew())).toBe(true);
  await scene.pass(20_000);
  expect(lock.held).toBe(true);
  writes = 0;
  expect(await scene.until(lock.release())).toBe(true);
  expect(scene.record()).toMatchObject({ holders: [], recent: [{ ended: "released" }] });
  expect(scene.record()?.recent).toHaveLength(1);
  expect(scene.problems).toEqual([]);
});

it("does so through the API of 1.x, too", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client();
  const withLostAnswer = <T>(promise: () => Promise<T>) => {
    scene.fate = nth(0, writesOf(process), { kind: "answer-lost" });
    return scene.until(promise());
  };
  expect(await withLostAnswer(() => mutex.acquireLock(NAME))).toBe(true);
  expect(await withLostAnswer(() => mutex.refreshLock(NAME))).toBe(true);
  expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(true);
  expect(await withLostAnswer(() => mutex.releaseLock(NAME))).toBe(true);
  expect(await scene.until(mutex.isLocked(NAME))).toBe(false);
  expect(await withLostAnswer(() => mutex.withLock(NAME, () => "done"))).toBe("done");
  expect(scene.record()?.holders).toEqual([]);
  expect(scene.problems).toEqual([]);
});

it.each([5 * MINUTE_MS, -5 * MINUTE_MS, 5 * HOUR_MS, -5 * HOUR_MS])(
  "a client whose clock is %i ms off takes no live lock, keeps its own, and takes an expired one over on time",
  async (wallOffsetMs) => {
    const scene = new Scene();
    const wrong = scene.client({ clocks: { wallOffsetMs } });
    const right = scene.client();
    const lock = await scene.until(right.mutex.acquire(NAME, { leaseMs: 5000 }));
    scene.believe(lock, right.process);
    await expect(scene.until(wrong.mutex.acquire(NAME, { timeoutMs: 20_000 }))).rejects.toMatchObject({
      code: "timed-out",
    });
    await scene.until(lock.release());
    const own = await scene.until(wrong.mutex.acquire(NAME, { leaseMs: 5000 }));
    scene.believe(own, wrong.process);
    await expect(scene.until(right.mutex.acquire(NAME, { timeoutMs: 20_000 }))).rejects.toMatchObject({
      code: "timed-out",
    });
    expect(own.held).toBe(true);
    await scene.until(own.release());
    const last = await scene.until(right.mutex.acquire(NAME, { leaseMs: 5000 }));
    right.process.kill();
    const startedAtMs = scene.nowMs;
    const taken = await scene.until(wrong.mutex.acquire(NAME));
    expect(scene.nowMs - startedAtMs).toBeGreaterThan(5000);
    expect(scene.nowMs - startedAtMs).toBeLessThan(5000 + 1000 + 1100 + 1500);
    expect(taken.fencingToken).toBeGreaterThan(last.fencingToken);
    expect(scene.problems).toEqual([]);
  },
);

/** Plays a process that acquires, renews and releases, and is killed when it sends this request, which arrives or does not. */
async function killedAt(
  index: number,
  arrives: boolean,
): Promise<{ readonly scene: Scene; readonly wasKilled: boolean }> {
  const scene = new Scene({ seed: index + 1 });
  const { process, mutex } = scene.client();
  scene.fate = (request) => {
    if (request.process !== process || request.index < index) return { kind: "fine" };
    process.kill();
    return arrives ? { kind: "answer-lost" } : { kind: "lost" };
  };
  const work = async () => {
    const lock = await mutex.acquire(NAME, { leaseMs: 3000 });
    scene.believe(lock, process);
    await lock.renew();
    await scene.world.sleep(2500);
    await lock.release();
    await mutex.withLock(NAME, () => {}, { leaseMs: 3000 });
    await mutex.deleteLock(NAME, true);
  };
  work().catch((error) => scene.problem(String(error)));
  await scene.pass(6000);
  return { scene, wasKilled: process.isDead };
}

it("a process that is killed at any of its requests leaves a lock that the next one gets in time", async () => {
  let kills = 0;
  for (let index = 0; index < 30; index += 1) {
    for (const arrives of [true, false]) {
      const { scene, wasKilled } = await killedAt(index, arrives);
      if (!wasKilled) continue;
      kills += 1;
      const next = scene.client();
      scene.believe(await scene.until(next.mutex.acquire(NAME)), next.process);
      const killedAtMs = scene.requestsOf().findLast(({ process }) => process !== next.process)?.atMs ?? 0;
      expect(scene.nowMs - Math.max(killedAtMs, scene.nowMs - 9000), `request ${index}`).toBeLessThan(9000);
      expect(scene.nowMs - killedAtMs, `request ${index}`).toBeLessThan(6000 + 3000 + 1000 + 1100 + 1000);
      expect(scene.problems, `request ${index}, arrives: ${arrives}`).toEqual([]);
    }
  }
  expect(kills).toBeGreaterThan(12);
});

it("gets a lock whose holder was killed within lease, tolerance and one look, having waited all along", async () => {
  const scene = new Scene();
  const first = scene.client();
  await scene.until(first.mutex.acquire(NAME, { leaseMs: 5000 }));
  const startedAtMs = scene.nowMs;
  first.process.kill();
  await scene.until(scene.client().mutex.acquire(NAME));
  expect(scene.nowMs - startedAtMs).toBeGreaterThan(5000);
  expect(scene.nowMs - startedAtMs).toBeLessThan(5000 + 1000 + 300);
});

it.each([true, false])(
  "is not held at once when a process thaws after its lease (monotonic clock stood still: %s)",
  async (stands) => {
    const scene = new Scene();
    const { process, mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 5000 }));
    scene.believe(lock, process);
    await scene.pass(2000);
    process.freeze(20_000, stands);
    // The very first thing that the process does when it goes on: before any timer of the library.
    const seen: boolean[] = [];
    process.deliver(() => seen.push(lock.held));
    const other = scene.client();
    scene.believe(await scene.until(other.mutex.acquire(NAME)), other.process);
    await scene.pass(20_000);
    expect(seen).toEqual([false]);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: "lost" }));
    expect(lock.remainingMs).toBe(0);
    await scene.pass(2000);
    expect(lock.signal.aborted).toBe(true);
    expect(await scene.until(lock.release())).toBe(false);
    expect(scene.problems).toEqual([]);
  },
);

it("lets two calls on one instance exclude each other", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client();
  let inside = 0;
  let most = 0;
  const use = async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const lock = await mutex.acquire(NAME);
      inside += 1;
      most = Math.max(most, inside);
      scene.believe(lock, process);
      await scene.world.sleep(20);
      inside -= 1;
      scene.disbelieve(lock);
      await lock.release();
    }
  };
  await scene.until(Promise.all([use(), use(), use()]));
  expect(most).toBe(1);
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  expect(await scene.until(mutex.acquireLock(NAME, 100))).toBe(false);
  expect(scene.problems).toEqual([]);
});

it.each([0, 1, 30])(
  "makes one full attempt however short the time is: %i ms at a round trip of 100",
  async (timeoutMs) => {
    const scene = new Scene({ roundTripMs: () => 100 });
    const { mutex } = scene.client();
    expect(await scene.until(mutex.acquireLock(NAME, timeoutMs))).toBe(true);
    expect(await scene.until(scene.client().mutex.acquireLock(NAME, timeoutMs))).toBe(false);
    await scene.until(mutex.releaseLock(NAME));
    expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).not.toBeNull();
  },
);

it.each([0, 500, undefined])("rejects when the store cannot be reached throughout: timeout %s", async (timeoutMs) => {
  const scene = new Scene();
  scene.fate = () => ({ kind: "lost" });
  const { mutex } = scene.client();
  await expect(scene.until(mutex.acquireLock(NAME, timeoutMs))).rejects.toMatchObject({ code: "store-unavailable" });
  await expect(scene.until(mutex.tryAcquire(NAME))).rejects.toMatchObject({ code: "store-unavailable" });
  await expect(scene.until(mutex.isLocked(NAME))).rejects.toMatchObject({ code: "store-unavailable" });
});

it("is patient for 6.2 s by default", async () => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire(NAME));
  const startedAtMs = scene.nowMs;
  expect(await scene.until(scene.client().mutex.acquireLock(NAME))).toBe(false);
  expect(scene.nowMs - startedAtMs).toBeGreaterThan(6150);
  expect(scene.nowMs - startedAtMs).toBeLessThan(6300);
});

it("leaves no entry when it is aborted while its enqueuing write is under way", async () => {
  for (let afterMs = 1; afterMs < 60; afterMs += 3) {
    const scene = new Scene({ seed: afterMs });
    await scene.until(scene.client().mutex.acquire(NAME));
    const stop = new AbortController();
    const acquiring = scene.client().mutex.acquire(NAME, { signal: stop.signal });
    await scene.pass(afterMs);
    stop.abort();
    const startedAtMs = scene.nowMs;
    await expect(scene.until(acquiring)).rejects.toMatchObject({ code: "aborted" });
    expect(scene.nowMs - startedAtMs).toBeLessThan(1);
    await scene.pass(1000);
    expect(scene.record()?.queue).toEqual([]);
    expect(scene.problems).toEqual([]);
  }
});

it("leaves no entry and no hold when its time is up, wherever that catches it", async () => {
  for (let timeoutMs = 0; timeoutMs < 400; timeoutMs += 7) {
    const scene = new Scene({ seed: timeoutMs + 1 });
    const holder = await scene.until(scene.client().mutex.acquire(NAME));
    const { mutex } = scene.client();
    const acquiring = mutex.acquireLock(NAME, timeoutMs);
    await scene.pass(200);
    const released = holder.release();
    const got = await scene.until(acquiring);
    await scene.until(released);
    await scene.pass(2000);
    expect(scene.record()?.queue).toEqual([]);
    expect(scene.record()?.holders.length).toBe(got ? 1 : 0);
    expect(scene.problems).toEqual([]);
  }
});

it("shares what was taken by name among instances with one `ownerId`, and handles with none", async () => {
  const scene = new Scene();
  const [one, two] = [scene.client({ ownerId: "us" }), scene.client({ ownerId: "us" })];
  const stranger = scene.client();
  expect(await scene.until(one.mutex.acquireLock(NAME))).toBe(true);
  expect(await scene.until(two.mutex.acquireLock(NAME, 0))).toBe(false);
  expect(await scene.until(two.mutex.isOwnedByUs(NAME))).toBe(true);
  expect(await scene.until(two.mutex.refreshLock(NAME))).toBe(true);
  expect(await scene.until(stranger.mutex.isOwnedByUs(NAME))).toBe(false);
  expect(await scene.until(stranger.mutex.refreshLock(NAME))).toBe(false);
  expect(await scene.until(stranger.mutex.releaseLock(NAME))).toBe(false);
  expect(await scene.until(two.mutex.releaseLock(NAME))).toBe(true);
  expect(scene.record()?.holders).toEqual([]);
  await scene.until(one.mutex.releaseLock(NAME));
  const handle = await scene.until(one.mutex.acquire(NAME));
  expect(await scene.until(two.mutex.releaseLock(NAME))).toBe(false);
  expect(await scene.until(one.mutex.releaseLock(NAME))).toBe(false);
  expect(handle.held).toBe(true);
});

it("keeps a lease of 100 ms for a minute on a quick store", async () => {
  const scene = new Scene({ roundTripMs: () => 5 });
  const { process, mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 100 }));
  scene.believe(lock, process);
  const rival = scene.client().mutex.acquire(NAME, { timeoutMs: MINUTE_MS });
  await expect(scene.until(rival)).rejects.toMatchObject({ code: "timed-out" });
  expect(lock.held).toBe(true);
  scene.fate = cutOff(process);
  await scene.pass(100);
  expect(lock.held).toBe(false);
  expect(scene.problems).toEqual([]);
});

it("says that a lease is too short for a slow store, and leaves nothing behind", async () => {
  const scene = new Scene({ roundTripMs: () => 12 });
  const { mutex } = scene.client({ lockTimeoutMs: 100 });
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  const slow = new Scene({ roundTripMs: () => 2000 });
  const other = slow.client({ lockTimeoutMs: 1000 });
  await expect(slow.until(other.mutex.acquireLock(NAME))).rejects.toMatchObject({ code: "store-unavailable" });
  await slow.pass(MINUTE_MS);
  expect(slow.record()?.holders ?? []).toEqual([]);
});

it("survives an object that is not a record: an error that names the key, never overwritten, cleared by force", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  for (const [body, code] of [
    ["hello", "corrupt-record"],
    ["[]", "corrupt-record"],
    ['{"schema":4}', "newer-schema"],
  ] as const) {
    const reader = scene.client();
    scene.bucket.put(KEY, body);
    const error = { code, message: expect.stringContaining(KEY) };
    await expect(scene.until(reader.mutex.acquireLock(NAME))).rejects.toMatchObject(error);
    await expect(scene.until(reader.mutex.releaseLock(NAME, true))).rejects.toMatchObject(error);
    expect(scene.bucket.objects.get(KEY)?.body).toBe(body);
    expect((await scene.until(mutex.cleanupStaleLocks())).unreadable).toMatchObject([{ key: KEY }]);
  }
  scene.bucket.put(KEY, "hello");
  expect(await scene.until(mutex.deleteLock(NAME, true))).toBe(true);
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
});

it("looks again at an object that was not a record when it was seen last", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  scene.bucket.put(KEY, "hello");
  await expect(scene.until(mutex.acquireLock(NAME))).rejects.toMatchObject({ code: "corrupt-record" });
  expect(await scene.until(scene.client().mutex.deleteLock(NAME, true))).toBe(true);
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
});

it("does not miss a lock that was freed while it was still patient", async () => {
  for (const freedAtMs of [17_000, 18_500, 19_000, 19_500, 19_900]) {
    const scene = new Scene();
    const holder = await scene.until(scene.client().mutex.acquire(NAME));
    const acquiring = scene.client().mutex.acquireLock(NAME, 20_000);
    await scene.pass(freedAtMs);
    await scene.until(holder.release());
    expect(await scene.until(acquiring), `freed after ${freedAtMs} ms of 20000`).toBe(true);
  }
});

it("takes nothing from a successor that saw itself in the record before the transfer was answered", async () => {
  let roundTripMs = 20;
  const scene = new Scene({ roundTripMs: () => roundTripMs });
  const { process, mutex } = scene.client();
  const first = await scene.until(mutex.acquire(NAME));
  const acquiring = mutex.acquire(NAME);
  // Long enough for the second caller to ask the store itself.
  await scene.pass(3000);
  scene.fate = ({ operation }) => {
    roundTripMs = operation === "write" ? 1600 : 20;
    return { kind: "fine" };
  };
  const releasing = first.release();
  const second = await scene.until(acquiring);
  scene.believe(second, process);
  await scene.until(releasing);
  roundTripMs = 20;
  scene.fate = () => ({ kind: "fine" });
  await scene.pass(3000);
  expect(scene.problems).toEqual([]);
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
});
