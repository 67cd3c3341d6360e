import { expect, it } from "vitest";

import { serializeRecord } from "../../src/core/codec.js";
import { renew } from "../../src/core/transition/renew.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import { KEY, NAME, Scene, writesOf } from "../../testkit/scene.js";
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
