import { describe, expect } from "vitest";
import { IN_FULL } from "../scale.js";
import { BUCKET, freeRecord, heldRecord, it, type StoredRecord, sleep, until, type World } from "./fixture.js";
import { inVirtualTime } from "./virtual-world.js";

const HOUR_MS = 3_600_000;

/** Makes a record that ended a while ago: neither tolerance nor the width of the clock bounds matters. */
function stale(agoMs = 60_000): StoredRecord {
  const expiresAtMs = Date.now() - agoMs;
  return heldRecord({ acquiredAtMs: expiresAtMs - 60_000, expiresAtMs });
}

function live(acquiredAgoMs = 1000): StoredRecord {
  const now = Date.now();
  return heldRecord({ acquiredAtMs: now - acquiredAgoMs, renewedAtMs: now, expiresAtMs: now + 60_000 });
}

const stateOf = (world: World): string[] => world.server.objects(BUCKET).map(({ key, etag }) => `${key} ${etag}`);

describe.concurrent("cleanupStaleLocks", () => {
  it("of an empty bucket finds nothing", async ({ world }) => {
    expect(await world.mutex().cleanupStaleLocks()).toEqual({
      total: 0,
      stale: 0,
      cleaned: 0,
      unreadable: [],
      unremovable: 0,
    });
  });

  it("frees leases that have ended, and no others", async ({ world }) => {
    const mutex = world.mutex({ clockSkewToleranceMs: 0 });
    world.put("stale-1", stale());
    world.put("stale-2", stale(50));
    world.put("live", live());
    world.put("free", freeRecord(Date.now() - 1000));
    await mutex.acquireLock("ours");
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 5, stale: 2, cleaned: 2, unreadable: [] });
    expect(world.record("stale-1")).toMatchObject({ locked: false, holders: [] });
    expect(world.record("stale-2")).toMatchObject({ locked: false, holders: [] });
    expect(world.record("live")).toMatchObject({ locked: true });
    expect(await mutex.isOwnedByUs("ours")).toBe(true);
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 5, stale: 0, cleaned: 0 });
    expect(await mutex.acquireLock("stale-1")).toBe(true);
    await mutex.releaseLock("stale-1");
    await mutex.releaseLock("ours");
    world.leaves("live");
  });

  it("never frees one that is alive, however long ago it was first acquired", async ({ world }) => {
    world.put("old", live(1000 * HOUR_MS));
    const report = await world.mutex().cleanupStaleLocks({ olderThan: Date.now() + HOUR_MS });
    expect(report).toMatchObject({ total: 1, stale: 0, cleaned: 0 });
    expect(world.record("old")?.holders).toHaveLength(1);
    world.leaves("old");
  });

  it(
    "needs no tolerance itself, but keeps it towards the next holder",
    inVirtualTime(async (world) => {
      const mutex = world.mutex({ clockSkewToleranceMs: 700 });
      await mutex.isLocked("lock");
      const expiresAtMs = world.nowMs - 30;
      world.put("lock", heldRecord({ acquiredAtMs: expiresAtMs - 60_000, expiresAtMs }));
      expect(await mutex.cleanupStaleLocks()).toMatchObject({ stale: 1, cleaned: 1 });
      expect(await mutex.isLocked("lock")).toBe(false);
      expect(await mutex.acquireLock("lock", 0)).toBe(false);
      expect(await mutex.acquireLock("lock", 5000)).toBe(true);
      expect(world.holder("lock").acquiredAtMs).toBeGreaterThan(expiresAtMs + 700);
      await mutex.releaseLock("lock");
    }),
  );

  it("with olderThan frees only leases last renewed before that", async ({ world }) => {
    const now = Date.now();
    const ended = (renewedAgoMs: number) =>
      heldRecord({
        acquiredAtMs: now - 9 * HOUR_MS,
        renewedAtMs: now - renewedAgoMs,
        expiresAtMs: now - renewedAgoMs + 60_000,
      });
    world.put("renewed-3-hours-ago", ended(3 * HOUR_MS));
    world.put("renewed-1-hour-ago", ended(HOUR_MS));
    const report = await world.mutex().cleanupStaleLocks({ olderThan: now - 2 * HOUR_MS });
    expect(report).toMatchObject({ total: 2, stale: 1, cleaned: 1 });
    expect(world.record("renewed-3-hours-ago")?.holders).toEqual([]);
    expect(world.record("renewed-1-hour-ago")?.holders).toHaveLength(1);
    expect(await world.mutex().cleanupStaleLocks({ olderThan: 0 })).toMatchObject({ total: 2, stale: 0 });
    world.leaves("renewed-1-hour-ago");
  });

  it("with prefix looks at nothing else", async ({ world }) => {
    for (const name of ["myapp/a", "myapp/b", "myapp2", "other"]) world.put(name, stale());
    const mutex = world.mutex();
    expect(await mutex.cleanupStaleLocks({ prefix: "locks/myapp/" })).toMatchObject({ total: 2, stale: 2, cleaned: 2 });
    expect(world.record("myapp2")?.holders).toHaveLength(1);
    expect(await mutex.cleanupStaleLocks({ prefix: "locks/nothing" })).toMatchObject({ total: 0 });
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: 4, stale: 2, cleaned: 2 });
  });

  it("leaves locks of other prefixes alone, and objects that are not locks", async ({ world }) => {
    world.server.putObject(BUCKET, "else/lock.json", JSON.stringify(stale()));
    world.server.putObject(BUCKET, "locks/readme.txt", "not a lock");
    world.server.putObject(BUCKET, "locks/UPPER CASE.json", "not a key of a lock");
    const before = stateOf(world);
    expect(await world.mutex().cleanupStaleLocks({ includeReleased: true, restMs: 0 })).toMatchObject({ total: 0 });
    expect(stateOf(world)).toEqual(before);
    for (const { key } of world.server.objects(BUCKET)) world.server.deleteObject(BUCKET, key);
  });

  it("in a dry run reports the same and changes nothing", async ({ world }) => {
    world.put("stale", stale());
    world.put("live", live());
    world.put("free", freeRecord(Date.now() - HOUR_MS));
    world.put("corrupt", "{");
    const before = stateOf(world);
    const mutex = world.mutex();
    const report = await mutex.cleanupStaleLocks({ dryRun: true, includeReleased: true, restMs: 0 });
    expect(report).toMatchObject({ total: 4, stale: 1, cleaned: 0 });
    expect(report.unreadable).toHaveLength(1);
    expect(stateOf(world)).toEqual(before);
    const { PutObject, DeleteObject, DeleteObjects } = world.server.requests.byOperation;
    expect(PutObject + DeleteObject + DeleteObjects).toBe(0);
    world.leaves("stale", "live", "corrupt");
  });

  it("removes what was released a moment ago, also where this machine's clock is another than the store's", async ({
    world,
  }) => {
    world.server.setClockOffset(60_000);
    const mutex = world.mutex();
    for (const name of ["first", "second"]) await (await mutex.acquire(name)).release();
    const run = { includeReleased: true, restMs: 0 };
    const startedAtMs = performance.now();
    expect(await mutex.cleanupStaleLocks({ ...run, dryRun: true })).toMatchObject({ total: 2, cleaned: 0 });
    expect(await mutex.cleanupStaleLocks(run)).toMatchObject({ total: 2, cleaned: 2 });
    expect(performance.now() - startedAtMs).toBeLessThan(8000);
  });

  it("counts and reports those that it cannot read, and goes on", async ({ world }) => {
    world.put("a-stale", stale());
    world.put("b-garbage", "garbage");
    world.put("c-newer", { schema: 99 });
    world.put("d-empty", "");
    world.put("e-stale", stale());
    const report = await world.mutex().cleanupStaleLocks();
    expect(report).toMatchObject({ total: 5, stale: 2, cleaned: 2 });
    const found = report.unreadable.map(({ key, error }) => [key, error.code, error.message.includes(key)]);
    expect(found.toSorted()).toEqual([
      ["locks/b-garbage.json", "corrupt-record", true],
      ["locks/c-newer.json", "newer-schema", true],
      ["locks/d-empty.json", "corrupt-record", true],
    ]);
    world.leaves("b-garbage", "c-newer", "d-empty");
  });

  it("survives a listing and a read that fail once", async ({ world }) => {
    world.put("stale", stale());
    world.server.faults.add({ fault: "drop-before", operation: "ListObjectsV2", times: 1 });
    world.server.faults.add({ fault: "status", status: 500, operation: "GetObject", times: 1 });
    world.server.faults.add({ fault: "lose-response", operation: "PutObject", times: 1 });
    const report = await world.mutex().cleanupStaleLocks();
    expect(report).toMatchObject({ total: 1 });
    expect(world.record("stale")?.holders).toEqual([]);
  });

  it("counts what it freed although the answer to that was lost", async ({ world }) => {
    world.put("stale", stale());
    world.server.faults.add({ fault: "lose-response", operation: "PutObject", times: 1 });
    expect(await world.mutex().cleanupStaleLocks()).toMatchObject({ total: 1, stale: 1, cleaned: 1 });
  });

  it("leaves one that is taken while it looks", async ({ world }) => {
    const [cleaner, other] = [world.mutex(), world.mutex({ clockSkewToleranceMs: 0 })];
    await other.isLocked("lock");
    world.put("lock", stale());
    // The cleaner's write is under way when the other one's lands.
    const slow = world.server.faults.add({ fault: "latency", beforeMs: 1500, operation: "PutObject", times: 1 });
    const cleaning = cleaner.cleanupStaleLocks();
    await until(() => slow.hits === 1);
    expect(await other.acquireLock("lock", 0)).toBe(true);
    expect(await cleaning).toMatchObject({ total: 1, stale: 0, cleaned: 0 });
    expect(await other.isOwnedByUs("lock")).toBe(true);
    expect(await other.releaseLock("lock")).toBe(true);
  });

  it("keeps waiters waiting, who get what it freed", async ({ world }) => {
    const waiter = world.mutex({ clockSkewToleranceMs: 2000 });
    world.put("lock", stale(500));
    const waiting = waiter.acquireLock("lock", 20_000);
    await until(() => world.record("lock")?.queue.length === 1);
    const report = await world.mutex({ clockSkewToleranceMs: 0 }).cleanupStaleLocks();
    expect(report).toMatchObject({ stale: 1, cleaned: 1 });
    expect(await waiting).toBe(true);
    await waiter.releaseLock("lock");
  });

  it(
    "tells a holder whose lease it freed that the lock is lost",
    inVirtualTime(async (world) => {
      const holder = world.mutex({ lockTimeoutMs: 900 });
      await holder.acquireLock("lock");
      await world.until(() => world.nowMs > world.holder("lock").expiresAtMs);
      const cleaner = world.mutex();
      await cleaner.isLocked("lock");
      expect(await cleaner.cleanupStaleLocks()).toMatchObject({ stale: 1, cleaned: 1 });
      expect(await holder.refreshLock("lock")).toBe(false);
      expect(await holder.releaseLock("lock")).toBe(false);
    }),
  );
});

describe.concurrent("includeReleased", () => {
  it("prunes free locks that have been at rest long enough", async ({ world }) => {
    world.put("old", freeRecord(Date.now() - 21 * 60_000));
    world.put("young", freeRecord(Date.now() - 19 * 60_000));
    world.put("live", live());
    const mutex = world.mutex();
    expect(await mutex.cleanupStaleLocks({ includeReleased: true })).toMatchObject({ total: 3, stale: 0, cleaned: 1 });
    expect(world.server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/live.json", "locks/young.json"]);
    const report = await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
    expect(report).toMatchObject({ total: 2, stale: 0, cleaned: 1, unremovable: 0 });
    expect(world.server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/live.json"]);
    world.leaves("live");
  });

  it("prunes what this process used a moment ago, and tokens grow all the same", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock("lock");
    const { token } = world.holder("lock");
    await mutex.releaseLock("lock");
    await sleep(5);
    const report = await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
    expect(report).toMatchObject({ total: 1, cleaned: 1 });
    expect(world.server.objects(BUCKET)).toEqual([]);
    expect(await mutex.acquireLock("lock")).toBe(true);
    expect(world.holder("lock").token).toBeGreaterThan(token);
    await mutex.releaseLock("lock");
  });

  it("prunes what deleteLock left", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock("lock");
    await mutex.deleteLock("lock");
    await sleep(5);
    await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
    expect(world.server.objects(BUCKET)).toEqual([]);
  });

  it("is off unless asked for", async ({ world }) => {
    world.put("old", freeRecord(Date.now() - HOUR_MS));
    expect(await world.mutex().cleanupStaleLocks({ restMs: 0 })).toMatchObject({ total: 1, cleaned: 0 });
    expect(world.record("old")).toBeDefined();
  });

  it.for([{ deleteIgnoresIfMatch: true }, { deleteIfMatchUnsupported: true }])(
    "keeps free locks on a store with %j, and says so",
    async (quirks, { world }) => {
      world.server.setQuirks(quirks);
      for (let index = 0; index < 20; index += 1) world.put(`free-${index}`, freeRecord(Date.now() - HOUR_MS));
      world.put("stale", stale());
      const report = await world.mutex().cleanupStaleLocks({ includeReleased: true, restMs: 0 });
      expect(report).toMatchObject({ total: 21, stale: 1, cleaned: 1, unremovable: 20, unreadable: [] });
      expect(world.server.objects(BUCKET)).toHaveLength(21);
    },
  );

  it("keeps free locks where DELETE is denied, leaves nothing of its own, and deleteLock leaves a tombstone", async ({
    world,
  }) => {
    world.server.setQuirks({ deny: ["DeleteObject"] });
    for (let index = 0; index < 20; index += 1) world.put(`free-${index}`, freeRecord(Date.now() - HOUR_MS));
    const mutex = world.mutex();
    for (let run = 1; run <= 2; run += 1) {
      const report = await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
      expect(report).toMatchObject({ total: 20, cleaned: 0, unremovable: 20, unreadable: [] });
    }
    expect(await mutex.deleteLock("free-0", true)).toBe(true);
    expect(await mutex.inspect("free-0")).toBeNull();
    expect(world.server.objects(BUCKET)).toHaveLength(20);
    expect(await mutex.acquireLock("free-0")).toBe(true);
    await mutex.releaseLock("free-0");
  });

  it("does not remove one that is taken meanwhile", async ({ world }) => {
    const [cleaner, other] = [world.mutex(), world.mutex()];
    world.put("probed", freeRecord(Date.now() - HOUR_MS));
    await cleaner.cleanupStaleLocks({ includeReleased: true });
    world.put("lock", freeRecord(Date.now() - HOUR_MS));
    const slow = world.server.faults.add({ fault: "latency", beforeMs: 1500, operation: "DeleteObject", times: 1 });
    const cleaning = cleaner.cleanupStaleLocks({ includeReleased: true });
    await until(() => slow.hits === 1);
    expect(await other.acquireLock("lock")).toBe(true);
    expect(await cleaning).toMatchObject({ total: 1, cleaned: 0 });
    expect(await other.releaseLock("lock")).toBe(true);
  });
});

/** So many times the locks and the keys of a page that `npm test` has. */
const TIMES = IN_FULL ? 10 : 1;

describe("more locks than a page has", () => {
  it.override("pageSize", 100 * TIMES);

  it("are listed page by page and read with bounded concurrency", { timeout: 120_000 }, async ({ world }) => {
    const bodies = [stale(), live(), freeRecord(Date.now() - 1000)].map((record) => JSON.stringify(record));
    const put = (index: number, body: string) => {
      const name = `lock-${String(index).padStart(4, "0")}`;
      world.server.putObject(BUCKET, world.key(name), body);
      world.leaves(name);
    };
    for (let index = 0; index < 150 * TIMES; index += 1) put(index, bodies[index % 3] as string);
    for (let index = 0; index < 150 * TIMES; index += 10 * TIMES) put(index, "unreadable");
    let reading = 0;
    let most = 0;
    world.server.setLatency((request) => {
      if (request.operation !== "GetObject") return 0;
      reading += 1;
      most = Math.max(most, reading);
      return 4;
    });
    world.server.onRequest(({ operation }) => {
      if (operation === "GetObject") reading -= 1;
    });
    const report = await world.mutex().cleanupStaleLocks();
    expect(report).toMatchObject({
      total: 150 * TIMES,
      stale: 50 * TIMES - 5,
      cleaned: 50 * TIMES - 5,
      unremovable: 0,
    });
    expect(report.unreadable).toHaveLength(15);
    expect(world.server.requests.byOperation.ListObjectsV2).toBe(2);
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(50);
    const states = world.server.objects(BUCKET).map(({ text }) => /"locked":(true|false)/.exec(text)?.[1]);
    expect(states.filter((locked) => locked === "true")).toHaveLength(50 * TIMES - 5);
  });
});
