import { S3Client } from "@aws-sdk/client-s3";
import { type Lock, S3Mutex, S3MutexError } from "s3-mutex";
import { type ConformanceReport, runConformance, type S3Server, startS3Server } from "s3-mutex/testing";

export async function main(): Promise<number | null> {
  const server: S3Server = await startS3Server({ buckets: ["locks"] });
  const mutex = new S3Mutex({ bucketName: "locks", s3Client: new S3Client(server.clientConfig()) });
  try {
    const report: ConformanceReport = await runConformance({ s3ClientConfig: {}, bucketName: "locks" });
    console.log(report.results.map(({ name }) => name));
    return await mutex.withLock("job", async (lock: Lock) => lock.fencingToken);
  } catch (error) {
    if (S3MutexError.is(error, "timed-out")) console.log(error.lockName);
    // @ts-expect-error a lock has a name
    await mutex.acquire();
    throw error;
  }
}
