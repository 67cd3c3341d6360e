import { setTimeout as sleep } from "node:timers/promises";
import { test as base, describe, expect, vi } from "vitest";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { createLockManager, type LockManager, type WebLockOptions } from "../../src/web-locks/index.js";
import { heldRecord } from "../api/fixture.js";

vi.setConfig({ testTimeout: 60_000 });

const BUCKET = "web-locks";
const LEASE_MS = 3000;

interface Clients {
  readonly server: S3Server;
  /** Two clients, as two machines would have. */
  readonly locks: LockManager;
  readonly others: LockManager;
}

const test = base.extend<Clients>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which other fixtures are needed
  server: async ({}, use) => {
    const server = await startS3Server({ buckets: [BUCKET] });
    await use(server);
    await server.close();
  },
  locks: async ({ server }, use) => withManager(server, use),
  others: async ({ server }, use) => withManager(server, use),
});

async function withManager(server: S3Server, use: (locks: LockManager) => Promise<void>): Promise<void> {
  const locks = createLockManager({
    s3ClientConfig: server.clientConfig(),
    bucketName: BUCKET,
    lockTimeoutMs: LEASE_MS,
  });
  await use(locks);
  await locks.close();
}

/** Holds a lock until told otherwise; resolves when it is held. */
async function hold(locks: LockManager, name: string, options: WebLockOptions = {}) {
  let release: (value?: unknown) => void = () => {};
  const until = new Promise((resolve) => {
    release = resolve;
  });
  let released: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    released = locks.request(name, options, () => {
      resolve();
      return until;
    });
    released.catch(reject);
  });
  return { release, released };
}

const nameOfError = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof DOMException ? error.name : (error as Error).constructor.name),
  );

const never = () => {
  throw new Error("the callback was called");
};

describe("what request() refuses, in the order of the standard", () => {
  const aborted = AbortSignal.abort("too late");
  const live = new AbortController().signal;

  test.for<[string, unknown[], string]>([
    ["nothing", [], "TypeError"],
    ["no callback", ["n"], "TypeError"],
    ["options alone", ["n", { mode: "shared" }], "TypeError"],
    ["options that are not an object", ["n", 5, never], "TypeError"],
    ["a callback that is not a function", ["n", {}, "callback"], "TypeError"],
    ["no callback behind undefined options", ["n", undefined, undefined], "TypeError"],
    ["a symbol as its name", [Symbol("n"), never], "TypeError"],
    ["another mode", ["n", { mode: "upgrade" }, never], "TypeError"],
    ["null as its mode", ["n", { mode: null }, never], "TypeError"],
    ["null as its signal", ["n", { signal: null }, never], "TypeError"],
    ["a name with a hyphen, after bad types", ["-n", { mode: "upgrade" }, never], "TypeError"],
    ["a name with a hyphen, before the rest", ["-n", { signal: aborted }, never], "NotSupportedError"],
    ["steal and ifAvailable", ["n", { steal: true, ifAvailable: true }, never], "NotSupportedError"],
    ["to steal what is shared", ["n", { steal: true, mode: "shared" }, never], "NotSupportedError"],
    ["steal and signal, even where it is aborted", ["n", { steal: 1, signal: aborted }, never], "NotSupportedError"],
    ["ifAvailable and signal", ["n", { ifAvailable: "yes", signal: live }, never], "NotSupportedError"],
  ])("%s", async ([, values, expected], { locks, server }) => {
    const request = locks.request as (...values: unknown[]) => Promise<unknown>;
    expect(await nameOfError(request.apply(locks, values))).toBe(expected);
    expect(server.requests.total).toBe(0);
  });

  test("members are read in the order of their names, once, before anything is checked", async ({ locks }) => {
    const read: string[] = [];
    const options = new Proxy({}, { get: (_, name) => void read.push(String(name)) });
    await locks.request("n", options, () => {});
    expect(read).toEqual(["ifAvailable", "mode", "signal", "steal"]);
  });

  test("a signal that was aborted before: with its reason, and without a request", async ({ locks, server }) => {
    await expect(locks.request("n", { signal: aborted }, never)).rejects.toBe("too late");
    expect(server.requests.total).toBe(0);
  });

  test("everything, once it is closed", async ({ locks }) => {
    await locks.close();
    expect(await nameOfError(locks.request("n", never))).toBe("InvalidStateError");
    expect(await nameOfError(locks.query())).toBe("InvalidStateError");
  });
});

describe("a request", () => {
  test("is given a lock with its name and mode, and gives back what the callback returns", async ({ locks }) => {
    const given = await locks.request("n", async (lock) => [lock.name, lock.mode, String(lock)]);
    expect(given).toEqual(["n", "exclusive", "[object Lock]"]);
    expect(await locks.request("n", { mode: "shared" }, (lock) => lock?.mode)).toBe("shared");
    const failure = new RangeError("no");
    await expect(locks.request("n", () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await locks.query()).toEqual({ held: [], pending: [] });
  });

  test("excludes those of other clients, and lets sharers in together", async ({ locks, others }) => {
    const order: string[] = [];
    const first = await hold(locks, "n");
    const waiting = others.request("n", { mode: "shared" }, async () => void order.push("shared"));
    const again = locks.request("n", { mode: "shared" }, async () => void order.push("shared"));
    await sleep(100);
    order.push("released");
    first.release("result");
    expect(await first.released).toBe("result");
    await Promise.all([waiting, again]);
    expect(order).toEqual(["released", "shared", "shared"]);
  });

  test("comes in the order of the requests of its client, for one name and across names", async ({ locks, server }) => {
    // The later, the quicker: each request takes less time than the one before.
    let latencyMs = 120;
    server.setLatency(() => {
      latencyMs = Math.max(5, latencyMs - 10);
      return latencyMs;
    });
    const granted: string[] = [];
    const asked = ["a", "b", "a", "c", "b", "a"].map((name, index) => `${name}${index}`);
    await Promise.all(
      asked.map((id) => locks.request(id.charAt(0), { mode: "shared" }, async () => void granted.push(id))),
    );
    expect(granted).toEqual(asked);
  });

  test("that was made before a release comes before it", async ({ locks, server }) => {
    // One name is slow.
    server.setLatency(({ key }) => (key === "locks/b.json" ? 150 : 0));
    const granted: string[] = [];
    let inner: Promise<unknown> = Promise.resolve();
    await locks.request("a", async () => {
      const log = (name: string) => locks.request(name, async () => void granted.push(name));
      inner = Promise.all([log("a"), log("b")]);
    });
    await inner;
    expect(granted).toEqual(["b", "a"]);
  });

  test("of a line of work that holds others may wait forever: the standard knows no deadlocks", async ({
    locks,
    others,
  }) => {
    const [a, b] = [await hold(locks, "a"), await hold(others, "b")];
    const crossed = [locks.request("b", () => "b"), others.request("a", () => "a")];
    await sleep(4000);
    const { held, pending } = await locks.query();
    expect(held.map(({ name }) => name).toSorted()).toEqual(["a", "b"]);
    expect(pending.map(({ name }) => name).toSorted()).toEqual(["a", "b"]);
    a.release();
    b.release();
    expect(await Promise.all(crossed)).toEqual(["b", "a"]);
  });

  test("runs its callback where it was made: asynchronous context is kept", async ({ locks }) => {
    const { AsyncLocalStorage } = await import("node:async_hooks");
    const storage = new AsyncLocalStorage<string>();
    expect(await storage.run("mine", () => locks.request("n", () => storage.getStore()))).toBe("mine");
  });
});

describe("ifAvailable", () => {
  test("is called with null at once where another client has it, or asked for it before", async ({ locks, others }) => {
    const first = await hold(others, "n", { mode: "shared" });
    expect(await locks.request("n", { ifAvailable: true }, (lock) => lock)).toBeNull();
    expect(await locks.request("n", { ifAvailable: true, mode: "shared" }, (lock) => lock?.mode)).toBe("shared");
    const exclusive = locks.request("n", () => "later");
    expect(await locks.request("n", { ifAvailable: true, mode: "shared" }, (lock) => lock)).toBeNull();
    first.release();
    expect(await exclusive).toBe("later");
  });
});

describe("an aborted waiter", () => {
  test("leaves the queue behind a live holder, and lets those behind it in", async ({ locks, others, server }) => {
    const first = await hold(others, "n", { mode: "shared" });
    const stop = new AbortController();
    const waiting = locks.request("n", { signal: stop.signal }, never);
    await vi.waitFor(async () => expect((await others.query()).pending).toHaveLength(1), 10_000);
    stop.abort("changed my mind");
    await expect(waiting).rejects.toBe("changed my mind");
    expect((await locks.query()).pending).toEqual([]);
    const queue = () => JSON.parse(server.getObject(BUCKET, "locks/n.json")?.text ?? "{}").queue;
    await vi.waitFor(() => expect(queue()).toEqual([]), 10_000);
    // Nothing is in the way of another sharer any more, while the first one still holds.
    expect(await locks.request("n", { mode: "shared", ifAvailable: true }, (lock) => lock?.mode)).toBe("shared");
    first.release();
    await first.released;
  });

  test("has no effect once the lock is granted", async ({ locks }) => {
    const stop = new AbortController();
    const first = await hold(locks, "n", { signal: stop.signal });
    stop.abort();
    first.release("done");
    expect(await first.released).toBe("done");
  });
});

describe("steal", () => {
  test("reaches a victim in another client at its next renewal, a third of the lease", async ({ locks, others }) => {
    const victim = await hold(others, "n");
    const lost = nameOfError(victim.released);
    const sinceMs = performance.now();
    const thief = await hold(locks, "n", { steal: true });
    expect(await lost).toBe("AbortError");
    expect(performance.now() - sinceMs).toBeLessThan(LEASE_MS / 3 + 3000);
    const { held } = await others.query();
    expect(held).toHaveLength(1);
    thief.release();
    await thief.released;
  });

  test("reaches a victim in the same client at once, and comes before all who wait", async ({ locks, others }) => {
    const victim = await hold(locks, "n");
    const order: string[] = [];
    const waiting = [locks, others].map((client) => client.request("n", async () => void order.push("waiter")));
    await sleep(500);
    const lost = nameOfError(victim.released);
    await locks.request("n", { steal: true }, async () => void order.push("thief"));
    expect(await lost).toBe("AbortError");
    await Promise.all(waiting);
    expect(order).toEqual(["thief", "waiter", "waiter"]);
  });
});

describe("query()", () => {
  test("tells of all clients who holds and who waits, with their ids", async ({ locks, others }) => {
    const first = await hold(locks, "n");
    const waiting = others.request("n", { mode: "shared" }, () => {});
    const own = [locks.request("n", () => {}), locks.request("n", { mode: "shared" }, () => {})];
    await vi.waitFor(async () => expect((await locks.query()).pending).toHaveLength(3), 10_000);
    const { held, pending } = await locks.query();
    const [mine] = held;
    expect(held).toEqual([{ name: "n", mode: "exclusive", clientId: mine?.clientId }]);
    const ofOthers = pending.filter(({ clientId }) => clientId !== mine?.clientId);
    expect(ofOthers).toEqual([{ name: "n", mode: "shared", clientId: expect.any(String) }]);
    const ofMine = pending.filter(({ clientId }) => clientId === mine?.clientId);
    expect(ofMine.map(({ mode }) => mode)).toEqual(["exclusive", "shared"]);
    first.release();
    await Promise.all([waiting, ...own]);
  });

  test("waits until all are in who come in together after a release", async ({ locks, server }) => {
    const first = await hold(locks, "n");
    const sharers = [1, 2, 3].map(() => hold(locks, "n", { mode: "shared" }));
    expect((await locks.query()).pending).toHaveLength(3);
    server.setLatency(({ operation }) => (operation === "PutObject" ? 150 : 0));
    first.release();
    await first.released;
    const { held, pending } = await locks.query();
    expect([held.map(({ mode }) => mode), pending]).toEqual([["shared", "shared", "shared"], []]);
    for (const sharer of sharers) (await sharer).release();
  });

  test("leaves out who is dead, and locks that no Web Lock can have", async ({ locks, server }) => {
    const nowMs = Date.now();
    const record = (expiresAtMs: number) => JSON.stringify(heldRecord({ acquiredAtMs: nowMs - 60_000, expiresAtMs }));
    server.putObject(BUCKET, "locks/dead.json", record(nowMs - 5000));
    server.putObject(BUCKET, "locks/alive.json", record(nowMs + 60_000));
    server.putObject(BUCKET, "locks/-n.json", record(nowMs + 60_000));
    expect(await locks.query()).toEqual({
      held: [{ name: "alive", mode: "exclusive", clientId: "another-owner" }],
      pending: [],
    });
  });
});

describe("names", () => {
  test("are any text: the empty one, lone surrogates, control characters", async ({ locks }) => {
    const names = ["", "\ud800", "\udc00\ud800", "\ufffd", "a\0b", "a/b//c", "x-", "Zoë 🔒"];
    const holds = await Promise.all(names.map((name) => hold(locks, name)));
    const { held } = await locks.query();
    expect(held.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { release } of holds) release();
    await Promise.all(holds.map(({ released }) => released));
  });
});

describe("a lock that is lost before its callback was called", () => {
  /** Keeps the callback waiting by another request of the client, about which the store says nothing yet. */
  async function keptWaiting({ locks, others, server }: Clients) {
    for (const manager of [locks, others]) await manager.request("warm", () => {});
    server.faults.add({ fault: "never-answer", key: "locks/slow.json" });
    const slow = nameOfError(locks.request("slow", () => {}));
    let calls = 0;
    const request = nameOfError(
      locks.request("n", () => {
        calls += 1;
      }),
    );
    await sleep(500);
    return { slow, request, calls: () => calls };
  }

  test("by a steal: AbortError, and the callback is not called while the other one runs", async ({
    locks,
    others,
    server,
  }) => {
    const { slow, request, calls } = await keptWaiting({ locks, others, server });
    const thief = await hold(others, "n", { steal: true });
    expect(await request).toBe("AbortError");
    expect(calls()).toBe(0);
    server.faults.clear();
    await slow;
    thief.release();
    await thief.released;
  });
});

describe("the end", () => {
  test("a lock that cannot be renewed is lost: AbortError, with the reason", async ({ locks, server }) => {
    const first = await hold(locks, "n");
    server.faults.add({ fault: "drop-before" });
    const error: DOMException = await first.released.then(never, (reason) => reason);
    expect(error).toMatchObject({ name: "AbortError", cause: { code: "lost" } });
    server.faults.clear();
  });

  test("P1: closing ends waiters, and gives a lock back when its callback has ended, not before", async ({
    locks,
    others,
  }) => {
    const first = await hold(others, "a");
    const own = await hold(locks, "b");
    const waiting = nameOfError(locks.request("a", never));
    const closing = locks.close();
    expect(await waiting).toBe("AbortError");
    expect(await others.request("b", { ifAvailable: true }, (lock) => lock?.name)).toBeUndefined();
    own.release();
    await closing;
    expect(await others.request("b", { ifAvailable: true }, (lock) => lock?.name)).toBe("b");
    await own.released;
    first.release();
    await first.released;
  });

  test("a callback that outlasts the closing keeps its lock to itself, and its request rejects", async ({
    locks,
    others,
  }) => {
    const own = await hold(locks, "b");
    await locks.close({ graceMs: 100 });
    expect(await others.request("b", { ifAvailable: true }, (lock) => lock?.name)).toBeUndefined();
    own.release();
    expect(await nameOfError(own.released)).toBe("AbortError");
    expect(await nameOfError(locks.request("b", never))).toBe("InvalidStateError");
  });
});

test("D: a structured clone of a manager or a lock is refused with words, as a browser refuses it", async ({
  locks,
}) => {
  expect(() => structuredClone(locks)).toThrow(/a lock manager, which stays in its thread: make one there/);
  await locks.request("x", (lock) => {
    expect(() => structuredClone(lock)).toThrow(/a lock, which stays in its thread: request it there/);
  });
});
