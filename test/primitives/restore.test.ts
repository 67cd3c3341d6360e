import { expect, it } from "vitest";
import { serializeRecord } from "../../src/core/codec.js";
import { type LockRecord, MAX_TOKEN } from "../../src/core/record.js";
import { cutOff, KEY, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";

it("goes on with a lock in another process: the same turn, a greater token, renewed and released there", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME, { leaseMs: 6000 }));
  const text = await scene.until(lock.serialize());
  expect(lock.held).toBe(false);
  expect(lock.signal.aborted).toBe(false);
  expect(await scene.until(lock.release())).toBe(false);
  expect(scene.record()?.holders.length).toBe(1);
  const other = scene.client();
  const restored = await scene.until(other.mutex.restore(text));
  expect(restored).toMatchObject({ name: NAME, held: true, mode: "exclusive" });
  expect(restored.fencingToken).toBeGreaterThan(lock.fencingToken);
  await scene.pass(20_000);
  expect(restored.held).toBe(true);
  expect(scene.record()?.holders).toMatchObject([{ owner: other.mutex.ownerId, leaseMs: 6000 }]);
  expect(await scene.until(restored.release())).toBe(true);
  expect(scene.record()?.holders).toEqual([]);
  expect(scene.problems).toEqual([]);
});

it("refuses a text that was used before, or whose lock another process has by now", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 2000 });
  const text = await scene.until((await scene.until(mutex.acquire(NAME))).serialize());
  const restored = await scene.until(scene.client().mutex.restore(text));
  await expect(scene.until(scene.client().mutex.restore(text))).rejects.toMatchObject({ code: "lost" });
  expect(restored.held).toBe(true);
  await scene.until(restored.release());
  const late = await scene.until((await scene.until(mutex.acquire(NAME))).serialize());
  const successor = await scene.until(scene.client().mutex.acquire(NAME));
  await expect(scene.until(scene.client().mutex.restore(late))).rejects.toMatchObject({
    code: "lost",
    reason: "taken-over",
  });
  expect(successor.held).toBe(true);
});

it("knows its own restoration when the answer was lost", async () => {
  const scene = new Scene();
  const text = await scene.until((await scene.until(scene.client().mutex.acquire(NAME))).serialize());
  const other = scene.client();
  scene.fate = nth(0, writesOf(other.process), { kind: "answer-lost" });
  const restored = await scene.until(other.mutex.restore(text));
  expect(restored.held).toBe(true);
  expect(scene.record()?.holders).toMatchObject([{ token: restored.fencingToken }]);
});

it("hands over what is shared, and permits", async () => {
  const scene = new Scene();
  const reader = await scene.until(scene.client().mutex.acquire(NAME, { mode: "shared" }));
  const shared = await scene.until(scene.client().mutex.restore(await scene.until(reader.serialize())));
  expect(shared.mode).toBe("shared");
  const permit = await scene.until(scene.client().mutex.semaphore("pool", { permits: 4 }).acquire({ permits: 2 }));
  const restored = await scene.until(scene.client().mutex.restore(await scene.until(permit.serialize())));
  expect(restored.permits).toBe(2);
});

it("says what is wrong with a text", async () => {
  const { mutex } = new Scene().client();
  const texts = ["", "no JSON", "{}", '{"s3MutexHold":1,"key":"locks/x.json"}', 7 as never];
  for (const text of texts) {
    await expect(mutex.restore(text)).rejects.toMatchObject({ code: "invalid-argument", message: /^text is / });
  }
  const elsewhere = {
    s3MutexHold: 1,
    bucketName: "other",
    key: KEY,
    name: NAME,
    id: "a",
    token: 5,
    leaseMs: 1000,
    writeIds: ["w"],
  };
  await expect(mutex.restore(JSON.stringify(elsewhere))).rejects.toThrow(/in the bucket other/);
});

it.each([
  ["leaseMs", 1e15, /its leaseMs is 1000000000000000: use milliseconds, at least 100 and at most a year/],
  ["leaseMs", 99, /its leaseMs is 99/],
  ["part", 7, /its part is 7: pass what lock.serialize\(\) returned, unchanged/],
  ["leaseMs", "1000", /its leaseMs is "1000"/],
  ["leaseMs", null, /its leaseMs is null/],
  ["token", 2 ** 52 + 1, /its token is 4503599627370497/],
  ["token", 0, /its token is 0/],
  ["token", 5.5, /its token is 5\.5/],
  ["id", "", /its id is ""/],
  ["name", ["x"], /its name is an array/],
  ["kind", "leader", /its kind is "leader"/],
  ["writeIds", undefined, /its writeIds is undefined: pass what lock.serialize\(\) returned, unchanged/],
  ["writeIds", "w", /its writeIds is "w"/],
  ["writeIds", [], /its writeIds is an empty array/],
  ["writeIds", ["w", ""], /its writeIds is an array/],
  ["writeIds", ["w", 7], /its writeIds is an array/],
])("checks what a text says as it checks options: %s %j", async (field, value, message) => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const text = await scene.until((await scene.until(mutex.acquire(NAME))).serialize());
  const before = scene.record();
  const changed = JSON.stringify({ ...JSON.parse(text), [field]: value });
  await expect(mutex.restore(changed)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringMatching(message),
  });
  expect(scene.record()).toEqual(before);
  expect((await scene.until(scene.client().mutex.restore(text))).held).toBe(true);
});

it("leaves the hold as it was where there is no greater token to go on with", async () => {
  const scene = new Scene();
  const text = await scene.until((await scene.until(scene.client().mutex.acquire(NAME))).serialize());
  scene.bucket.put(KEY, serializeRecord({ ...(scene.record() as LockRecord), writeId: "stranger", token: MAX_TOKEN }));
  const { holders } = scene.record() as LockRecord;
  await expect(scene.until(scene.client().mutex.restore(text))).rejects.toMatchObject({
    code: "corrupt-record",
    message: expect.stringContaining("its fencing token is as high as one can be"),
  });
  expect(scene.record()?.holders).toEqual(holders);
});

it("gives up when the store has not answered for as long as the lease is", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME, { leaseMs: 2000 }));
  const text = await scene.until(lock.serialize());
  const other = scene.client();
  const startedAtMs = scene.nowMs;
  scene.fate = cutOff(other.process);
  await expect(scene.until(other.mutex.restore(text))).rejects.toMatchObject({ code: "store-unavailable" });
  expect(scene.nowMs - startedAtMs).toBeGreaterThanOrEqual(1500);
  expect(scene.nowMs - startedAtMs).toBeLessThan(4000);
});

it("a handle that was handed over says so, wherever it is named", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  await scene.until(lock.serialize());
  const handedOver = { code: "lost", reason: "released", message: expect.stringContaining("it was handed over") };
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining(handedOver));
  const calls: (() => unknown)[] = [
    () => mutex.acquire(NAME, { within: lock }),
    () => mutex.withLock(NAME, () => "in", { within: lock, mode: "shared" }),
    () => lock.fencedObject({ key: "a" }),
    () => lock.serialize(),
  ];
  for (const call of calls) {
    await expect(scene.until(Promise.resolve().then(call))).rejects.toMatchObject(handedOver);
  }
});

it("does not hand over what is lost already", async () => {
  const scene = new Scene();
  const lock = await scene.until(scene.client().mutex.acquire(NAME));
  await scene.until(scene.client().mutex.releaseLock(NAME, true));
  expect(await scene.until(lock.renew())).toBe(false);
  await expect(scene.until(lock.serialize())).rejects.toMatchObject({ code: "lost" });
});
