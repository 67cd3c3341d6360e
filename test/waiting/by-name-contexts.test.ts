import { AsyncResource } from "node:async_hooks";
import { expect, it } from "vitest";
import type { S3Mutex } from "../../src/s3-mutex.js";
import { NAME, Scene } from "../../testkit/scene.js";

/** Calls by name in a server: requests that share a context, overrun their leases, and call late. */

const LEASE_MS = 1000;
/** After this, a lease of that length is over for all. */
const OVERRUN_MS = 2500;

type Call = "releaseLock" | "refreshLock" | "deleteLock";
const CALLS = ["releaseLock", "refreshLock", "deleteLock"] as const;

/** How requests come to be: each in a context of its own, all in that of a start-up that took a lock, or in that of one that holds it. `leaking`: in that of the request before. */
const CONTEXTS = ["own", "shared", "held", "same name", "leaking"] as const;

interface Server {
  readonly scene: Scene;
  readonly mutex: S3Mutex;
  /** Runs a request. */
  readonly request: <T>(handler: () => Promise<T>) => Promise<T>;
}

async function serverIn(contexts: (typeof CONTEXTS)[number]): Promise<Server> {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: LEASE_MS });
  const started = (async () => {
    if (contexts === "held") await mutex.acquire("boot");
    if (contexts === "shared" || contexts === "same name") {
      const name = contexts === "shared" ? "boot" : NAME;
      await mutex.acquireLock(name);
      await mutex.releaseLock(name);
    }
    // As of a server: what comes later runs in the context in which it was started.
    const start = AsyncResource.bind((handler: () => void) => handler());
    // Or in that of an earlier request, where requests are begun by a loop that does not wait for them.
    const loopQueue: (() => void)[] = [];
    const loop = async () => {
      for (;;) {
        loopQueue.shift()?.();
        await scene.world.sleep(1);
      }
    };
    if (contexts === "leaking") void loop();
    const request = <T>(handler: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const begin = () => void handler().then(resolve, reject);
        if (contexts === "leaking") loopQueue.push(begin);
        else start(begin);
      });
    return { request };
  })();
  const { request } = await scene.until(started);
  return { scene, mutex, request };
}

/** Takes the lock, and calls after so long. */
const working =
  ({ scene, mutex }: Server, ms: number, call: Call) =>
  async () => {
    expect(await mutex.acquireLock(NAME, 20_000)).toBe(true);
    await scene.world.sleep(ms);
    return mutex[call](NAME);
  };

it.each(CONTEXTS.flatMap((contexts) => CALLS.map((call) => [contexts, call] as const)))(
  "P6: a late call ends no other hold (contexts: %s, %s)",
  async (contexts, call) => {
    const server = await serverIn(contexts);
    const { scene, mutex, request } = server;
    const late = request(working(server, OVERRUN_MS, call));
    await scene.pass(OVERRUN_MS - 200);
    const next = request(working(server, 600, "releaseLock"));
    expect(await scene.until(late)).toBe(false);
    expect(await scene.until(mutex.isOwnedByUs(NAME))).toBe(true);
    expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
    expect(await scene.until(next)).toBe(true);
  },
);

it.each(CONTEXTS)(
  "P6: of three requests that overrun, none ends another's hold, late renewals included (contexts: %s)",
  async (contexts) => {
    const server = await serverIn(contexts);
    const { scene, mutex, request } = server;
    const late = async (ms: number) => {
      expect(await mutex.acquireLock(NAME, 20_000)).toBe(true);
      await scene.world.sleep(ms);
      return [await mutex.refreshLock(NAME), await mutex.releaseLock(NAME), await mutex.releaseLock(NAME)];
    };
    const first = request(() => late(7000));
    await scene.pass(OVERRUN_MS);
    const second = request(() => late(4000));
    await scene.pass(OVERRUN_MS);
    const third = request(async () => {
      expect(await mutex.acquireLock(NAME, 20_000)).toBe(true);
      for (let times = 0; times < 10; times += 1) {
        await scene.world.sleep(400);
        expect(await mutex.refreshLock(NAME)).toBe(true);
      }
      return mutex.releaseLock(NAME);
    });
    expect(await scene.until(first)).toEqual([false, false, false]);
    expect(await scene.until(second)).toEqual([false, false, false]);
    expect(await scene.until(third)).toBe(true);
  },
);

it.each(CONTEXTS)("P6: a second release by one request ends no other hold (contexts: %s)", async (contexts) => {
  const server = await serverIn(contexts);
  const { scene, mutex, request } = server;
  const first = request(async () => {
    await mutex.acquireLock(NAME);
    const released = await mutex.releaseLock(NAME);
    await scene.world.sleep(500);
    return [released, await mutex.releaseLock(NAME)];
  });
  await scene.pass(300);
  const second = request(working(server, 600, "releaseLock"));
  expect(await scene.until(first)).toEqual([true, false]);
  expect(await scene.until(second)).toBe(true);
});

it.each(
  (["own", "shared", "held", "same name"] as const).flatMap((contexts) =>
    CALLS.map((call) => [contexts, call] as const),
  ),
)("P6: a request that was not given the lock does nothing to its holder (contexts: %s, %s)", async (contexts, call) => {
  const server = await serverIn(contexts);
  const { scene, mutex, request } = server;
  const holding = request(working(server, 800, "releaseLock"));
  await scene.pass(100);
  // As by a `finally` that does not ask whether the lock was had.
  const failed = request(async () => [await mutex.acquireLock(NAME, 200), await mutex[call](NAME)]);
  expect(await scene.until(failed)).toEqual([false, false]);
  expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
  expect(await scene.until(holding)).toBe(true);
});

const BEGUN = {
  bare: (_: S3Mutex, handler: () => Promise<unknown>) => handler(),
  "in scopes": (mutex: S3Mutex, handler: () => Promise<unknown>) => mutex.scope(handler),
  detached: (mutex: S3Mutex, handler: () => Promise<unknown>) => mutex.detached(handler),
} as const;

it.each((["bare", "in scopes", "detached"] as const).flatMap((how) => CALLS.map((call) => [how, call] as const)))(
  "P6: of two requests that begin at once, the one that was not given the lock does nothing to the other (%s, %s)",
  async (how, call) => {
    const { scene, mutex } = await serverIn("own");
    const outcomes: unknown[] = [];
    const request = async (timeoutMs: number, ms: number, then: Call) => {
      const isGranted = await mutex.acquireLock(NAME, timeoutMs);
      if (isGranted) await scene.world.sleep(ms);
      outcomes.push([isGranted, await mutex[then](NAME)]);
    };
    const both = Promise.all([
      BEGUN[how](mutex, () => request(0, 700, "releaseLock")),
      BEGUN[how](mutex, () => request(200, 0, call)),
    ]);
    await scene.pass(400);
    expect(await scene.until(scene.client().mutex.tryAcquire(NAME))).toBeNull();
    await scene.until(both);
    expect(outcomes).toEqual([
      [false, false],
      [true, true],
    ]);
  },
);

it("counts a call by who holds the lock and did not get it twice, and by an owner who was another process before", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ ownerId: "job-1" });
  const twice = async () => [
    await mutex.acquireLock(NAME),
    await mutex.acquireLock(NAME, 200),
    await mutex.releaseLock(NAME),
  ];
  expect(await scene.until(mutex.scope(twice))).toEqual([true, false, true]);
  expect(await scene.until(scene.client({ ownerId: "job-2" }).mutex.acquireLock(NAME))).toBe(true);
  const restarted = scene.client({ ownerId: "job-2" }).mutex;
  const takeOver = async () => [await restarted.acquireLock(NAME, 200), await restarted.releaseLock(NAME)];
  expect(await scene.until(restarted.scope(takeOver))).toEqual([false, true]);
});

it("releases from wherever it is called, as long as nothing was lost", async () => {
  const server = await serverIn("own");
  const { scene, mutex, request } = server;
  // Taken in a helper, whose context is not its caller's.
  const take = async () => {
    await scene.world.sleep(5);
    return mutex.acquireLock(NAME);
  };
  await scene.until(request(take));
  expect(await scene.until(request(() => mutex.refreshLock(NAME)))).toBe(true);
  expect(await scene.until(request(() => mutex.releaseLock(NAME)))).toBe(true);
  await scene.until(take());
  expect(await scene.until(mutex.releaseLock(NAME))).toBe(true);
});

it("tells a call from nowhere, after a loss, that it may be late: once for each loss, and then it counts", async () => {
  const { scene, mutex, request } = await serverIn("own");
  const take = async () => {
    await scene.world.sleep(5);
    return mutex.acquireLock(NAME, 20_000);
  };
  await scene.until(request(take));
  await scene.until(request(take));
  await scene.until(request(take));
  const release = () => scene.until(request(() => mutex.releaseLock(NAME)));
  expect(await scene.until(request(() => mutex.refreshLock(NAME)))).toBe(false);
  expect([await release(), await release(), await release(), await release()]).toEqual([false, false, true, false]);
});

it("goes on with a loop that overran, that never released, or that takes the lock anew", async () => {
  const { scene, mutex } = await serverIn("own");
  const loop = async () => {
    const outcomes: boolean[] = [];
    for (const ms of [10, OVERRUN_MS, 10, OVERRUN_MS, 10]) {
      expect(await mutex.acquireLock(NAME, 20_000)).toBe(true);
      await scene.world.sleep(ms);
      if (ms === 10) outcomes.push(await mutex.releaseLock(NAME));
    }
    return outcomes;
  };
  expect(await scene.until(loop())).toEqual([true, true, true]);
});

it.each(CALLS)("P6: a late %s ends nothing that another instance of the same owner has taken since", async (call) => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: LEASE_MS, ownerId: "worker" });
  const { mutex: restarted } = scene.client({ lockTimeoutMs: LEASE_MS, ownerId: "worker" });
  expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
  await scene.pass(OVERRUN_MS);
  expect(await scene.until(restarted.acquireLock(NAME))).toBe(true);
  expect(await scene.until(mutex[call](NAME))).toBe(false);
  expect(await scene.until(restarted.refreshLock(NAME))).toBe(true);
  expect(await scene.until(restarted.releaseLock(NAME))).toBe(true);
});
