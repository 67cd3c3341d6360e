import { describe, expect } from "vitest";
import { BUCKET, codeOf, errorOf, it } from "./fixture.js";

const NAMES = [
  "plain",
  "PLAIN",
  "with/slash",
  "with_slash",
  "with.slash",
  "with slash",
  "with%2Fslash",
  "/leading",
  "trailing/",
  "double//slash",
  "a/../b",
  "b",
  ".",
  "..",
  "../..",
  "./a",
  " ",
  "  ",
  "\t",
  "\n",
  "\0",
  "+",
  "a+b",
  "a b",
  "a%20b",
  "a&b=c?d#e",
  "\\",
  "quote\"'`",
  "<xml>&amp;",
  "emoji \u{1F512}",
  "e\u0301",
  "\u00e9",
  "\ud83d",
  "\udd12",
  "\ud83d\ud83d",
  "\ufffd",
  "\ufeff",
  "\u202e",
  "name.json",
  "name",
  ".2e",
  ".s3-mutex/probe-1",
  "x".repeat(300),
  `${"x".repeat(299)}y`,
  "__proto__",
  "constructor",
];

describe.concurrent("lock names", () => {
  it("that differ are different locks, and list back to themselves", async ({ world }) => {
    const mutex = world.mutex();
    const taken = await Promise.all(NAMES.map((name) => mutex.acquireLock(name, 0)));
    expect(NAMES.filter((_, index) => !taken[index])).toEqual([]);
    expect(world.server.objects(BUCKET)).toHaveLength(NAMES.length);
    expect(await mutex.cleanupStaleLocks()).toMatchObject({ total: NAMES.length, stale: 0 });
    for (const { key } of world.server.objects(BUCKET)) expect(key).toMatch(/^locks\/[\w./-]+\.json$/);

    // Released one by one: each ends its own hold and no other.
    const other = world.mutex();
    for (const [index, name] of NAMES.entries()) {
      expect(await mutex.releaseLock(name), JSON.stringify(name)).toBe(true);
      expect(await other.isLocked(name), JSON.stringify(name)).toBe(false);
      const next = NAMES[index + 1];
      if (next !== undefined) expect(await other.isLocked(next), JSON.stringify(next)).toBe(true);
    }
  });

  it("are the same lock for every instance, and for handles", async ({ world }) => {
    const [mutex, other] = [world.mutex(), world.mutex()];
    for (const name of ["a/../b", "emoji \u{1F512}", "\ud83d", "with slash", "x".repeat(300)]) {
      const lock = await mutex.acquire(name);
      expect(lock.name).toBe(name);
      expect(await other.isLocked(name)).toBe(true);
      expect(await other.tryAcquire(name)).toBeNull();
      await lock.release();
    }
  });

  it("of letters, digits, - and _ have the key of 1.x, and slashes stand for themselves", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock("Order-4711_a");
    await mutex.acquireLock("myapp/import");
    const keys = world.server.objects(BUCKET).map(({ key }) => key);
    expect(keys).toEqual(["locks/Order-4711_a.json", "locks/myapp/import.json"]);
    await mutex.releaseLock("Order-4711_a");
    await mutex.releaseLock("myapp/import");
  });
});

const HELD_BY_1X = { locked: true, owner: "a", acquiredAt: 1, expiresAt: 2, priority: 0 };
const CORRUPT: ReadonlyArray<readonly [string, string | Uint8Array]> = [
  ["garbage", "garbage"],
  ["an empty body", ""],
  ["blanks", "  \n"],
  ["half a record", '{"locked":true,"schema":3,"wri'],
  ["5 MB", "x".repeat(5 * 1024 * 1024)],
  ["5 MB of JSON", JSON.stringify({ ...HELD_BY_1X, filler: "x".repeat(5 * 1024 * 1024) })],
  ["null", "null"],
  ["a number", "42"],
  ["a list", "[]"],
  ["a text", '"locked"'],
  ["an empty object", "{}"],
  ["JSON of another shape", '{"users":[{"name":"Ann"}]}'],
  ["a schema that is a text", '{"schema":"3"}'],
  ["a negative schema", '{"schema":-1}'],
  ["our schema and nothing else", '{"schema":3}'],
  ["our schema with wrong holders", '{"schema":3,"writeId":"w","token":1,"holders":{},"queue":[],"recent":[]}'],
  ["1.x with another field", JSON.stringify({ ...HELD_BY_1X, version: 2 })],
  ["1.x without an owner", JSON.stringify({ ...HELD_BY_1X, owner: undefined })],
  ["1.x with a date as text", JSON.stringify({ ...HELD_BY_1X, expiresAt: "2026-01-01" })],
  ["XML", "<Error><Code>SlowDown</Code></Error>"],
  ["no UTF-8", Uint8Array.of(0xff, 0xfe, 0x00, 0x80)],
];

// One after the other: what is read twice, of five megabytes, takes its time on a busy machine, and attempts have little of it.
describe("an object that is not a lock record", () => {
  it.for(CORRUPT)("%s: an error with the key, never free, cleared by force", async ([, body], { world }) => {
    const mutex = world.mutex();
    world.put("lock", body);
    const calls = [
      mutex.acquireLock("lock"),
      mutex.isLocked("lock"),
      mutex.isOwnedByUs("lock"),
      mutex.releaseLock("lock"),
      mutex.releaseLock("lock", true),
      mutex.refreshLock("lock"),
      mutex.deleteLock("lock"),
      mutex.withLock("lock", () => 1),
      mutex.acquire("lock"),
      mutex.tryAcquire("lock"),
    ];
    for (const error of await Promise.all(calls.map(errorOf))) {
      expect(error).toMatchObject({ code: "corrupt-record", lockName: "lock", retryable: false });
      expect(error.message).toContain("locks/lock.json");
      expect(error.message).toContain("deleteLock");
    }
    const report = await mutex.cleanupStaleLocks();
    expect(report).toMatchObject({ total: 1, stale: 0, cleaned: 0, unreadable: [{ key: "locks/lock.json" }] });
    expect(Buffer.from(world.server.getObject(BUCKET, "locks/lock.json")?.body ?? "").equals(Buffer.from(body))).toBe(
      true,
    );

    expect(await mutex.deleteLock("lock", true)).toBe(true);
    expect(await mutex.isLocked("lock")).toBe(false);
    const lock = await mutex.tryAcquire("lock");
    expect(lock?.held).toBe(true);
    await lock?.release();
  });

  it("read only in part: 64 KB at most are fetched of 5 MB", async ({ world }) => {
    world.put("lock", "x".repeat(5 * 1024 * 1024));
    const startedMs = performance.now();
    expect(await codeOf(world.mutex().isLocked("lock"))).toBe("corrupt-record");
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(await world.mutex().deleteLock("lock", true)).toBe(true);
  });
});

describe.concurrent("a record of a newer schema", () => {
  it.for(['{"schema":4}', '{"schema":1000,"locked":false,"holders":[]}'])(
    "%s is an error, and is never overwritten",
    async (body, { world }) => {
      const mutex = world.mutex();
      world.put("lock", body);
      const calls = [
        mutex.acquireLock("lock"),
        mutex.isLocked("lock"),
        mutex.releaseLock("lock", true),
        mutex.deleteLock("lock"),
        mutex.deleteLock("lock", true),
        mutex.withLock("lock", () => 1),
        mutex.acquire("lock"),
        mutex.tryAcquire("lock"),
      ];
      for (const error of await Promise.all(calls.map(errorOf))) {
        expect(error).toMatchObject({ code: "newer-schema", lockName: "lock", retryable: false });
        expect(error.message).toContain("locks/lock.json");
        expect(error.message).toContain("upgrade");
      }
      await mutex.cleanupStaleLocks({ includeReleased: true, restMs: 0 });
      expect(world.server.getObject(BUCKET, "locks/lock.json")?.text).toBe(body);
      const { PutObject, DeleteObject } = world.server.requests.byOperation;
      expect(PutObject + DeleteObject).toBe(0);
      world.leaves("lock");
    },
  );

  it("fields that this version does not know survive a rewrite", async ({ world }) => {
    const mutex = world.mutex();
    await mutex.acquireLock("lock");
    const record = world.record("lock");
    world.put("lock", { ...record, future: { a: [1] }, holders: [{ ...world.holder("lock"), later: "on" }] });
    expect(await mutex.refreshLock("lock")).toBe(true);
    expect(world.record("lock")).toMatchObject({ future: { a: [1] }, holders: [{ later: "on" }] });
    await mutex.releaseLock("lock");
    expect(world.record("lock")).toMatchObject({ future: { a: [1] } });
  });
});
