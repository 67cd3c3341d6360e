// Run with the fewest permissions that docs/guide/install.md names: nothing may be asked for while modules load.
import { S3Mutex } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

const server = await startS3Server({ buckets: ["locks"] });
const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", publishHost: false });
const result = await mutex.withLock("job", (lock) => lock.held);
await mutex.close();
await server.close();
console.log(result === true ? "permissions passed" : "the lock was not had");
process.exit(result === true ? 0 : 1);
