// What a user of Jest with its defaults writes.
const { S3Mutex, S3MutexError } = require("s3-mutex");
const { startS3Server } = require("s3-mutex/testing");
test("a lock in Jest", async () => {
  const server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", verify: "once" });
  expect(await mutex.withLock("job", (lock) => lock.held)).toBe(true);
  await expect(mutex.acquire("")).rejects.toThrow(S3MutexError);
  await mutex.close();
  await server.close();
});
