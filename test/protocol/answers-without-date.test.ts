import { expect, it } from "vitest";
import type { Lock } from "../../src/primitives/lock.js";
import type { ObjectStore } from "../../src/store/object-store.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { type Client, cutOff, NAME, Scene } from "../../testkit/scene.js";
import { type Told, telling } from "./telling.js";

/** 13.1.1: a store with `Date`, some of whose answers have none, are out of a cache, or are wrong. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 10_000;

async function acquired(scene: Scene, { mutex, process }: Client): Promise<Lock> {
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  scene.believe(lock, process);
  return lock;
}

const firstOnly =
  (told: Told) =>
  (operation: string, index: number): Told =>
    operation === "read" && index === 0 ? told : "date";
const noReads =
  (told: Told) =>
  (operation: string): Told =>
    operation === "read" ? told : "date";
const wrongFirst = (operation: string, index: number): Told =>
  operation === "write" ? "none" : index === 0 ? { offByMs: -HOUR_MS } : "date";
const wrongFirstAndOnly = (operation: string, index: number): Told =>
  operation === "read" && index === 0 ? { offByMs: -HOUR_MS } : "none";

it.each<[string, number, (operation: string, index: number) => Told]>([
  ["the first answer has no `Date`", -HOUR_MS, firstOnly("none")],
  ["the first answer is out of a cache", -HOUR_MS, firstOnly("aged")],
  ["no read has a `Date`", -HOUR_MS, noReads("none")],
  ["no read has a `Date`, and the wall clock is 5 s behind", -5000, noReads("none")],
  ["no answer to this process has a `Date`", -HOUR_MS, () => "none"],
  ["nor has any, and its wall clock is ahead", HOUR_MS, () => "none"],
  ["the first answer is an hour behind, and no write has a `Date`", 0, wrongFirst],
  ["the same, of a wall clock that is an hour ahead", HOUR_MS, wrongFirst],
  ["the first answer is an hour behind, and no other has a `Date`", 0, wrongFirstAndOnly],
  ["every second answer has a `Date`", -HOUR_MS, (_, index) => (index % 2 === 0 ? "none" : "date")],
])("13.1.1: no other comes in while one believes: %s (wall clock %i ms off)", async (_, wallOffsetMs, what) => {
  const scene = new Scene();
  await acquired(scene, scene.client({ clocks: { wallOffsetMs }, through: telling(what) }));
  // Its clock is right, and so are its answers: by them the lease was published too early.
  expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it("13.1.1: nor after a suspension, where reads never have a `Date`", async () => {
  const scene = new Scene();
  const client = scene.client({ clocks: { wallOffsetMs: -HOUR_MS }, through: telling(noReads("none")) });
  await scene.until((await acquired(scene, client)).release());
  client.process.freeze(60_000, true);
  await scene.pass(60_001);
  await acquired(scene, client);
  expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it("13.1.1: nor after a suspension, where the next answer is an hour behind and no write has a `Date`", async () => {
  const scene = new Scene();
  let isAfter = false;
  let wrong = 0;
  const what = (operation: string): Told => {
    if (operation === "write") return isAfter ? "none" : "date";
    if (isAfter) wrong += 1;
    return wrong === 1 ? { offByMs: -HOUR_MS } : "date";
  };
  const client = scene.client({ through: telling(what) });
  const lock = await acquired(scene, client);
  isAfter = true;
  client.process.freeze(LEASE_MS / 4, true);
  await scene.pass(LEASE_MS / 4 + 1);
  expect(await scene.until(lock.renew())).toBe(true);
  expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it.each([
  ["waits", 60_000],
  ["asks now and then", undefined],
])(
  "13.1.1: a holder whose wall clock was ahead and that died does not keep the lock for an hour from a caller that %s",
  async (_, timeoutMs) => {
    const scene = new Scene();
    const dying = scene.client({ clocks: { wallOffsetMs: HOUR_MS }, through: telling(() => "none") });
    await scene.until(dying.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    dying.process.kill();
    const diedAtMs = scene.nowMs;
    if (timeoutMs === undefined) expect(await scene.probe(60_000, 500, {})).toBeDefined();
    else await scene.until(scene.client().mutex.acquire(NAME, { timeoutMs }));
    expect(scene.nowMs - diedAtMs).toBeLessThan(LEASE_MS + 3000);
  },
);

it("13.1.1: a client that knows store time dates a lease that one without has published, and its holder goes on", async () => {
  const scene = new Scene();
  const client = scene.client({ clocks: { wallOffsetMs: -HOUR_MS }, through: telling(() => "none") });
  const lock = await acquired(scene, client);
  expect(scene.record()?.holders).toMatchObject([{ undated: true }]);
  const other = scene.client();
  expect(await scene.until(other.mutex.isLocked(NAME))).toBe(true);
  expect(await scene.until(other.mutex.inspect(NAME))).toMatchObject({ state: "held" });
  expect(await scene.until(other.mutex.tryAcquire(NAME))).toBeNull();
  const [holder] = scene.record()?.holders ?? [];
  expect(holder?.undated).toBeUndefined();
  expect(holder?.expiresAtMs).toBeGreaterThan(scene.nowMs + LEASE_MS - 200);
  await scene.pass(LEASE_MS * 2);
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});

it("13.1.1: a store all of whose reads are out of a cache is out of reach, within the caller's time", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ through: telling(noReads("aged")) });
  const askedAtMs = scene.nowMs;
  await expect(scene.until(mutex.acquire(NAME, { timeoutMs: 3000 }))).rejects.toMatchObject({
    code: "store-unavailable",
    message: expect.stringContaining("cache"),
  });
  expect(scene.nowMs - askedAtMs).toBeLessThan(4000);
});

it("13.1.1: a store with `Date` needs no request more, nor does one without need more than two", async () => {
  for (const [hasDate, requests] of [
    [true, 3],
    [false, 5],
  ] as const) {
    const scene = new Scene({ hasDate });
    const { mutex } = scene.client();
    await scene.until((await scene.until(mutex.acquire(NAME))).release());
    expect(scene.sent).toHaveLength(requests);
    await scene.until((await scene.until(mutex.acquire(NAME))).release());
    expect(scene.sent).toHaveLength(requests + 2);
  }
});

it.each([HOUR_MS, -HOUR_MS])(
  "13.1.1: one wrong `Date` (%i ms off) does not keep a waiter from taking over",
  async (offByMs) => {
    const scene = new Scene();
    const dying = scene.client();
    await scene.until(dying.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    const waiter = scene.client({
      through: telling((operation, index) => (operation === "read" && index === 2 ? { offByMs } : "date")),
    });
    const waiting = waiter.mutex.acquire(NAME, { leaseMs: LEASE_MS });
    await scene.pass(3000);
    dying.process.kill();
    await scene.until(waiting);
    expect(scene.nowMs - (scene.landed[0]?.atMs ?? 0)).toBeLessThan(60_000);
  },
);

it("13.1.1: a first answer whose `Date` is an hour ahead ends no lease", async () => {
  const scene = new Scene();
  await acquired(scene, scene.client());
  const through = telling((operation, index) => (operation === "read" && index === 0 ? { offByMs: HOUR_MS } : "date"));
  expect(await scene.probe(LEASE_MS * 2, 500, { through })).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it("13.1.1: a holder that gets one wrong `Date` keeps its lock", async () => {
  const scene = new Scene();
  const client = scene.client({
    through: telling((operation, index) => (operation === "write" && index === 2 ? { offByMs: HOUR_MS } : "date")),
  });
  const lock = await acquired(scene, client);
  await scene.pass(LEASE_MS * 4);
  expect(lock.signal.aborted).toBe(false);
  expect(lock.held).toBe(true);
  expect(await scene.probe(LEASE_MS, 300, {})).toBeUndefined();
  scene.fate = cutOff(client.process);
  expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeDefined();
  expect(scene.problems).toEqual([]);
});

/** One answer that is an hour ahead, from the given request of its kind on. */
const wrongOnce =
  (of: "read" | "write", at: number) =>
  (operation: string, index: number): Told =>
    operation === of && index === at ? { offByMs: HOUR_MS } : "date";

it("13.1.1: waiters of whom one dies and a holder that releases, each after one wrong `Date`, do not wait for an hour", async () => {
  const scene = new Scene();
  const wrongNext = new Set<SimProcess>();
  const through = (store: ObjectStore, process: SimProcess): ObjectStore =>
    telling(() => (wrongNext.delete(process) ? { offByMs: HOUR_MS } : "date"))(store);
  const holding = scene.client({ through });
  // Turns are short, so no waiter refreshes an entry that lasts for much longer.
  for (let turn = 0; turn < 3; turn += 1) await scene.until((await scene.until(holding.mutex.acquire(NAME))).release());
  const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: 60_000 }));
  const dying = scene.client({ through });
  void dying.mutex.acquire(NAME).catch(() => {});
  await scene.pass(100);
  const waiter = scene.client({ through });
  const waiting = waiter.mutex.acquire(NAME, { leaseMs: LEASE_MS });
  // Their entries are to be refreshed soon.
  await scene.pass(9500);
  wrongNext.add(dying.process).add(waiter.process);
  await scene.pass(4000);
  expect(scene.record()?.queue.every(({ expiresAtMs }) => expiresAtMs > scene.nowMs + HOUR_MS / 2)).toBe(true);
  dying.process.kill();
  wrongNext.add(holding.process);
  await scene.until(lock.renew());
  await scene.until(lock.release());
  expect(scene.record()).toMatchObject({ queue: [{}, {}] });
  expect(scene.record()?.freeSinceMs).toBeGreaterThan(scene.nowMs + HOUR_MS / 2);
  const releasedAtMs = scene.nowMs;
  await scene.until(waiting);
  expect(scene.nowMs - releasedAtMs).toBeLessThan(20_000);
});

it("13.1.1: a grant that was published by the bare wall clock is renewed before it is handed out, once store time is known", async () => {
  const scene = new Scene();
  const datelessFirst = telling((operation, index) => (operation === "read" && index < 3 ? "none" : "date"));
  const client = scene.client({ clocks: { wallOffsetMs: -HOUR_MS }, through: datelessFirst });
  let writes = 0;
  scene.fate = ({ operation }) => {
    writes += operation === "write" ? 1 : 0;
    return operation === "write" && writes === 1 ? { kind: "answer-lost" } : { kind: "fine" };
  };
  await acquired(scene, client);
  expect(scene.landed[0]?.record?.holders).toMatchObject([{ undated: true }]);
  const [holder] = scene.record()?.holders ?? [];
  expect(holder?.undated).toBeUndefined();
  expect(holder?.expiresAtMs).toBeGreaterThan(scene.nowMs + LEASE_MS - 200);
});

it("13.1.1: who gets one before it begins to wait is not served after all who come within that hour", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  const first = scene.client({ through: telling(wrongOnce("read", 0)) });
  await scene.until(first.mutex.isLocked(NAME));
  const order: string[] = [];
  const use = async (who: string, { mutex }: Client) => {
    const held = await mutex.acquire(NAME, { leaseMs: LEASE_MS });
    order.push(who);
    await held.release();
  };
  const uses = [use("first", first)];
  // Its bounds have agreed again by then.
  await scene.pass(30_000);
  uses.push(use("second", scene.client()));
  await scene.pass(5000);
  await scene.until(lock.release());
  await scene.until(Promise.all(uses));
  expect(order).toEqual(["first", "second"]);
});

it("13.1.1: what was written by a wall clock that is hours behind is not taken for an object at rest", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ clocks: { wallOffsetMs: -HOUR_MS }, through: telling(() => "none") });
  await scene.until((await scene.until(mutex.acquire(NAME))).release());
  const sweeping = scene.client().mutex;
  const sweep = () => scene.until(sweeping.cleanupStaleLocks({ includeReleased: true }));
  await sweep();
  expect(scene.record()).toBeDefined();
  await scene.pass(20 * 60_000 + 5000);
  await sweep();
  expect(scene.record()).toBeUndefined();
});

it("13.1.1: an error tells no time, since it may come from something on the way to the store", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  scene.fate = () => ({ kind: "error", status: 503, applied: false });
  expect(await scene.until(mutex.health())).toMatchObject({ ok: false, isClockKnown: false });
  scene.fate = () => ({ kind: "fine" });
  expect(await scene.until(mutex.health())).toMatchObject({ ok: true, isClockKnown: true });
});
