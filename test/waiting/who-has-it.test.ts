import { describe, expect } from "vitest";
import type { S3MutexError } from "../../src/index.js";
import { timedOut } from "../../src/primitives/timed-out.js";
import { errorOf, it } from "../api/fixture.js";

const BRIEFLY = { timeoutMs: 100 };

/** `2026-11-28T03:00:00.000Z` */
const INSTANT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

describe("P17: a caller whose time is up is told who has the lock", () => {
  it("by host, label, since when and until when, in words and as data", async ({ world }) => {
    const holder = world.mutex({ label: "nightly" });
    const lock = await holder.acquire("x");
    const error = await errorOf(world.mutex().acquire("x", BRIEFLY));
    expect(error.message).toMatch(
      new RegExp(
        String.raw`^The lock "x" was not free within 100 ms\. It is held by nightly, \S+:${process.pid} since ${INSTANT}, until ${INSTANT} unless it is renewed\.$`,
      ),
    );
    const { acquiredAtMs, expiresAtMs, id, host } = world.holder("x") as never as Record<string, unknown>;
    expect(error).toMatchObject({ code: "timed-out", lockName: "x" });
    expect(error.holders).toEqual([
      {
        acquisitionId: id,
        owner: holder.ownerId,
        host,
        pid: process.pid,
        label: "nightly",
        fencingToken: lock.fencingToken,
        acquiredAt: acquiredAtMs,
        expiresAt: expiresAtMs,
      },
    ]);
    expect(error.message).toContain(new Date(lock.expiresAt).toISOString());
  });

  it("also where a caller of the same process has it", async ({ world }) => {
    const mutex = world.mutex({ label: "me" });
    await mutex.acquire("x");
    const error = await errorOf(mutex.acquire("x", { timeoutMs: 30 }));
    expect(error.holders).toMatchObject([{ owner: mutex.ownerId, label: "me" }]);
  });

  it("without the host where its holder does not publish that", async ({ world }) => {
    const holder = world.mutex({ publishHost: false });
    await holder.acquire("x");
    const { message, holders } = await errorOf(world.mutex().acquire("x", BRIEFLY));
    expect(holders).toEqual([expect.not.objectContaining({ host: expect.anything(), pid: expect.anything() })]);
    expect(message).toContain(`held by ${holder.ownerId} since`);
    expect(message).not.toContain(String(process.pid));
  });

  it("acquireAll: which lock, and who has that one", async ({ world }) => {
    await world.mutex({ label: "the other" }).acquire("b");
    const error = await errorOf(world.mutex().acquireAll(["c", "b", "a"], BRIEFLY));
    expect(error.message).toMatch(
      /^Not all of \["c","b","a"\] were free within 100 ms: "b" was not\. It is held by the other, /,
    );
    expect(error).toMatchObject({ lockName: "b", holders: [{ label: "the other" }] });
  });

  it("each sharer and each holder of permits is in the data, and three of them in words", async ({ world }) => {
    const pool = (label: string) => world.mutex({ label }).semaphore("pool", { permits: 5 });
    for (const label of ["a", "b", "c", "d", "e"]) await pool(label).acquire();
    const permit = await errorOf(pool("f").acquire(BRIEFLY));
    expect(permit.holders?.map(({ label }) => label)).toEqual(["a", "b", "c", "d", "e"]);
    expect(permit.message).toMatch(/^No permit of "pool" was free .* by a, .* by b, .* by c, .*; and by 2 more\.$/);
    for (const label of ["r", "s"]) await world.mutex({ label }).acquire("x", { mode: "shared" });
    const writer = await errorOf(world.mutex().acquire("x", BRIEFLY));
    expect(writer.holders?.map(({ label }) => label)).toEqual(["r", "s"]);
  });

  it("a share that waits behind a caller that wants all of it is told of that one", async ({ world }) => {
    await world.mutex({ label: "reader" }).acquire("x", { mode: "shared" });
    const waiting = world
      .mutex({ label: "writer" })
      .acquire("x")
      .catch(() => undefined);
    await expect.poll(async () => (await world.mutex().inspect("x"))?.waiters.length).toBe(1);
    const { message } = await errorOf(world.mutex().acquire("x", { mode: "shared", ...BRIEFLY }));
    expect(message).toMatch(
      /^The lock "x" was not free within 100 ms\. writer, \S+ was before it in the queue, and wants all of the lock\. It is held by reader, /,
    );
    await world.mutex().releaseLock("x", { force: true });
    await (await waiting)?.release();
  });

  it("also one of acquireAll", async ({ world }) => {
    await world.mutex({ label: "reader" }).acquire("b", { mode: "shared" });
    const waiting = errorOf(world.mutex({ label: "writer" }).acquire("b", { timeoutMs: 2000 }));
    await expect.poll(async () => (await world.mutex().inspect("b"))?.waiters.length).toBe(1);
    const { message } = await errorOf(world.mutex().acquireAll(["a", "b"], { mode: "shared", ...BRIEFLY }));
    expect(message).toMatch(
      /^Not all of .* "b" was not\. writer, \S+ was before it in the queue, and wants all of the lock\. It is held by reader, /,
    );
    await waiting;
  });

  it("permits that are free and that a caller before it waits for: that one, and how many it wants", async ({
    world,
  }) => {
    const pool = (label: string) => world.mutex({ label }).semaphore("pool", { permits: 4 });
    const permit = await pool("A").acquire();
    const all = pool("B").acquire({ permits: 4 });
    await expect.poll(async () => (await pool("C").inspect())?.waiters.length).toBe(1);
    const { message, holders } = await errorOf(pool("C").acquire(BRIEFLY));
    expect(message).toMatch(
      /^No permit of "pool" was had within 100 ms\. B, \S+ was before it in the queue, and wants 4 permits\. It is held by A, /,
    );
    expect(holders?.map(({ label }) => label)).toEqual(["A"]);
    expect((await errorOf(pool("C").acquire({ permits: 4, ...BRIEFLY }))).message).toMatch(
      /^4 permits of "pool" were not free within 100 ms\. It is held by A, /,
    );
    await permit.release();
    await (await all).release();
  });

  it("a hold that was given back and stays for its time is not told of as one that may be renewed", async ({
    world,
  }) => {
    await world.mutex({ label: "deployer" }).withLock("x", () => undefined, { holdAtLeastMs: 60_000 });
    const { message, holders } = await errorOf(world.mutex().acquire("x", BRIEFLY));
    expect(message).toMatch(
      new RegExp(
        String.raw`^The lock "x" was not free within 100 ms\. It is held by deployer, \S+ since ${INSTANT}, was given back at ${INSTANT}, and stays held until ${INSTANT}\.$`,
      ),
    );
    const { releasedAt } = (await world.mutex().inspect("x"))?.holders[0] ?? {};
    expect(releasedAt).toBeTypeOf("number");
    expect(holders).toMatchObject([{ label: "deployer", releasedAt }]);
    await world.mutex().releaseLock("x", { force: true });
  });

  it("runOnce, forget and campaign", async ({ world }) => {
    await world.mutex({ label: "runs" }).acquire("once/k");
    const mutex = world.mutex();
    const candidate = mutex.election("chief");
    await world.mutex({ label: "leads" }).election("chief").campaign();
    const told: S3MutexError[] = [
      await errorOf(mutex.runOnce("k", () => 1, BRIEFLY)),
      await errorOf(candidate.campaign(BRIEFLY)),
    ];
    expect(told.map(({ holders }) => holders?.map(({ label }) => label))).toEqual([["runs"], ["leads"]]);
  });

  it("what is hostile in a record is spelled out", async ({ world }) => {
    await world.mutex({ label: "\u001b[2J\u202eevil" }).acquire("x");
    const { message } = await errorOf(world.mutex().acquire("x", BRIEFLY));
    expect(message).toContain("\\x1b[2J\\u{202e}evil");
  });

  it("a time that no calendar has is not an error", async ({ world }) => {
    await world.mutex().acquire("x");
    const holder = { ...world.holder("x"), acquiredAtMs: -1e300, expiresAtMs: 1e300 };
    const object = { name: "x", latest: { record: { holders: [holder] } } };
    const { message } = timedOut(object as never, "Too late.");
    expect(message).toMatch(/since -1e\+300 ms, until 1e\+300 ms unless it is renewed\.$/);
  });
});
