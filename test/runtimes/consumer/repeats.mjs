// A safe store stays one where the runtime, or something on the way, sends a request twice: Deno does when a connection breaks.
import { S3Mutex } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

const failures = [];

/** The examination before the first lock, with one write of it struck. */
async function struck(fault, skip) {
  const server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", verify: "once" });
  server.faults.add({ fault, operation: "PutObject", skip, times: 1 });
  try {
    await mutex.withLock("job", () => {}, { timeoutMs: 60_000 });
  } catch (error) {
    failures.push(`${fault} at write ${skip}: ${error.message}`);
  }
  await mutex.close();
  await server.close();
}

for (const fault of ["lose-response", "duplicate"]) {
  for (let skip = 0; skip < 12; skip += 4) {
    await Promise.all([0, 1, 2, 3].map((more) => struck(fault, skip + more)));
  }
}
for (const failure of failures) console.log(failure);
console.log(failures.length === 0 ? "repeats passed" : "repeats failed");
process.exit(failures.length === 0 ? 0 : 1);
