import { expect, it } from "vitest";
import { type Client, NAME, Scene } from "../../testkit/scene.js";
import { telling } from "./telling.js";

/** 13.1.1: one answer with a wrong `Date`, where the wall clock of the process is wrong by the same amount and so agrees with it. */

const HOUR_MS = 3_600_000;
const LEASE_MS = 10_000;

/** Makes a client whose wall clock is so far off; answers to reads tell the time like this, one by one, then as the last of them. */
function misled(scene: Scene, offByMs: number, told: readonly Said[], writes: Said = "right"): Client {
  const through = telling((operation, index) => {
    const said = operation === "write" ? writes : (told[index] ?? told.at(-1) ?? "right");
    if (said === "right") return "date";
    if (said === "none" || said === "aged") return said;
    return { offByMs: said === "wrong" ? offByMs : said };
  });
  return scene.client({ clocks: { wallOffsetMs: offByMs }, through });
}

/** `wrong`: by as much as the wall clock; a number: by so many milliseconds. */
type Said = "right" | "wrong" | "none" | "aged" | number;

const OFFS = [HOUR_MS, -HOUR_MS, 20_000, -20_000, 24 * HOUR_MS];

it.each(OFFS.flatMap((offByMs) => [true, false].map((hasWaiter) => ({ offByMs, hasWaiter }))))(
  "no other comes in while one believes: $offByMs ms, another one waits: $hasWaiter",
  async ({ offByMs, hasWaiter }) => {
    for (const call of ["acquire", "tryAcquire"] as const) {
      const scene = new Scene();
      const holding = scene.client();
      const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
      scene.believe(lock, holding.process);
      const waiter = scene.client();
      const wait = () => void waiter.mutex.acquire(NAME).then((next) => scene.believe(next, waiter.process));
      if (hasWaiter) wait();
      await scene.pass(1000);
      const { mutex, process } = misled(scene, offByMs, ["wrong", "right"]);
      const asking = call === "acquire" ? mutex.acquire(NAME, { timeoutMs: 5000 }) : mutex.tryAcquire(NAME);
      void asking.then(
        (other) => other && scene.believe(other, process),
        () => {},
      );
      if (!hasWaiter) wait();
      await scene.pass(LEASE_MS * 3);
      expect(scene.problems).toEqual([]);
      expect(lock.held).toBe(true);
    }
  },
);

it.each<[string, readonly Said[], Said]>([
  ["no further answer has a `Date`", ["wrong", "none"], "none"],
  ["every further read is out of a cache", ["wrong", "aged"], "none"],
])("nor where %s", async (_, told, writes) => {
  for (const offByMs of OFFS) {
    const scene = new Scene();
    const holding = scene.client();
    const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    scene.believe(lock, holding.process);
    const { mutex, process } = misled(scene, offByMs, told, writes);
    await scene.until(
      mutex.acquire(NAME, { timeoutMs: 5000 }).then(
        (other) => scene.believe(other, process),
        () => {},
      ),
    );
    expect(await scene.probe(LEASE_MS * 2, 300, {})).toBeUndefined();
    expect(scene.problems).toEqual([]);
  }
});

it.each<[string, readonly Said[]]>([
  ["no write tells the time, and later reads do", ["wrong", "right"]],
  ["no other answer tells the time", ["wrong", "none"]],
  ["no write tells the time, and later reads are out of a cache", ["wrong", "aged"]],
])("nor where that client itself believes: %s", async (_, told) => {
  for (const offByMs of OFFS) {
    const scene = new Scene();
    const { mutex, process } = misled(scene, offByMs, told, "none");
    scene.believe(await scene.until(mutex.acquire(NAME, { leaseMs: LEASE_MS })), process);
    expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
    expect(scene.problems).toEqual([]);
  }
});

it.each([0, HOUR_MS, -HOUR_MS])(
  "nor where the first two answers are wrong by different amounts (wall clock %i ms off)",
  async (wallOffsetMs) => {
    for (const told of [
      [15_000, HOUR_MS, "right"],
      [HOUR_MS, 15_000, "right"],
    ] as const) {
      const scene = new Scene();
      const holding = scene.client();
      const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
      scene.believe(lock, holding.process);
      expect(await scene.until(misled(scene, wallOffsetMs, told).mutex.tryAcquire(NAME))).toBeNull();
      expect(await scene.until(misled(scene, wallOffsetMs, told).mutex.isLocked(NAME))).toBe(true);
    }
    for (const told of [
      [-15_000, -30_000, "right"],
      [-30_000, -15_000, "right"],
    ] as const) {
      const scene = new Scene();
      const { mutex, process } = misled(scene, wallOffsetMs, told, "none");
      scene.believe(await scene.until(mutex.acquire(NAME, { leaseMs: LEASE_MS })), process);
      expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
      expect(scene.problems).toEqual([]);
    }
  },
);

it("nor where the contradiction is heard by another request of its process", async () => {
  const scene = new Scene();
  await scene.until((await scene.until(scene.client().mutex.acquire(NAME))).release());
  const { mutex, process } = misled(scene, -HOUR_MS, ["wrong", "right", "right"], "aged");
  let reads = 0;
  scene.fate = (sent) => {
    if (sent.process !== process || sent.operation !== "read") return { kind: "fine" };
    reads += 1;
    // The others are heard after the first has led to a write, and before that is answered.
    return { kind: "slow", thereMs: 0, backMs: reads > 1 && reads < 4 ? 5 * reads : 0 };
  };
  const granted = mutex.acquire(NAME, { leaseMs: LEASE_MS });
  for (const name of ["another", "a third"]) void mutex.isLocked(name);
  scene.believe(await scene.until(granted), process);
  expect(await scene.probe(LEASE_MS * 3, 300, {})).toBeUndefined();
  expect(scene.problems).toEqual([]);
});

it.each([2, 3])("nor after the wall clock was set, to as wrong a time as answer %i tells", async (at) => {
  const scene = new Scene();
  const told: Said[] = ["right", "right", "right", "right", "right"];
  told[at] = "wrong";
  const { mutex, process } = misled(scene, HOUR_MS, told);
  process.setWall(0);
  for (let count = 0; count < 2; count += 1) await scene.until(mutex.isLocked(NAME));
  const holding = scene.client();
  const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  scene.believe(lock, holding.process);
  process.setWall(HOUR_MS);
  expect(await scene.until(mutex.tryAcquire(NAME))).toBeNull();
  expect(lock.held).toBe(true);
  expect(scene.problems).toEqual([]);
});

it("such a client does not say that a lock is free which is held", async () => {
  const scene = new Scene();
  await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  expect(await scene.until(misled(scene, HOUR_MS, ["wrong", "right"]).mutex.isLocked(NAME))).toBe(true);
});

it("nor one that slept, though some answers from before had no `Date`, and the next has none", async () => {
  const scene = new Scene();
  const { mutex, process } = misled(scene, 0, ["right", "right", "none", "right"], "none");
  const own = await scene.until(mutex.acquire("own", { leaseMs: 3_600_000 }));
  for (let count = 0; count < 3; count += 1) await scene.until(own.renew());
  await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  process.setWall(HOUR_MS);
  expect(await scene.until(mutex.isLocked(NAME))).toBe(true);
});

it("a sweep by such a client frees no lock that is held, and removes none that was not at rest", async () => {
  const scene = new Scene();
  const holding = scene.client();
  const lock = await scene.until(holding.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
  await scene.until((await scene.until(holding.mutex.acquire("free"))).release());
  const { mutex } = misled(scene, HOUR_MS, ["wrong", "right"]);
  await scene.until(mutex.cleanupStaleLocks({ includeReleased: true }));
  expect(scene.record()?.holders).toMatchObject([{ token: lock.fencingToken }]);
  expect(scene.record("locks/free.json")).toBeDefined();
});

it.each(["right", "none"] as const)(
  "a lock that was removed is not granted with a token that has been (writes: %s)",
  async (writes) => {
    const scene = new Scene();
    const first = scene.client().mutex;
    const lock = await scene.until(first.acquire(NAME));
    const { fencingToken } = lock;
    await scene.until(lock.release());
    await scene.pass(5000);
    await scene.until(first.cleanupStaleLocks({ includeReleased: true, restMs: 0 }));
    expect(scene.bucket.objects.size).toBe(0);
    const next = await scene.until(misled(scene, -HOUR_MS, ["wrong", "right"], writes).mutex.acquire(NAME));
    expect(next.fencingToken).toBeGreaterThan(fencingToken);
    expect(next.held).toBe(true);
  },
);

it("a free lock costs no request more, and that of a dead holder one", async () => {
  const requests = async (offByMs: number, told: readonly Said[]) => {
    const scene = new Scene();
    await scene.until((await scene.until(scene.client().mutex.acquire(NAME))).release());
    const { mutex, process } = misled(scene, offByMs, told);
    const lock = await scene.until(mutex.acquire(NAME));
    const free = scene.requestsOf(process).length;
    await scene.until(lock.release());
    const dying = scene.client();
    await scene.until(dying.mutex.acquire(NAME, { leaseMs: LEASE_MS }));
    dying.process.kill();
    await scene.pass(LEASE_MS + 2500);
    const next = scene.client();
    expect(await scene.until(next.mutex.tryAcquire(NAME))).not.toBeNull();
    return { free, takeover: scene.requestsOf(next.process).length };
  };
  expect(await requests(0, ["right"])).toEqual({ free: 2, takeover: 3 });
});
