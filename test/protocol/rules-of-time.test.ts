import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import type { S3Mutex } from "../../src/s3-mutex.js";
import type { ObjectStore } from "../../src/store/object-store.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { type Client, cutOff, KEY, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";

/** Section 9 of the design, rules 1 to 5. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function acquired(scene: Scene, { mutex, process }: Client, leaseMs: number): Promise<Lock> {
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs }));
  scene.believe(lock, process);
  return lock;
}

/** Acquires, and from then on nothing that the holder sends arrives. */
async function acquiredThenCutOff(scene: Scene, client: Client, leaseMs: number): Promise<Lock> {
  const lock = await acquired(scene, client, leaseMs);
  scene.fate = cutOff(client.process);
  return lock;
}

function publishedExpiry(scene: Scene): number {
  const [holder] = scene.record()?.holders ?? [];
  if (holder === undefined) throw new Error("it has no holder");
  return holder.expiresAtMs;
}

/** Checks that the holder's own deadline comes first, then the expiry that all can read. */
async function expectDeadlineBeforeExpiry(scene: Scene, lock: Lock): Promise<void> {
  const expiresAtMs = publishedExpiry(scene);
  expect(lock.held).toBe(true);
  while (lock.held) await scene.pass(5);
  expect(scene.nowMs).toBeLessThanOrEqual(expiresAtMs);
}

// ---------------------------------------------------------------------------------------------------------------------

it.each([
  [-5 * MINUTE_MS, 5 * MINUTE_MS],
  [5 * MINUTE_MS, -5 * MINUTE_MS],
  [-5 * HOUR_MS, 5 * HOUR_MS],
  [5 * MINUTE_MS, 5 * MINUTE_MS],
  [0, 5 * MINUTE_MS],
  [-5 * MINUTE_MS, 0],
])(
  "rule 1: wall clocks outside the bounds are not clamped (holder %i ms, others %i ms off)",
  async (holderMs, othersMs) => {
    const scene = new Scene();
    // Late in a second, `Date` says least about the upper half: a clock that was clamped would be a second behind.
    await scene.passToFraction(950);
    const lock = await acquiredThenCutOff(scene, scene.client({ clocks: { wallOffsetMs: holderMs } }), 3000);
    const startedAtMs = scene.nowMs;
    const taken = await scene.probe(10_000, 37, { clocks: { wallOffsetMs: othersMs } });
    expect(scene.problems).toEqual([]);
    expect(taken?.fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(scene.nowMs - startedAtMs).toBeLessThan(3000 + 1000 + 2 * 1100);
  },
);

it("rule 1: a wall clock inside the bounds is used as it is", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  await scene.until(mutex.isLocked(NAME));
  const askedAtMs = scene.nowMs;
  await scene.until(mutex.acquire(NAME, { leaseMs: 5000 }));
  expect(publishedExpiry(scene)).toBe(Math.floor(askedAtMs) + 5000);
});

it("rule 1: bounds that contradict each other become their hull", async () => {
  let offsetMs = 0;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const other = scene.client({ clocks: { wallOffsetMs: -5 * HOUR_MS } });
  await acquiredThenCutOff(scene, scene.client(), 10_000);
  await scene.until(other.mutex.isLocked("another"));
  // A front end whose clock is twenty seconds ahead answers from now on.
  offsetMs = 20_000;
  await scene.until(other.mutex.isLocked("another"));
  expect(await scene.until(other.mutex.tryAcquire(NAME))).toBeNull();
  await scene.pass(12_200);
  const lock = await scene.until(other.mutex.tryAcquire(NAME));
  expect(lock?.expiresAt).toBeGreaterThan(scene.nowMs + 20_000 + 50_000);
  expect(scene.problems).toEqual([]);
});

it("rule 1: no wall clock is believed inside a hull", async () => {
  let offsetMs = 0;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const other = scene.client({ clocks: { wallOffsetMs: 15_000 } });
  await acquiredThenCutOff(scene, scene.client(), 10_000);
  await scene.until(other.mutex.isLocked("another"));
  expect(await scene.until(other.mutex.tryAcquire(NAME))).toBeNull();
  // One answer of a front end that is ahead, and a clock that was known to be wrong is believed.
  offsetMs = 20_000;
  await scene.until(other.mutex.isLocked("another"));
  offsetMs = 0;
  expect(await scene.until(other.mutex.tryAcquire(NAME))).toBeNull();
});

/** Delays writes as the adapter for S3 does when too many requests are under way: a write waits for its turn before it leaves. */
function queueingWrites(delayMs: number) {
  return (store: ObjectStore, { effects }: SimProcess): ObjectStore => ({
    read: (key, options) => store.read(key, options),
    remove: (key, etag, options) => store.remove(key, etag, options),
    list: (prefix, options) => store.list(prefix, options),
    write: async (key, body, condition, options) => {
      await new Promise<void>((resolve) => effects.setTimer(delayMs, resolve, { keepAlive: true }));
      return store.write(key, body, condition, options);
    },
  });
}

it("rule 2: the deadline counts from the reading that the transition used, not from the send", async () => {
  const scene = new Scene();
  const lock = await acquiredThenCutOff(scene, scene.client({ through: queueingWrites(1500) }), 6000);
  await expectDeadlineBeforeExpiry(scene, lock);
});

it.each([true, false])(
  "rule 2: after a suspension a read comes first (monotonic clock stood still: %s)",
  async (stands) => {
    const scene = new Scene();
    const { process, mutex } = scene.client();
    for (let looks = 0; looks < 5; looks += 1) {
      await scene.until(mutex.isLocked(NAME));
      await scene.pass(170);
    }
    process.freeze(10_000, stands);
    await scene.pass(10_001);
    const before = scene.sent.length;
    await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
    const [first] = scene.landed;
    expect(first?.record?.holders[0]?.expiresAtMs).toBeGreaterThan(scene.nowMs + 6000 - 100);
    if (stands) expect(scene.sent[before]?.operation).toBe("read");
  },
);

it("rule 2: a success whose `Date` contradicts the reading is renewed before the lock is handed out", async () => {
  let offsetMs = -20_000;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const client = scene.client();
  scene.fate = ({ operation }) => {
    if (operation === "write") offsetMs = 0;
    return { kind: "fine" };
  };
  const lock = await acquiredThenCutOff(scene, client, 10_000);
  expect(lock.expiresAt).toBeGreaterThan(scene.nowMs + 9000);
  expect(await scene.probe(9000, 200, {})).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it("rule 2: so is one whose answer was lost, when the look that finds it contradicts the reading", async () => {
  let offsetMs = -20_000;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const client = scene.client();
  const answerLost = nth(0, writesOf(client.process), { kind: "answer-lost" });
  scene.fate = (request) => {
    if (request.operation === "write") offsetMs = 0;
    return answerLost(request);
  };
  const lock = await acquiredThenCutOff(scene, client, 10_000);
  await scene.probe(3000, 200, {});
  expect(scene.problems).toEqual([]);
  expect(lock.expiresAt).toBeGreaterThan(scene.nowMs);
});

it("rule 2: a renewal whose `Date` contradicts the reading counts from what is left of the published expiry", async () => {
  let offsetMs = -4000;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const client = scene.client();
  const lock = await scene.until(client.mutex.acquire(NAME, { leaseMs: 10_000 }));
  offsetMs = 0;
  expect(await scene.until(lock.renew())).toBe(true);
  scene.fate = cutOff(client.process);
  await expectDeadlineBeforeExpiry(scene, lock);
});

it("rule 2: an answer on whose way back the process was suspended is not believed", async () => {
  const scene = new Scene();
  const { process, mutex } = scene.client();
  const answerLost = nth(0, writesOf(process), { kind: "answer-lost" });
  scene.fate = (request) => {
    // The store has answered, the answer is under way, and the machine sleeps for a while.
    if (request.index === 0) scene.world.after(12, () => process.freeze(4000, true));
    return answerLost(request);
  };
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 30_000 }));
  scene.fate = cutOff(process);
  await expectDeadlineBeforeExpiry(scene, lock);
});

it("rule 3: who observes counts by the clock that moved less, from one look to the next", async () => {
  for (const stepMs of [HOUR_MS, -HOUR_MS]) {
    const scene = new Scene();
    const lock = await acquiredThenCutOff(scene, scene.client(), 10_000);
    const waiter = scene.client({ takeover: "observed" });
    expect(await scene.until(waiter.mutex.tryAcquire(NAME))).toBeNull();
    const seenAtMs = scene.nowMs;
    await scene.pass(1000);
    waiter.process.stepWall(stepMs);
    const taken = await tryUntilTaken(scene, waiter.mutex, 25_000);
    expect(taken).not.toBeNull();
    expect(scene.nowMs - seenAtMs).toBeGreaterThanOrEqual(10_000 - 20);
    expect(lock.held).toBe(false);
  }
});

async function tryUntilTaken(scene: Scene, mutex: S3Mutex, forMs: number): Promise<Lock | null> {
  const endMs = scene.nowMs + forMs;
  for (;;) {
    const lock = await scene.until(mutex.tryAcquire(NAME));
    if (lock !== null || scene.nowMs > endMs) return lock;
    await scene.pass(300);
  }
}

it("rule 3: who observes does not end a lease that is renewed, however long it watches", async () => {
  const scene = new Scene();
  await acquired(scene, scene.client(), 6000);
  const waiter = scene.client({ takeover: "observed", clocks: { wallOffsetMs: 5 * HOUR_MS } });
  const waiting = waiter.mutex.acquire(NAME, { timeoutMs: 30_000 });
  await expect(scene.until(waiting)).rejects.toMatchObject({ code: "timed-out" });
  expect(scene.problems).toEqual([]);
});

it("rule 3: a lease that is not renewed is taken after it was watched for its length, on a store without `Date` too", async () => {
  for (const hasDate of [true, false]) {
    const scene = new Scene({ hasDate });
    await acquiredThenCutOff(scene, scene.client(), 6000);
    const waiter = scene.client({
      ...(hasDate ? { takeover: "observed" } : {}),
      clocks: { wallOffsetMs: -5 * HOUR_MS },
    });
    const startedAtMs = scene.nowMs;
    scene.believe(await scene.until(waiter.mutex.acquire(NAME)), waiter.process);
    expect(scene.nowMs - startedAtMs).toBeGreaterThanOrEqual(6000);
    expect(scene.nowMs - startedAtMs).toBeLessThan(10_000);
    expect(scene.problems).toEqual([]);
  }
});

it("rule 4: the deadline counts from the attempt that landed, not from the last one", async () => {
  let roundTripMs = 20;
  const scene = new Scene({ roundTripMs: () => roundTripMs });
  const client = scene.client();
  let writes = 0;
  scene.fate = ({ operation }) => {
    if (operation !== "write") return { kind: "fine" };
    writes += 1;
    // The first try lands while the second one is on its way.
    if (writes === 1) return { kind: "late", byMs: 1280 };
    roundTripMs = writes === 2 ? 800 : 20;
    return { kind: "fine" };
  };
  const lock = await scene.until(client.mutex.acquire(NAME, { leaseMs: 6000 }));
  expect(writes).toBe(2);
  expect(scene.landed).toHaveLength(1);
  scene.fate = cutOff(client.process);
  await expectDeadlineBeforeExpiry(scene, lock);
});

it("rule 4: a renewal needs membership, not an expiry in the future of its own clock", async () => {
  let offsetMs = 0;
  const scene = new Scene({ dateOffsetMs: () => offsetMs });
  const client = scene.client({ clocks: { wallOffsetMs: 5 * HOUR_MS } });
  const lock = await acquired(scene, client, 10_000);
  // One answer of a front end that is ahead, about another lock: by the bounds the lease is over now.
  offsetMs = 20_000;
  await scene.until(client.mutex.isLocked("another"));
  offsetMs = 0;
  expect(await scene.until(lock.renew())).toBe(true);
  expect(lock.held).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("rule 4: `refreshLock` is false once the lease is over, though it was not taken over", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 2000 });
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  await scene.pass(1500);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(true);
  await scene.pass(2100);
  expect(await scene.until(mutex.refreshLock(NAME))).toBe(false);
  expect(await scene.until(mutex.isLocked(NAME))).toBe(false);
});

it("rule 5: only a grant drops an expired holder, tolerance included", async () => {
  const scene = new Scene();
  await acquiredThenCutOff(scene, scene.client(), 3000);
  const expiresAtMs = publishedExpiry(scene);
  await scene.pass(3100);
  const waiting = scene.client({ clockSkewToleranceMs: 1000 }).mutex.acquire(NAME);
  const lock = await scene.until(waiting);
  const { length } = scene.landed;
  const queued = scene.landed.slice(1, length - 1);
  expect(queued.length).toBeGreaterThan(0);
  for (const { record } of queued) expect(record?.holders).toHaveLength(1);
  expect(scene.nowMs).toBeGreaterThan(expiresAtMs + 1000);
  expect(scene.nowMs).toBeLessThan(expiresAtMs + 1000 + 500);
  expect(lock.held).toBe(true);
});

it("rule 5: a cleanup frees a lease at its end, and the tolerance is still kept towards the next holder", async () => {
  const scene = new Scene();
  const lock = await acquiredThenCutOff(scene, scene.client(), 3000);
  const expiresAtMs = publishedExpiry(scene);
  await scene.pass(3100);
  const { mutex } = scene.client();
  expect(await scene.until(mutex.cleanupStaleLocks())).toMatchObject({ total: 1, stale: 1, cleaned: 1 });
  expect(await scene.until(mutex.cleanupStaleLocks())).toMatchObject({ total: 1, stale: 0, cleaned: 0 });
  const next = await scene.until(scene.client().mutex.acquire(NAME));
  expect(scene.nowMs).toBeGreaterThan(expiresAtMs + 1000);
  expect(scene.nowMs).toBeLessThan(expiresAtMs + 1000 + 500);
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
});

it("rule 5: a victim of force believes until its next renewal, and its token is lower than any successor's", async () => {
  const scene = new Scene();
  const victim = scene.client();
  const lock = await scene.until(victim.mutex.acquire(NAME, { leaseMs: 9000 }));
  const other = scene.client();
  expect(await scene.until(other.mutex.releaseLock(NAME, true))).toBe(true);
  const successor = await scene.until(other.mutex.acquire(NAME));
  expect(lock.held).toBe(true);
  expect(successor.fencingToken).toBeGreaterThan(lock.fencingToken);
  await scene.pass(3200);
  expect(lock.held).toBe(false);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "force-released" });
  expect(scene.record(KEY)?.holders.map(({ token }) => token)).toEqual([successor.fencingToken]);
});
