import { beforeEach, describe, expect, test, vi } from "vitest";
import { S3Mutex } from "../../src/port/index.js";
import { type R2StoreOptions, r2Store } from "../../src/r2/index.js";
import { Binding } from "./r2-binding.js";

vi.setConfig({ testTimeout: 60_000 });

const REQUEST = { timeoutMs: 2000 };

let bucket: Binding;
beforeEach(() => {
  bucket = new Binding();
});

const storeAt = () => r2Store({ bucket, bucketName: "locks" });

test("no answer tells the time: a lease of another is watched for its whole length, by itself", async () => {
  const options = { lockTimeoutMs: 600, clockSkewToleranceMs: 0 };
  const one = new S3Mutex({ store: storeAt(), ...options });
  const lock = await one.acquire("orders");
  expect((await storeAt().read("locks/orders.json", REQUEST)) as object).not.toHaveProperty("timing.dateMs");
  // It has died, and its lease ends; what a clock of this machine says of that does not count.
  await one.close({ graceMs: 0 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  const other = new S3Mutex({ store: storeAt(), ...options });
  const startedAtMs = performance.now();
  const next = await other.acquire("orders", { timeoutMs: 10_000 });
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(600);
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  await other.close({ handles: "release" });
});

test("two mutexes in one bucket exclude each other, and each has checked it: without a time no proof has an age", async () => {
  const [one, other] = [new S3Mutex({ store: storeAt() }), new S3Mutex({ store: storeAt() })];
  const by: string[] = [];
  for (const mutex of [one, other]) mutex.on("checked", (event) => by.push(`${event.verdict} ${event.by}`));
  const lock = await one.acquire("orders");
  expect(await other.tryAcquire("orders")).toBeNull();
  await lock.release();
  await other.withLock("orders", () => {});
  expect(by).toEqual(["passed requests", "passed requests"]);
  await Promise.all([one.close(), other.close()]);
});

describe("a request", () => {
  test("that throws may have been done: nothing is known, and it is not sent again", async () => {
    bucket.failure = new Error("put: We encountered an internal error. Please try again. (10001)");
    const written = await storeAt().write("a", "x", { kind: "if-absent" }, REQUEST);
    expect(written).toMatchObject({ kind: "unknown", sent: true, throttled: false });
    expect(bucket.calls).toBe(1);
    bucket.failure = undefined;
    expect(await storeAt().read("a", REQUEST)).toMatchObject({ kind: "ok", body: "x" });
  });

  test("that came too soon after another on the key is throttled", async () => {
    bucket.failure = new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    expect(await storeAt().write("a", "x", { kind: "if-absent" }, REQUEST)).toMatchObject({
      kind: "unknown",
      throttled: true,
    });
  });

  test("that will fail again is refused", async () => {
    bucket.failure = new Error("get: The specified bucket does not exist. (10006)");
    expect(await storeAt().read("a", REQUEST)).toMatchObject({ kind: "refused", error: { code: "no-such-bucket" } });
    bucket.failure = new Error("get: The specified object name is not valid. (10020)");
    expect(await storeAt().read("a", REQUEST)).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  });

  test("ends in time where no answer comes", async () => {
    bucket.delayMs = 5000;
    const startedAtMs = performance.now();
    const read = await storeAt().read("a", { timeoutMs: 100 });
    expect(performance.now() - startedAtMs).toBeLessThan(1500);
    expect(read).toMatchObject({
      kind: "unknown",
      sent: true,
      error: { message: expect.stringContaining("within 100 ms") },
    });
  });

  test("is not sent once no caller waits for it", async () => {
    const read = await storeAt().read("a", { ...REQUEST, giveUpAtMs: performance.now() - 1 });
    expect(read).toMatchObject({ kind: "unknown", sent: false });
    expect(bucket.calls).toBe(0);
  });

  test("waits for one of six connections, the last of which is for renewals", async () => {
    bucket.delayMs = 100;
    const store = storeAt();
    const reads = Array.from({ length: 8 }, (_, n) => store.read(`a${n}`, REQUEST));
    const renewal = store.write("b", "x", { kind: "if-absent" }, { ...REQUEST, urgent: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bucket.calls).toBe(6);
    expect(bucket.objects.has("b")).toBe(true);
    await Promise.all([...reads, renewal]);
  });

  test("reads nothing that is too long", async () => {
    bucket.objects.set("a", "x".repeat(100));
    expect(await storeAt().read("a", { ...REQUEST, maxBodyBytes: 99 })).toMatchObject({ kind: "oversized" });
    expect(bucket.cancelled).toEqual(["a"]);
  });
});

test("nothing is removed: a binding deletes without a condition", async () => {
  expect(await storeAt().remove("a", '"x"', REQUEST)).toEqual({ kind: "unsupported" });
});

test.each<[Partial<R2StoreOptions>, RegExp]>([
  [{ bucket: undefined as never }, /^bucket is undefined: pass the binding of an R2 bucket/],
  [{ bucketName: "" }, /^bucketName is ""/],
  [{ name: "locks" } as never, /has "name", which is not an option here/],
])("%j is refused", (more, message) => {
  expect(() => r2Store({ bucket: new Binding(), bucketName: "locks", ...more })).toThrow(message);
});
