import { afterAll, beforeAll, expect, test } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { type S3Server, startS3Server } from "../../src/testing/index.js";

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ buckets: ["locks"] });
});
afterAll(() => server.close());

/** Makes a mutex that has not asked its store for anything: its first grant waits for the check. */
function freshMutex(keyPrefix: string): S3Mutex {
  return new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", keyPrefix });
}

test.each([2, 5])("of %d single attempts on a store that is not checked yet, one gets the lock", async (callers) => {
  await using mutex = freshMutex(`first/${callers}/`);
  const attempts = Array.from({ length: callers }, () => mutex.tryAcquire("job"));
  const granted = (await Promise.all(attempts)).filter((lock) => lock !== null);
  expect(granted.map(({ held }) => held)).toEqual([true]);
  await granted[0]?.release();
});

test("the first of two calls with no patience runs, and the second is told that it has not", async () => {
  await using mutex = freshMutex("callbacks/");
  const run = (name: string) => mutex.withLock("job", () => name, { timeoutMs: 0 });
  expect(await Promise.all([run("first"), run("second")])).toEqual(["first", null]);
});
