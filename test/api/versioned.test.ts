import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import type { StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, codeOf, errorOf, freeRecord, heldRecord, it, type World } from "./fixture.js";

const LOCK = "job";
const HOUR_MS = 3_600_000;

/** Those on which the conditions of PUTs work. */
const KINDS: readonly [string, StoreQuirks][] = [
  ["AWS", { versioning: "Enabled" }],
  ["AWS, suspended", { versioning: "Suspended" }],
  ["versitygw", { versioning: "Enabled", versionsLike: "versitygw" }],
  ["versitygw, suspended", { versioning: "Suspended", versionsLike: "versitygw" }],
  ["Ceph, suspended", { versioning: "Suspended", versionsLike: "ceph", deleteIgnoresIfMatch: true }],
  ["Ceph, suspended, with conditional deletes", { versioning: "Suspended", versionsLike: "ceph" }],
];

/** Those on which a delete marker counts as an object. */
const COUNTING = KINDS.slice(2);

/** Counts the deletions that were asked for of lock objects; probe objects have keys of their own. */
function deletions(world: World): number {
  return world.server.recentRequests.filter(
    ({ operation, key }) => operation === "DeleteObject" && key?.includes(".s3-mutex/") === false,
  ).length;
}

async function namesIn(world: World): Promise<string[]> {
  const names: string[] = [];
  for await (const { lockName } of world.mutex().list()) names.push(lockName);
  return names;
}

/** Deletes the lock's object as an operator, a script or a lifecycle rule does. */
function deleteByOthers(world: World, versionId?: string) {
  const at = { Bucket: BUCKET, Key: world.key(LOCK), VersionId: versionId };
  return world.client().send(new DeleteObjectCommand(at));
}

describe.concurrent.each(KINDS)("in a bucket with versions, as of %s", (_, quirks) => {
  it("the first deletion of a client leaves a tombstone, and the lock is acquired again", async ({ world }) => {
    world.server.setQuirks(quirks);
    world.put(LOCK, freeRecord(Date.now() - HOUR_MS));
    expect(await world.mutex().deleteLock(LOCK, true)).toBe(true);
    expect(deletions(world)).toBe(0);
    expect(world.record(LOCK)).toMatchObject({ deleted: true, holders: [] });
    expect(await namesIn(world)).toEqual([]);
    const lock = await world.mutex().acquire(LOCK, { timeoutMs: 10_000 });
    expect(await lock.release()).toBe(true);
  });

  it("a cleanup leaves tombstones, counts them once, and writes no second time", async ({ world }) => {
    world.server.setQuirks(quirks);
    for (const name of [LOCK, "other"]) world.put(name, freeRecord(Date.now() - HOUR_MS));
    const mutex = world.mutex();
    const sweep = () => mutex.cleanupStaleLocks({ includeReleased: true });
    expect(await sweep()).toMatchObject({ total: 2, stale: 0, cleaned: 2, unremovable: 0 });
    const written = world.server.requests.byOperation.PutObject;
    expect(await sweep()).toMatchObject({ total: 0, cleaned: 0 });
    world.put(LOCK, { ...freeRecord(Date.now() - HOUR_MS), deleted: true });
    expect(await sweep()).toMatchObject({ total: 0, cleaned: 0 });
    expect(world.server.requests.byOperation.PutObject).toBe(written);
    expect(deletions(world)).toBe(0);
    for (const name of [LOCK, "other"]) await (await mutex.acquire(name, { timeoutMs: 10_000 })).release();
  });

  it("what was done once is forgotten, and done again", async ({ world }) => {
    world.server.setQuirks(quirks);
    const mutex = world.mutex();
    expect(await mutex.runOnce("setup", () => 1)).toEqual({ ran: true, result: 1 });
    expect(await mutex.forget("setup")).toBe(true);
    expect(await mutex.runOnce("setup", () => 2)).toEqual({ ran: true, result: 2 });
    expect(deletions(world)).toBe(0);
    // What is remembered is left on purpose.
    world.server.deleteObject(BUCKET, "once/locks/setup.json");
  });

  it("what is held by force is freed, deleted and acquired", async ({ world }) => {
    world.server.setQuirks(quirks);
    const nowMs = Date.now();
    world.put(LOCK, heldRecord({ acquiredAtMs: nowMs - 1000, expiresAtMs: nowMs + 60_000 }));
    const mutex = world.mutex();
    expect(await mutex.releaseLock(LOCK, true)).toBe(true);
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    await (await mutex.acquire(LOCK, { timeoutMs: 10_000 })).release();
    expect(deletions(world)).toBe(0);
  });
});

describe.concurrent("versitygw with versioning suspended, which no answer but that to a DELETE shows, and whose DELETE is not used", () => {
  it("keeps free locks as free ones, says that they cannot be removed, and they are acquired again", async ({
    world,
  }) => {
    world.server.setQuirks({ versioning: "Suspended", versionsLike: "versitygw" });
    const headers = { server: "VERSITYGW", "x-amz-version-id": () => undefined };
    world.server.faults.add({ fault: "change-headers", headers });
    for (const name of [LOCK, "other"]) world.put(name, freeRecord(Date.now() - HOUR_MS));
    const mutex = world.mutex();
    for (let sweep = 0; sweep < 2; sweep += 1) {
      const report = await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
      expect(report).toMatchObject({ total: 2, stale: 0, cleaned: 0, unremovable: 2 });
    }
    expect(deletions(world)).toBe(0);
    expect(world.record(LOCK)).toMatchObject({ holders: [] });
    expect(await mutex.deleteLock(LOCK, true)).toBe(true);
    for (const name of [LOCK, "other"]) await (await mutex.acquire(name, { timeoutMs: 10_000 })).release();
  });
});

describe.concurrent("versioning that is turned on while a client runs", () => {
  it("is seen in any answer, and ends its deletions", async ({ world }) => {
    const mutex = world.mutex();
    for (const name of ["first", LOCK, "third"]) world.put(name, freeRecord(Date.now() - HOUR_MS));
    await mutex.deleteLock("first", true);
    expect([deletions(world), world.record("first")]).toEqual([1, undefined]);
    world.server.setQuirks({ versioning: "Enabled" });
    await mutex.deleteLock(LOCK, true);
    await mutex.cleanupStaleLocks({ includeReleased: true });
    expect(deletions(world)).toBe(1);
    expect(world.record(LOCK)).toMatchObject({ deleted: true });
    expect(world.record("third")).toMatchObject({ deleted: true });
  });
});

describe.concurrent.each(COUNTING)("a delete marker that counts, as of %s", (_, quirks) => {
  async function stuck(world: World): Promise<string> {
    world.server.setQuirks(quirks);
    await (await world.mutex().acquire(LOCK)).release();
    return (await deleteByOthers(world)).VersionId ?? "";
  }

  it("is named within the caller's time, with the version to remove", async ({ world }) => {
    const versionId = await stuck(world);
    const startedAtMs = performance.now();
    const error = await errorOf(world.mutex().acquire(LOCK, { timeoutMs: 10_000 }));
    expect(performance.now() - startedAtMs).toBeLessThan(11_000);
    expect(error.code).toMatch(/^store-un(safe|available)$/);
    const remedy = `aws s3api delete-object --endpoint-url ${world.server.endpoint} --bucket ${BUCKET} --key locks/job.json --version-id ${versionId}.`;
    expect(error.message).toContain("delete marker");
    expect(error.message).toContain(remedy);
    expect(error.message).not.toContain("cache");
    await deleteByOthers(world, versionId);
    await (await world.mutex().acquire(LOCK, { timeoutMs: 10_000 })).release();
  });

  it("is not a lock: a deletion by force says that there is none, and acquire still says what to remove", async ({
    world,
  }) => {
    const versionId = await stuck(world);
    expect(await world.mutex().deleteLock(LOCK, true)).toBe(true);
    expect(await world.mutex().deleteLock(LOCK)).toBe(false);
    expect(deletions(world)).toBe(1);
    expect(world.server.requests.byOperation.PutObject).toBeLessThan(10);
    const error = await errorOf(world.mutex().acquire(LOCK));
    expect(error.message).toContain(`--key locks/job.json --version-id ${versionId}.`);
  });

  it("is named without its version where the store does not let us list them", async ({ world }) => {
    await stuck(world);
    world.server.setQuirks({ ...quirks, deny: ["ListObjectVersions"] });
    const error = await errorOf(world.mutex().acquire(LOCK));
    expect(error.code).toBe("store-unsafe");
    expect(error.message).toMatch(
      /delete marker.*aws s3api list-object-versions --endpoint-url http:\S+ --bucket \S+ --prefix locks\/job\.json.*--version-id ID/,
    );
  });

  it("is named where it is in place of a fenced object", async ({ world }) => {
    world.server.setQuirks(quirks);
    const lock = await world.mutex().acquire(LOCK);
    await lock.fencedObject<string>({ key: "state" }).then((state) => state.write("one"));
    const { VersionId = "" } = await world.client().send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "state" }));
    await lock.release();
    const next = await world.mutex().acquire(LOCK);
    const error = await errorOf(Promise.resolve(next.fencedObject<string>({ key: "state" })).then((o) => o.read()));
    expect(error.code).toMatch(/^store-un/);
    expect(error.message).toContain(
      `--endpoint-url ${world.server.endpoint} --bucket ${BUCKET} --key state --version-id ${VersionId}.`,
    );
    await next.release();
  });

  it("of everything under the prefix keeps no caller from locks that were never there", async ({ world }) => {
    world.server.setQuirks(quirks);
    await (await world.mutex().acquire(LOCK)).release();
    for (const { key: Key } of world.server.objects(BUCKET)) {
      await world.client().send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    }
    await (await world.mutex().acquire("fresh", { timeoutMs: 10_000 })).release();
    expect((await errorOf(world.mutex().acquire(LOCK))).message).toContain("--key locks/job.json --version-id");
  });

  it("does not keep a caller beyond its time where versions are listed slowly", async ({ world }) => {
    await stuck(world);
    world.server.faults.add({ fault: "never-answer", operation: "ListObjectVersions" });
    const startedAtMs = performance.now();
    const error = await errorOf(world.mutex().acquire(LOCK, { timeoutMs: 4000 }));
    expect(performance.now() - startedAtMs).toBeLessThan(8000);
    expect(error.message).toContain("delete marker");
  });

  it("ends every call that has to write", async ({ world }) => {
    await stuck(world);
    const mutex = world.mutex();
    expect(await codeOf(mutex.acquireLock(LOCK))).toMatch(/^store-un/);
    expect(await codeOf(mutex.tryAcquire(LOCK))).toMatch(/^store-un/);
    expect(await codeOf(mutex.withLock(LOCK, async () => {}))).toMatch(/^store-un/);
  });
});

describe.concurrent("where there is no delete marker", () => {
  it("a store that contradicts itself about absence reads out of a cache, and the error says so", async ({ world }) => {
    world.server.setQuirks({ staleReadMs: 60_000 });
    await (await world.mutex().acquire("another")).release();
    world.put(LOCK, freeRecord(Date.now() - HOUR_MS));
    world.leaves(LOCK);
    const error = await errorOf(world.mutex().acquire(LOCK));
    expect(error.code).toBe("store-unsafe");
    expect(error.message).toMatch(/list of versions shows the object.*cache/);
    expect(error.message).not.toContain("delete-object");
  });

  it("versions are not asked for on account of a race", async ({ world }) => {
    const mutexes = Array.from({ length: 4 }, () => world.mutex());
    await Promise.all(mutexes.map((mutex) => mutex.withLock(LOCK, async () => {})));
    expect(world.server.requests.byOperation.ListObjectVersions).toBe(0);
  });
});
