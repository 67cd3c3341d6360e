// What a user of Jest with its defaults writes.
const { S3Mutex, S3MutexError } = require("s3-mutex");
const { createTestMutex, startS3Server } = require("s3-mutex/testing");
test("a lock in Jest", async () => {
  const server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", verify: "once" });
  expect(await mutex.withLock("job", (lock) => lock.held)).toBe(true);
  await expect(mutex.acquire("")).rejects.toThrow(S3MutexError);
  await mutex.close();
  await server.close();
});

test.each([{}, { legacyFakeTimers: true }])("a lock in virtual time, beside fake timers %j", async (options) => {
  jest.useFakeTimers(options);
  const { mutex, clock } = await createTestMutex();
  const lock = await mutex.acquire("job");
  await clock.advance(600_000);
  expect(lock.held).toBe(true);
  jest.useRealTimers();
});
test("a lock by the fake timers of Jest", async () => {
  jest.useFakeTimers();
  const { mutex, store } = await createTestMutex({ fakeTimers: jest });
  const lock = await mutex.acquire("job");
  await jest.advanceTimersByTimeAsync(600_000);
  expect(lock.held).toBe(true);
  store.faults.add({ fault: "never-answer" });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(lock.signal.reason.reason).toBe("store-unavailable");
  jest.useRealTimers();
});
