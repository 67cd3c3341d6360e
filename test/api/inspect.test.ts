import { describe, expect } from "vitest";
import type { ListProgress, LockReport, LocksView } from "../../src/index.js";
import { IN_FULL } from "../scale.js";
import { BUCKET, codeOf, freeRecord, heldRecord, it, until, type World } from "./fixture.js";

async function all(reports: AsyncIterable<LockReport>): Promise<LockReport[]> {
  const list: LockReport[] = [];
  for await (const report of reports) list.push(report);
  return list;
}

function states(reports: readonly LockReport[]): Record<string, string> {
  return Object.fromEntries(reports.map(({ lockName, state }) => [lockName, state]));
}

/** Gives views one by one, the next at each call. */
function viewsOf(watched: AsyncIterable<LocksView>): () => Promise<LocksView> {
  const iterator = watched[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    if (done) throw new Error("there are no more views");
    return value;
  };
}

function plant(world: World, lockNames: readonly string[]): void {
  for (const name of lockNames) world.put(name, freeRecord(Date.now() - 1000));
}

/** As S3 has it, or what is sooner read; `+ 203` is a second page. */
const PAGE_SIZE = IN_FULL ? 1000 : 250;

describe.concurrent("inspect", () => {
  it("says nothing about a lock that was never taken, nor about a deleted one", async ({ world }) => {
    const mutex = world.mutex();
    expect(await mutex.inspect("lock")).toBeNull();
    await mutex.acquireLock("lock");
    await mutex.deleteLock("lock");
    expect(await mutex.inspect("lock")).toBeNull();
  });

  it("says who holds, who waits in which order, and how the last turns ended", async ({ world }) => {
    const first = world.mutex({ ownerId: "first", label: "import" });
    await (await first.acquire("lock")).release();
    const lock = await first.acquire("lock", { priority: 3, leaseMs: 30_000 });
    const giveUp = new AbortController();
    const waits = [
      world.mutex({ ownerId: "late" }).acquire("lock", { signal: giveUp.signal }),
      world.mutex({ ownerId: "urgent" }).acquire("lock", { signal: giveUp.signal, priority: 9 }),
    ];
    for (const wait of waits) wait.catch(() => {});
    await until(() => world.record("lock")?.queue.length === 2);
    const report = await world.mutex().inspect("lock");
    expect(report).toMatchObject({
      lockName: "lock",
      key: "locks/lock.json",
      state: "held",
      fencingToken: lock.fencingToken,
      limit: 1,
      holders: [
        {
          owner: "first",
          label: "import",
          pid: process.pid,
          via: "handle",
          mode: "exclusive",
          priority: 3,
          leaseMs: 30_000,
        },
      ],
      waiters: [
        { position: 0, owner: "urgent", priority: 9, holds: [] },
        { position: 1, owner: "late", priority: 0 },
      ],
      recentTurns: [{ owner: "first", ended: "released" }],
    });
    const holder = report?.holders[0];
    expect(holder?.fencingToken).toBe(lock.fencingToken);
    expect(holder?.leaseLeftMs).toBeGreaterThan(15_000);
    expect(holder?.leaseLeftMs).toBeLessThanOrEqual(31_000);
    expect(holder?.heldMs).toBeLessThan(15_000);
    giveUp.abort();
    await Promise.allSettled(waits);
    await lock.release();
    expect(await first.inspect("lock")).toMatchObject({ state: "free", holders: [] });
    await until(async () => (await first.inspect("lock"))?.waiters.length === 0);
  });

  it("tells a lease that has ended from one that has not", async ({ world }) => {
    const expiresAtMs = Date.now() - 5000;
    world.put("lock", heldRecord({ acquiredAtMs: expiresAtMs - 60_000, expiresAtMs }));
    world.leaves("lock");
    const report = await world.mutex().inspect("lock");
    expect(report).toMatchObject({ state: "expired", holders: [{ owner: "another-owner" }] });
    expect(report?.holders[0]?.leaseLeftMs).toBeLessThan(0);
  });

  it("judges by the clock of the store, not by the one of this machine", async ({ world }) => {
    world.server.setClockOffset(3_600_000);
    const acquiredAtMs = Date.now() + 3_600_000;
    world.put("lock", heldRecord({ acquiredAtMs, expiresAtMs: acquiredAtMs + 60_000 }));
    world.leaves("lock");
    const [holder] = (await world.mutex().inspect("lock"))?.holders ?? [];
    expect(holder?.leaseLeftMs).toBeGreaterThan(50_000);
    expect(holder?.leaseLeftMs).toBeLessThan(62_000);
  });

  it("reports an object that is not a lock as such, and throws when the store is the problem", async ({ world }) => {
    world.put("lock", "not JSON");
    world.leaves("lock");
    const mutex = world.mutex();
    expect(await mutex.inspect("lock")).toMatchObject({ state: "unreadable", problem: { code: "corrupt-record" } });
    expect(JSON.parse(JSON.stringify(await mutex.inspect("lock"))).problem.message).toContain("not JSON");
    world.server.faults.add({ fault: "status", status: 403, operation: "GetObject" });
    expect(await codeOf(mutex.inspect("lock"))).toBe("access-denied");
    await mutex.close();
    expect(await codeOf(mutex.inspect("lock"))).toBe("closed");
  });
});

describe.concurrent("list", () => {
  it("reports every lock once, in the order of the keys, and nothing else that lies there", async ({ world }) => {
    world.put("b", freeRecord(Date.now()));
    world.put("a", heldRecord({ acquiredAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 }));
    world.put("team/c", "{");
    world.put("gone", { ...freeRecord(Date.now()), deleted: true });
    world.server.putObject(BUCKET, "locks/read.me", "no lock");
    world.leaves("a", "team/c");
    const reports = await all(world.mutex().list());
    expect(reports.map(({ lockName }) => lockName)).toEqual(["a", "b", "team/c"]);
    expect(states(reports)).toEqual({ a: "held", b: "free", "team/c": "unreadable" });
  });

  it("takes a beginning of names, whatever characters it ends with", async ({ world }) => {
    plant(world, ["team/a", "team/b", "teams", "team.x", "team//y", "/team"]);
    const mutex = world.mutex();
    const namesOf = async (prefix: string) =>
      (await all(mutex.list({ prefix }))).map(({ lockName }) => lockName).sort();
    expect(await namesOf("team/")).toEqual(["team//y", "team/a", "team/b"]);
    expect(await namesOf("team")).toEqual(["team.x", "team//y", "team/a", "team/b", "teams"]);
    expect(await namesOf("team.")).toEqual(["team.x"]);
    expect(await namesOf("none")).toEqual([]);
  });

  it("goes on when one object cannot be read", async ({ world }) => {
    plant(world, ["a", "b", "c"]);
    world.server.faults.add({ fault: "status", status: 403, operation: "GetObject", key: "locks/b.json" });
    const reports = await all(world.mutex().list());
    expect(states(reports)).toEqual({ a: "free", b: "unreadable", c: "free" });
    expect(reports[1]?.problem).toMatchObject({ code: "access-denied" });
  });

  it("asks again when the store does not answer", async ({ world }) => {
    plant(world, ["a", "b"]);
    world.server.faults.add({ fault: "drop-before", times: 3 });
    expect(states(await all(world.mutex().list()))).toEqual({ a: "free", b: "free" });
  });

  it("ends when it is aborted, when the mutex is closed, and when the loop is left", async ({ world }) => {
    plant(world, ["a", "b"]);
    const mutex = world.mutex();
    expect(await codeOf(all(mutex.list({ signal: AbortSignal.abort() })))).toBe("aborted");
    for await (const report of mutex.list()) {
      expect(report.lockName).toBe("a");
      break;
    }
    const reports = mutex.list();
    await mutex.close();
    expect(await codeOf(all(reports))).toBe("closed");
    expect(() => mutex.list()).toThrowError(expect.objectContaining({ code: "closed" }));
  });

  it("throws what concerns all of them", async ({ world }) => {
    expect(await codeOf(all(world.mutex({ bucketName: "no-bucket" }).list()))).toBe("no-such-bucket");
  });
});

// By itself: a read that waits behind those of other tests for longer than it may take is sent again, and counted.
describe("a list of more locks than a page has", () => {
  it.override("pageSize", PAGE_SIZE);

  it("tells how far it is, across pages, and reads no more than it must", async ({ world }) => {
    const count = PAGE_SIZE + 203;
    const names = Array.from({ length: count }, (_, index) => `lock-${index}`);
    plant(world, names);
    const steps: ListProgress[] = [];
    const mutex = world.mutex();
    const reports = await all(mutex.list({ onProgress: (progress) => steps.push(progress) }));
    expect(reports).toHaveLength(count);
    expect(steps[0]).toEqual({ found: PAGE_SIZE, read: 0, isComplete: false });
    expect(steps.at(-1)).toEqual({ found: count, read: count, isComplete: true });
    expect(world.server.requests.byOperation).toMatchObject({ ListObjectsV2: 2, GetObject: count });
  });
});

describe.concurrent("watch", () => {
  it("reads what has changed, and nothing else", async ({ world }) => {
    plant(
      world,
      Array.from({ length: 50 }, (_, index) => `lock-${index}`),
    );
    const mutex = world.mutex();
    const next = viewsOf(world.mutex().watch({ intervalMs: 0 }));
    const first = await next();
    expect(first.locks).toHaveLength(50);
    expect(first.changed).toHaveLength(50);
    expect(first.requests).toEqual({ list: 1, get: 50 });
    expect(await next()).toMatchObject({ changed: [], removed: [], requests: { list: 2, get: 50 } });
    const lock = await mutex.acquire("lock-7");
    const third = await next();
    expect(third).toMatchObject({ changed: ["lock-7"], removed: [], requests: { list: 3, get: 51 } });
    expect(states(third.locks)["lock-7"]).toBe("held");
    await lock.release();
    world.server.deleteObject(BUCKET, world.key("lock-8"));
    const fourth = await next();
    expect(fourth).toMatchObject({ changed: ["lock-7"], removed: ["lock-8"] });
    expect(fourth.locks).toHaveLength(49);
  });

  it("lets time pass for locks that were not read again", async ({ world }) => {
    world.put("lock", heldRecord({ acquiredAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 }));
    world.leaves("lock");
    const next = viewsOf(world.mutex().watch({ intervalMs: 200 }));
    const leftMs = async () => (await next()).locks[0]?.holders[0]?.leaseLeftMs ?? Number.NaN;
    const before = await leftMs();
    expect(await leftMs()).toBeLessThan(before - 90);
    expect(world.server.requests.byOperation.GetObject).toBe(1);
  });

  it("goes on through failures of the store, and misses nothing that changed meanwhile", async ({ world }) => {
    plant(world, ["a", "b"]);
    const next = viewsOf(world.mutex().watch({ intervalMs: 0 }));
    await next();
    const fault = world.server.faults.add({ fault: "status", status: 403, operation: "ListObjectsV2" });
    const failed = await next();
    expect(failed.error?.code).toBe("access-denied");
    expect(states(failed.locks)).toEqual({ a: "free", b: "free" });
    fault.remove();
    world.put("b", heldRecord({ acquiredAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 }));
    world.leaves("b");
    const after = await next();
    expect(after).toMatchObject({ changed: ["b"] });
    expect(after.error).toBeUndefined();
  });

  it("throws when the first poll fails", async ({ world }) => {
    const next = viewsOf(world.mutex({ bucketName: "no-bucket" }).watch());
    expect(await codeOf(next())).toBe("no-such-bucket");
  });

  it("tries again what it could not read, and ends with its signal or the mutex", async ({ world }) => {
    plant(world, ["a", "b"]);
    const fault = world.server.faults.add({
      fault: "status",
      status: 403,
      operation: "GetObject",
      key: "locks/a.json",
    });
    const mutex = world.mutex();
    const end = new AbortController();
    const views = mutex.watch({ intervalMs: 0, signal: end.signal })[Symbol.asyncIterator]();
    expect(states((await views.next()).value.locks)).toEqual({ a: "unreadable", b: "free" });
    fault.remove();
    expect(states((await views.next()).value.locks)).toEqual({ a: "free", b: "free" });
    end.abort();
    expect((await views.next()).done).toBe(true);
    const others = mutex.watch()[Symbol.asyncIterator]();
    await others.next();
    await mutex.close();
    expect((await others.next()).done).toBe(true);
  });
});
