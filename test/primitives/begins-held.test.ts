import { describe, expect, it } from "vitest";
import type { Lock, LockSet, S3Mutex, S3MutexError } from "../../src/index.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { type Client, cutOff, FINE, NAME, Scene } from "../../testkit/scene.js";
import { stride } from "../scale.js";

/**
 * No work begins under what is known not to be held at that moment: neither a function nor a caller that is handed a lock.
 * What is in doubt by the clocks is asked about first.
 */

type Handle = Pick<Lock, "held" | "signal" | "release">;
type Begin = (held: Pick<Lock, "held">) => void;

interface Call {
  readonly kind: string;
  readonly ask: (mutex: S3Mutex, begin: Begin) => Promise<unknown>;
}

const PERMITS = { permits: 3 };

const FUNCTIONS: readonly Call[] = [
  { kind: "withLock", ask: (mutex, begin) => mutex.withLock(NAME, begin) },
  { kind: "withLocks", ask: (mutex, begin) => mutex.withLocks(["a", NAME, "z"], begin, { timeoutMs: 600_000 }) },
  { kind: "withPermits", ask: (mutex, begin) => mutex.semaphore("pool", PERMITS).withPermits(begin) },
  {
    kind: "withPermits of a semaphore with several records",
    ask: (mutex, begin) => mutex.semaphore("large", { permits: 300 }).withPermits(begin, { permits: 2 }),
  },
  {
    kind: "runWhenLeader",
    ask: (mutex, begin) => {
      const election = mutex.election(NAME);
      return election.runWhenLeader(() => begin({ held: election.isLeader }));
    },
  },
  { kind: "runOnce", ask: (mutex, begin) => mutex.runOnce("job", ({ lock }) => begin(lock)) },
  {
    kind: "withLock within a lock",
    ask: async (mutex, begin) => {
      const lock = await mutex.acquire(NAME);
      await mutex.withLock(NAME, begin, { within: lock }).finally(() => lock.release());
    },
  },
];

const handle = (asking: Promise<Handle | null>, begin: Begin) =>
  asking.then(async (lock) => {
    if (lock !== null) begin(lock);
    await lock?.release();
  });

const HANDLES: readonly Call[] = [
  { kind: "acquire", ask: (mutex, begin) => handle(mutex.acquire(NAME), begin) },
  { kind: "tryAcquire", ask: (mutex, begin) => handle(mutex.tryAcquire(NAME), begin) },
  { kind: "acquireAll", ask: (mutex, begin) => handle(mutex.acquireAll(["a", NAME, "z"]), begin) },
  { kind: "a semaphore's acquire", ask: (mutex, begin) => handle(mutex.semaphore("pool", PERMITS).acquire(), begin) },
  { kind: "campaign", ask: (mutex, begin) => handle(mutex.election(NAME).campaign(), begin) },
  {
    kind: "restore",
    ask: async (mutex, begin) => {
      const lock = await mutex.acquire("handed");
      await handle(mutex.restore(await lock.serialize()), begin);
    },
  },
];

async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await Promise.resolve();
}

/** Stands still as a process at this very moment, and goes on, by its clocks so much later. No timer has fired yet. */
function standStill({ effects }: SimProcess, ms: number): void {
  const clocks = effects as { monotonicMs: () => number; wallMs: () => number };
  const { monotonicMs, wallMs } = clocks;
  clocks.monotonicMs = () => monotonicMs() + ms;
  clocks.wallMs = () => wallMs() + ms;
}

const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    (error: S3MutexError) => error.code,
  );

/** Lets something happen so many microtasks after the n-th grant. Tells how the call ended, and whether each work began under what is held. */
async function granted(call: Call, happens: (client: Client) => void, later: number, grant = 1) {
  const scene = new Scene();
  const client = scene.client();
  const begun: boolean[] = [];
  let grants = 0;
  client.mutex.on("acquired", () => {
    grants += 1;
    if (grants === grant) void (later === 0 ? happens(client) : microtasks(later).then(() => happens(client)));
  });
  const ended = await scene.until(
    settled(
      call.ask(client.mutex, ({ held }) => {
        begun.push(held);
      }),
    ),
    300_000,
  );
  await scene.until(client.mutex.close());
  expect(scene.problems.filter((problem) => !problem.startsWith("once/"))).toEqual([]);
  return { ended, begun };
}

describe.each(FUNCTIONS)("$kind in the turn of its grant", (call) => {
  it("does not begin after its process stood still for longer than the lease", async () => {
    for (let later = 0; later < 30; later += stride(1)) {
      const { ended, begun } = await granted(call, ({ process }) => standStill(process, 100_000), later);
      expect(begun, `${later} microtasks later`).not.toContain(false);
      expect(["done", "lost"]).toContain(ended);
      // A leader that learns, when its work has ended, that it had lost its lead by then campaigns again.
      const last = call.kind === "runWhenLeader" ? begun.slice(-1) : begun;
      if (ended === "done") expect(last).toEqual([true]);
    }
  });

  it("asks the store first where the wall clock was set, and begins when that has answered", async () => {
    for (let later = 0; later < 30; later += stride(1)) {
      const { ended, begun } = await granted(call, ({ process }) => process.stepWall(3_600_000), later);
      expect([ended, begun], `${later} microtasks later`).toEqual(["done", [true]]);
    }
  });
});

describe.each(HANDLES)("$kind in the turn of its grant", (call) => {
  it("is not handed out after its process stood still for longer than the lease", async () => {
    const { ended, begun } = await granted(call, ({ process }) => standStill(process, 100_000), 0);
    expect(begun).not.toContain(false);
    expect(["done", "lost"]).toContain(ended);
  });

  it("is handed out once the store has said that it is held, where the wall clock was set", async () => {
    const { ended, begun } = await granted(call, ({ process }) => process.stepWall(3_600_000), 0);
    expect([ended, begun]).toEqual(["done", [true]]);
  });
});

it("acquireLock does not say yes to what is over by then", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  mutex.once("acquired", () => standStill(process, 100_000));
  expect(await scene.until(settled(mutex.acquireLock(NAME)))).toBe("lost");
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  expect(await scene.until(mutex.releaseLock(NAME))).toBe(true);
});

it("a lock in doubt about which the store says nothing is lost, and the function is not called", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  mutex.once("acquired", () => {
    process.stepWall(3_600_000);
    scene.fate = cutOff(process);
  });
  let calls = 0;
  const running = mutex.withLock(NAME, () => {
    calls += 1;
  });
  await expect(scene.until(running, 120_000)).rejects.toMatchObject({ code: "lost", reason: "store-unavailable" });
  expect(calls).toBe(0);
});

it("a mutex that is closed while the store is asked does not begin either", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  let closing: Promise<unknown> | undefined;
  mutex.once("acquired", () => {
    process.stepWall(3_600_000);
    void microtasks(20).then(() => {
      closing = mutex.close();
    });
  });
  let calls = 0;
  const running = mutex.withLock(NAME, () => {
    calls += 1;
  });
  expect(await scene.until(settled(running))).toBe("closed");
  expect(await scene.until(closing as Promise<unknown>)).toEqual({ leftBehind: [] });
  expect(calls).toBe(0);
});

describe("of several locks, one is lost while the next is waited for", () => {
  /** Lets `a` be lost while `b`, which another client has, is waited for: by force, or since the process stands still. */
  async function waitingForB(loss: "force" | "standing still", ask: (mutex: S3Mutex) => Promise<unknown>) {
    const scene = new Scene();
    const [client, other] = [scene.client(), scene.client()];
    const b = await scene.until(other.mutex.acquire("b"));
    const asked = ask(client.mutex);
    asked.catch(() => {});
    await scene.pass(2000);
    if (loss === "force") await scene.until(other.mutex.releaseLock("a", true));
    else client.process.freeze(90_000, false);
    await scene.pass(loss === "force" ? 0 : 70_000);
    const a = await scene.until(other.mutex.acquire("a"), 60_000);
    await scene.pass(25_000);
    return { scene, client, asked, a, b };
  }

  it.each(["force", "standing still"] as const)(
    "%s: withLocks begins once it has both at the same time",
    async (loss) => {
      let begun: boolean[] = [];
      const { scene, asked, a, b } = await waitingForB(loss, (mutex) =>
        mutex.withLocks(
          ["a", "b"],
          (set) => {
            begun = [...begun, set.held, set.signal.aborted];
            return "both";
          },
          { timeoutMs: 600_000 },
        ),
      );
      expect(await scene.until(b.release())).toBe(true);
      await scene.pass(20_000);
      expect(begun).toEqual([]);
      // What it had is given back meanwhile, so that others can have it.
      expect(scene.record("locks/b.json")?.holders).toEqual([]);
      expect(a.held).toBe(true);
      await scene.until(a.release());
      expect(await scene.until(asked, 120_000)).toBe("both");
      expect(begun).toEqual([true, false]);
    },
  );

  it.each(["force", "standing still"] as const)("%s: acquireAll hands out only what is held", async (loss) => {
    const { scene, asked, a, b } = await waitingForB(loss, (mutex) => mutex.acquireAll(["a", "b"]));
    await scene.until(b.release());
    await scene.pass(5000);
    await scene.until(a.release());
    const set = (await scene.until(asked, 120_000)) as LockSet;
    expect([set.held, set.signal.aborted]).toEqual([true, false]);
    expect(await scene.until(set.release())).toBe(true);
  });

  it("when the caller's time is up by then: null, and what it had is given back", async () => {
    const { scene, asked, a, b } = await waitingForB("force", (mutex) =>
      mutex.withLocks(["a", "b"], () => "both", { timeoutMs: 40_000 }),
    );
    await scene.until(b.release());
    expect(await scene.until(asked, 60_000)).toBeNull();
    expect(scene.record("locks/b.json")?.holders).toEqual([]);
    await scene.until(a.release());
  });

  it("when the caller's time is up by then: `timed-out`, which names the lock that was lost", async () => {
    const { scene, asked, b } = await waitingForB("force", (mutex) =>
      mutex.acquireAll(["a", "b"], { timeoutMs: 40_000 }),
    );
    await scene.until(b.release());
    await expect(scene.until(asked, 60_000)).rejects.toMatchObject({ code: "timed-out", lockName: "a" });
  });

  it("within locks of which one is lost: rejects with its loss", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const set = await scene.until(mutex.acquireAll(["a", "b"]));
    await scene.until(scene.client().mutex.releaseLock("a", true));
    await scene.pass(30_000);
    const begun: boolean[] = [];
    const inner = mutex.withLocks(["a", "b"], ({ held }) => begun.push(held), { within: set });
    await expect(scene.until(inner)).rejects.toMatchObject({ code: "lost", reason: "force-released" });
    expect(begun).toEqual([]);
    await scene.until(set.release());
  });
});

describe("what a call nests in is released in the same turn", () => {
  it.each(["acquire", "tryAcquire"] as const)(
    "%s rejects: its handle was over before its caller had it",
    async (call) => {
      const scene = new Scene();
      const { mutex } = scene.client();
      const outer = await scene.until(mutex.acquire(NAME));
      const inner = mutex[call](NAME, { within: outer });
      const released = outer.release();
      await expect(scene.until(inner)).rejects.toMatchObject({ code: "lost", reason: "outer-released" });
      expect(await scene.until(released)).toBe(true);
    },
  );

  it("of several locks as well", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const outer = await scene.until(mutex.acquireAll(["a", "b"]));
    const inner = mutex.acquireAll(["a", "b"], { within: outer });
    const released = outer.release();
    await expect(scene.until(inner)).rejects.toMatchObject({ code: "lost" });
    expect(await scene.until(released)).toBe(true);
  });
});

it("a candidate whose process stood still in the turn of its grant campaigns again", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  mutex.once("acquired", () => standStill(process, 100_000));
  scene.fate = () => FINE;
  expect(
    await scene.until(
      mutex.election(NAME).runWhenLeader((_, token) => token),
      60_000,
    ),
  ).toBeGreaterThan(0);
});
