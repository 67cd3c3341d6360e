// What a user does first, with the built package: a lock over the server for tests.
import { S3Mutex, S3MutexError } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

const server = await startS3Server({ buckets: ["locks"] });
const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks" });
const result = await mutex.withLock("job", (lock) => lock.fencingToken > 0 && lock.held);
const busy = await mutex.acquire("busy");
const other = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks" });
const refusal = await other.acquire("busy", { timeoutMs: 50 }).catch((error) => S3MutexError.is(error, "timed-out"));
await busy.release();
await mutex.close();
await other.close();
await server.close();
console.log(result === true && refusal === true ? "smoke passed" : `smoke failed: ${result} ${refusal}`);
