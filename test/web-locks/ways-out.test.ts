import { describe, expect, it } from "vitest";
import { Random } from "../../src/testing/virtual/random.js";
import { stride } from "../scale.js";
import { type Client, DENIED, ending, LEASE_MS, ManagerWorld, microtasks } from "./manager-world.js";

/** However a request ends, it leaves nothing held, nothing in `query()`, and no later request waiting. */

const FREED_MS = 1000;

describe("a signal that is aborted in the turn of the grant", () => {
  it("when the request before has ended: those behind it come in, and the manager goes on", async () => {
    const world = new ManagerWorld();
    const { scene } = world;
    const { locks } = world.client();
    const stop = new AbortController();
    const first = locks.request("x", () => scene.world.sleep(60));
    const second = ending(locks.request("x", { signal: stop.signal }, () => "second"));
    const third = ending(locks.request("x", () => "third"));
    const other = ending(locks.request("other", () => "other"));
    void first.then(() => stop.abort("late"));
    await scene.until(first);
    expect(await scene.until(second, 1)).toBe("late");
    expect(await scene.until(Promise.all([third, other]), 3000)).toEqual(["third", "other"]);
    await world.expectFree({ locks }, ["x", "other"]);
  });

  it.each(["exclusive", "shared"] as const)("%s, so many microtasks after it: called back, or ended", async (mode) => {
    for (let later = 0; later < 40; later += stride(1)) {
      const world = new ManagerWorld();
      const { scene } = world;
      const { locks, mutex } = world.client();
      const stop = new AbortController();
      const first = locks.request("x", { mode }, () => scene.world.sleep(60));
      let grants = 0;
      mutex.on("acquired", () => {
        grants += 1;
        if (grants === 2) void microtasks(later).then(() => stop.abort("late"));
      });
      let isIn = false;
      const call = () => {
        isIn = true;
        return "second";
      };
      const second = ending(locks.request("x", { mode, signal: stop.signal }, call));
      const third = ending(locks.request("x", { mode }, () => "third"));
      await scene.until(first);
      expect(await scene.until(second, 1000)).toBe(isIn ? "second" : "late");
      expect(await scene.until(third, 3000)).toBe("third");
      await scene.pass(FREED_MS);
      await world.expectFree({ locks }, ["x"], `after ${later} microtasks`);
    }
  });

  it("is over for `ifAvailable` as well: what is given back is not said to be in use", async () => {
    for (let later = 0; later < 24; later += stride(1)) {
      const world = new ManagerWorld();
      const { scene } = world;
      const { locks, mutex } = world.client();
      const stop = new AbortController();
      mutex.on("acquired", () => void microtasks(later).then(() => stop.abort("late")));
      const asked = ending(locks.request("x", { signal: stop.signal }, () => "in"));
      expect(["in", "late"]).toContain(await scene.until(asked, 1000));
      const next = locks.request("x", { ifAvailable: true }, (lock) => lock?.name);
      expect(await scene.until(next, 1000), `after ${later} microtasks`).toBe("x");
    }
  });
});

/** Makes a request that is granted, and whose callback has to wait for earlier ones of which the store has not said anything yet. */
async function kept(world: ManagerWorld, client: Client, options: { signal?: AbortSignal } = {}) {
  const { scene } = world;
  let isSilent = true;
  const earlier = scene.fate;
  scene.fate = (request) => {
    if (isSilent && request.key === "locks/slow.json" && request.process === client.process) return { kind: "lost" };
    return earlier(request);
  };
  // Each gives up after a while, and the next one of its name asks then.
  const asked = Array.from({ length: 8 }, () =>
    ending(client.locks.request("slow", { ifAvailable: true }, () => "in")),
  );
  const slow = Promise.all(asked);
  const called: string[] = [];
  const request = client.locks.request("x", options, () => {
    called.push("x");
    return "in";
  });
  const over = ending(request);
  await scene.pass(1000);
  expect([scene.record("locks/x.json")?.holders.length, called]).toEqual([1, []]);
  const answer = () => {
    isSilent = false;
  };
  return { slow, request, over, answer, called };
}

describe("a request that was granted, and waits for its turn to be called back", () => {
  it("is called back when its turn has come", async () => {
    const world = new ManagerWorld();
    const client = world.client();
    const { slow, over, answer, called } = await kept(world, client);
    await world.scene.pass(5000);
    expect(called).toEqual([]);
    answer();
    expect(await world.scene.until(over, 10_000)).toBe("in");
    expect((await slow).at(-1)).toBe("in");
    await world.scene.pass(FREED_MS);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("comes before what was asked for later, however long that takes", async () => {
    const world = new ManagerWorld();
    const client = world.client();
    const { slow, over, answer, called } = await kept(world, client, { signal: new AbortController().signal });
    const later = client.locks.request("y", () => void called.push("y"));
    await world.scene.pass(5000);
    answer();
    await world.scene.until(Promise.all([slow, over, later]), 20_000);
    expect(called).toEqual(["x", "y"]);
  });

  it("is not called back where the lock was stolen meanwhile: AbortError, with the loss as its cause", async () => {
    const world = new ManagerWorld();
    const [client, other] = [world.client(), world.client()];
    const { slow, request, over, answer, called } = await kept(world, client);
    const stolen = ending(other.locks.request("x", { steal: true }, () => world.scene.world.sleep(30_000)));
    expect(await world.scene.until(over, LEASE_MS)).toBe("AbortError");
    await expect(request).rejects.toMatchObject({ name: "AbortError", cause: { code: "lost", lockName: "x" } });
    answer();
    await world.scene.until(Promise.all([slow, stolen]), 60_000);
    expect(called).toEqual([]);
    await world.scene.pass(FREED_MS);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("is not called back where its process stood still until the lease was over", async () => {
    const world = new ManagerWorld();
    const [client, other] = [world.client(), world.client()];
    const { slow, over, answer, called } = await kept(world, client);
    answer();
    client.process.freeze(60_000, true);
    const next = await world.hold(other.locks, "x");
    expect(await world.scene.until(over, 90_000)).toBe("AbortError");
    await world.scene.until(slow, 60_000);
    expect(called).toEqual([]);
    next.release();
    await world.scene.until(next.over);
    await world.scene.pass(FREED_MS);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("asks the store first where its clocks disagree: what was stolen meanwhile is not called back", async () => {
    const world = new ManagerWorld();
    const [client, other] = [world.client(), world.client()];
    const { slow, over, answer, called } = await kept(world, client);
    const stolen = ending(other.locks.request("x", { steal: true }, () => world.scene.world.sleep(30_000)));
    await world.scene.pass(300);
    answer();
    client.mutex.once("acquired", () => client.process.stepWall(3_600_000));
    expect(await world.scene.until(over, 3000)).toBe("AbortError");
    expect(called).toEqual([]);
    await world.scene.until(Promise.all([slow, stolen]), 60_000);
    await world.scene.pass(FREED_MS);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("is ended by its signal at once, and the lock is free", async () => {
    const world = new ManagerWorld();
    const [client, other] = [world.client(), world.client()];
    const stop = new AbortController();
    const { slow, over, answer, called } = await kept(world, client, { signal: stop.signal });
    stop.abort("enough");
    expect(await world.scene.until(over, 1)).toBe("enough");
    await world.scene.pass(FREED_MS);
    expect(world.inUse(["x"])).toEqual([]);
    expect(await world.scene.until(ending(other.locks.request("x", () => "in")), FREED_MS)).toBe("in");
    answer();
    await world.scene.until(slow, 60_000);
    expect(called).toEqual([]);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("is ended by its signal at once, too, while the store is asked whether the lock is held", async () => {
    const world = new ManagerWorld();
    const { scene } = world;
    const client = world.client();
    const stop = new AbortController();
    const { slow, over, answer, called } = await kept(world, client, { signal: stop.signal });
    answer();
    scene.fate = ({ key }) => (key === "locks/x.json" ? { kind: "lost" } : { kind: "fine" });
    // Its turn comes when the last of those before it is called back. They end after it, since it was asked for before their end.
    const isSet = new Promise<void>((resolve) => {
      client.mutex.once("acquired", () => {
        client.process.stepWall(3_600_000);
        resolve();
      });
    });
    await scene.until(isSet, 20_000);
    await scene.pass(100);
    stop.abort("enough");
    expect(await scene.until(over, 1)).toBe("enough");
    scene.fate = () => ({ kind: "fine" });
    await scene.until(slow, 20_000);
    await scene.pass(LEASE_MS);
    expect(called).toEqual([]);
    await world.expectFree(client, ["x", "slow"]);
  });

  it("is ended by a close at once, which leaves nothing behind", async () => {
    const world = new ManagerWorld();
    const [client, other] = [world.client(), world.client()];
    const { slow, over, answer, called } = await kept(world, client);
    const closing = client.locks.close();
    expect(await world.scene.until(over, 500)).toBe("AbortError");
    await world.scene.pass(FREED_MS);
    expect(world.inUse(["x"])).toEqual([]);
    answer();
    await world.scene.until(Promise.all([closing, slow]), 20_000);
    expect(called).toEqual([]);
    await world.expectFree(other, ["x"]);
  });
});

describe("steal", () => {
  const OPERATIONS = ["read", "write"] as const;

  const REFUSALS = OPERATIONS.flatMap((operation) => [false, true].map((applied) => ({ operation, applied })));

  it.each(REFUSALS)(
    "with any one $operation of it refused (done all the same: $applied): it is called back, or holds nothing",
    async ({ operation, applied }) => {
      for (let nth = 0; nth < 8; nth += 1) {
        const world = new ManagerWorld();
        const { scene } = world;
        const [client, other] = [world.client(), world.client()];
        const { over: robbed, release } = await world.hold(other.locks, "x");
        let asked = -1;
        scene.fate = (request) => {
          if (request.process !== client.process || request.operation !== operation) return { kind: "fine" };
          asked += 1;
          return asked === nth ? { ...DENIED, applied } : { kind: "fine" };
        };
        let isIn = false;
        const call = () => {
          isIn = true;
          return "in";
        };
        const stolen = await scene.until(ending(client.locks.request("x", { steal: true }, call)), 20_000);
        const context = `${operation} ${nth}`;
        expect(stolen, context).toBe(isIn ? "in" : "access-denied");
        release();
        await scene.until(robbed, LEASE_MS);
        // A place in the queue that the store says it has not given ends with its lease; what is held is renewed for good.
        await scene.pass(applied ? LEASE_MS + 3000 : FREED_MS);
        scene.fate = () => ({ kind: "fine" });
        await world.expectFree(client, ["x"], context);
      }
    },
  );

  it("that was granted while its own release of the holder fails is called back, or holds nothing", async () => {
    const world = new ManagerWorld();
    const { scene } = world;
    const [client, other] = [world.client(), world.client()];
    const { over: robbed, release } = await world.hold(other.locks, "x");
    const begunAtMs = scene.nowMs;
    let writes = 0;
    scene.fate = ({ process, operation }) => {
      if (process !== client.process) return { kind: "fine" };
      if (operation === "write") writes += 1;
      // The first write asks for a place in the queue; the second one meets it, and the third one ends the holder.
      if (operation === "write" && writes === 3) return { kind: "answer-lost" };
      return operation === "read" && scene.nowMs - begunAtMs > 1000 ? DENIED : { kind: "fine" };
    };
    let isIn = false;
    const call = () => {
      isIn = true;
      return "in";
    };
    const stolen = await scene.until(ending(client.locks.request("x", { steal: true }, call)), 20_000);
    expect(stolen).toBe(isIn ? "in" : "access-denied");
    scene.fate = () => ({ kind: "fine" });
    release();
    await scene.until(robbed, LEASE_MS);
    await scene.pass(FREED_MS);
    await world.expectFree(client, ["x"]);
  });

  it("is called back, too, where its own release of the holder comes late, and ends what it was granted meanwhile", async () => {
    let endedByItself = 0;
    for (let seed = 0; seed < 16; seed += 1) {
      const world = new ManagerWorld(seed);
      const { scene } = world;
      const [client, other] = [world.client(), world.client()];
      const { over, release } = await world.hold(other.locks, "x");
      const random = new Random(seed);
      scene.fate = ({ process }) => {
        const [thereMs, backMs] = [random.between(0, 700), random.between(0, 700)];
        return process === client.process ? { kind: "slow", thereMs, backMs } : { kind: "fine" };
      };
      client.mutex.on("lost", () => {
        endedByItself += 1;
      });
      const stolen = ending(client.locks.request("x", { steal: true }, () => "in"));
      await scene.pass(random.between(0, 3000));
      release();
      expect(await scene.until(stolen, 4 * LEASE_MS), `seed ${seed}`).toBe("in");
      await scene.until(over, LEASE_MS);
      scene.fate = () => ({ kind: "fine" });
      await scene.pass(FREED_MS);
      await world.expectFree(client, ["x"], `seed ${seed}`);
    }
    expect(endedByItself).toBeGreaterThan(0);
  });

  it("asks nothing more once it was granted", async () => {
    const world = new ManagerWorld();
    const { scene } = world;
    const [client, other] = [world.client(), world.client()];
    await world.hold(other.locks, "x");
    await scene.until(client.locks.request("x", { steal: true }, () => {}));
    await scene.pass(200);
    const operations = scene.requestsOf(client.process).map(({ operation }) => operation);
    // One that takes the lock, and one that gives it back.
    expect(operations.slice(-2)).toEqual(["write", "write"]);
  });

  it.each(OPERATIONS)(
    "whose grant is in doubt, and then any one %s refused: no second hold is kept",
    async (operation) => {
      for (let nth = 0; nth < 8; nth += 1) {
        const world = new ManagerWorld();
        const { scene } = world;
        const client = world.client();
        let asked = Number.NaN;
        client.mutex.on("acquired", () => {
          if (!Number.isNaN(asked)) return;
          asked = -1;
          client.process.stepWall(3_600_000);
        });
        scene.fate = (request) => {
          if (request.operation !== operation) return { kind: "fine" };
          asked += 1;
          return asked === nth ? DENIED : { kind: "fine" };
        };
        let isIn = false;
        const call = () => {
          isIn = true;
          return "in";
        };
        const over = await scene.until(ending(client.locks.request("x", { steal: true }, call)), 30_000);
        expect(over, `${operation} ${nth}`).toBe(isIn ? "in" : "access-denied");
        // A refused release leaves the lock to its lease, and no longer.
        await scene.pass(LEASE_MS + 3000);
        scene.fate = () => ({ kind: "fine" });
        await world.expectFree(client, ["x"], `${operation} ${nth}`);
      }
    },
  );
});
