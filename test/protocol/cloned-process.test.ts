import { describe, expect, it } from "vitest";

import { serializeRecord } from "../../src/core/codec.js";
import { renew } from "../../src/core/transition/renew.js";
import { S3MutexError } from "../../src/errors.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import type { Fate } from "../../src/testing/virtual/fate.js";
import type { SimProcess } from "../../src/testing/virtual/process.js";
import { FINE, KEY, NAME, Scene, writesOf } from "../../testkit/scene.js";
import { attemptAt, holderOf, recordOf, T0 } from "./samples.js";

/** 13.1.7: a process that was copied while it held a lock (a snapshot of a virtual machine): two go on with one acquisition. */

/** Does what the copy does first: it renews the same hold, by a write that the original has never sent. */
function renewAsCopy(scene: Scene): void {
  const before = scene.record();
  if (before === undefined) throw new Error("no record");
  const [holder] = before.holders;
  const command = {
    id: holder?.id ?? "",
    token: holder?.token ?? 0,
    leaseMs: holder?.leaseMs ?? 0,
    onlyUnexpired: false,
  };
  const { change } = renew(before, command, attemptAt(Math.ceil(scene.nowMs), { writeId: "a write of the copy" }));
  if (change?.kind !== "write") throw new Error("not renewed");
  scene.bucket.put(KEY, serializeRecord(change.record));
}

/** Makes this the fate of the process's next write, and refuses what it asks for after that. */
function onceThenForbidden(process: SimProcess, fate: Fate): Scene["fate"] {
  const error = new S3MutexError("access-denied", "403");
  const forbidden: Fate = { kind: "answered", applied: false, outcome: { kind: "refused", error } };
  let writes = 0;
  return (request) => {
    if (request.process !== process) return FINE;
    writes += writesOf(process)(request) ? 1 : 0;
    return writes === 1 && writesOf(process)(request) ? fate : forbidden;
  };
}

it("13.1.7: whose hold a copy has renewed first has lost it at once, and leaves it alone", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
  renewAsCopy(scene);
  expect(await scene.until(lock.renew())).toBe(false);
  expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "cloned" });
  await scene.pass(3000);
  expect(scene.record()?.holders).toMatchObject([{ leaseWriteId: "a write of the copy" }]);
});

it("13.1.7: its release does not end the copy's hold", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
  renewAsCopy(scene);
  expect(await scene.until(lock.release())).toBe(false);
  await scene.pass(3000);
  expect(scene.record()?.holders).toMatchObject([{ leaseWriteId: "a write of the copy" }]);
});

describe("13.1.7: a text by which it is handed over", () => {
  it("takes nothing from the copy that has renewed, whenever that text is used, and says why", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
    renewAsCopy(scene);
    const text = await scene.until(lock.serialize());
    const before = scene.record();
    const restoring = scene.until(scene.client().mutex.restore(text));
    await expect(restoring).rejects.toMatchObject({
      code: "lost",
      reason: "cloned",
      message: expect.stringContaining("a copy of the process that held it goes on with it"),
    });
    await scene.pass(3000);
    expect(scene.record()).toEqual(before);
  });

  it("is good where no copy has renewed: the copy that comes later is told", async () => {
    const scene = new Scene();
    const { mutex } = scene.client();
    const text = await scene.until((await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }))).serialize());
    const restored = await scene.until(scene.client().mutex.restore(text));
    await expect(scene.until(scene.client().mutex.restore(text))).rejects.toMatchObject({ reason: "taken-over" });
    expect(restored.held).toBe(true);
  });

  it.each([
    ["has landed unheard", { kind: "answer-lost" }],
    ["lands after that", { kind: "late", byMs: 30_000 }],
    ["has landed under an answer of a proxy", { kind: "error", status: 503, applied: true }],
    ["has landed before its copy was refused", { kind: "twice" }],
  ] as const)("is good where the last renewal %s, and the next was not allowed", async (_, fate) => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 60_000 }));
    const [granted] = scene.record()?.holders ?? [];
    scene.fate = onceThenForbidden(process, fate);
    await expect(scene.until(lock.renew())).rejects.toMatchObject({ code: "access-denied" });
    const text = await scene.until(lock.serialize());
    if (fate.kind === "late") await scene.pass(fate.byMs);
    expect(scene.record()?.holders[0]?.leaseWriteId).not.toBe(granted?.leaseWriteId);
    expect((await scene.until(scene.client().mutex.restore(text))).held).toBe(true);
  });

  it("is good for each of several permits whose renewal was one write, and unheard", async () => {
    const scene = new Scene();
    const { mutex, process } = scene.client();
    const pool = mutex.semaphore("pool", { permits: 3 });
    const permits = [await scene.until(pool.acquire()), await scene.until(pool.acquire())];
    scene.fate = onceThenForbidden(process, { kind: "answer-lost" });
    const renewals = await Promise.allSettled(permits.map((permit) => scene.until(permit.renew())));
    expect(renewals.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const texts = await Promise.all(permits.map((permit) => scene.until(permit.serialize())));
    const other = scene.client().mutex;
    for (const text of texts) expect((await scene.until(other.restore(text))).held).toBe(true);
  });

  it("is good after any renewal that was under way, and after a downgrade at that moment", async () => {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: 6000 }));
    const [, , text] = await scene.until(
      Promise.all([lock.renew(), lock.downgrade().catch(() => {}), lock.serialize()] as const),
    );
    await scene.pass(100);
    expect((await scene.until(scene.client().mutex.restore(text))).held).toBe(true);
  });
});

it("13.1.7: what was taken by name is renewed by other processes of the same owner, and is not taken for a copy's", async () => {
  const scene = new Scene();
  const [one, other] = [scene.client({ ownerId: "us" }), scene.client({ ownerId: "us" })];
  expect(await scene.until(one.mutex.acquireLock(NAME))).toBe(true);
  expect(await scene.until(other.mutex.refreshLock(NAME))).toBe(true);
  expect(await scene.until(one.mutex.refreshLock(NAME))).toBe(true);
  expect(await scene.until(one.mutex.releaseLock(NAME))).toBe(true);
});

it("13.1.7: who has tried in vain a hundred times still knows the write that landed", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 600_000 }));
  const isWrite = writesOf(process);
  scene.fate = (request) => (isWrite(request) ? { kind: "error", status: 503, applied: false } : { kind: "fine" });
  const before = scene.sent.length;
  while (scene.sent.length - before < 300) await scene.pass(1000);
  scene.fate = () => ({ kind: "fine" });
  await scene.pass(60_000);
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});

it("13.1.7: only a hold that names a handle can be a copy's", () => {
  const record = recordOf({ holders: [holderOf({ id: "h", leaseWriteId: "another" })] });
  const command = { id: "h", leaseMs: 10_000 };
  const reply = (isOwn: () => boolean) =>
    renew(record, { ...command, token: T0, onlyUnexpired: false, isOwn }, attemptAt(T0)).reply;
  expect(reply(() => false)).toEqual({ kind: "gone", reason: "cloned" });
  expect(reply(() => true)).toMatchObject({ kind: "renewed" });
});

it("13.1.7: ids look like those of any other program", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => realEffects.newId()));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
