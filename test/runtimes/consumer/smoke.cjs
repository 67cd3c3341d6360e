// The same package by require().
const { S3Mutex } = require("s3-mutex");
const { startS3Server } = require("s3-mutex/testing");

startS3Server({ buckets: ["locks"] }).then(async (server) => {
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks" });
  const result = await mutex.withLock("job", (lock) => lock.held);
  await mutex.close();
  await server.close();
  console.log(result === true ? "smoke passed" : `smoke failed: ${result}`);
});
