import { S3Client } from "@aws-sdk/client-s3";
import { S3Mutex } from "../../src/index.js";
import type { S3ClientSettings } from "../../src/testing/index.js";
import { BUCKET_NAME } from "../contestants/library.js";
import { serveParent } from "../remote.js";

/** A process that only waits, until it is killed. */
export const waiterMethods = {
  enqueue(clientConfig: S3ClientSettings, lockName: string, count: number) {
    for (let index = 0; index < count; index += 1) {
      const mutex = new S3Mutex({ s3Client: new S3Client(clientConfig), bucketName: BUCKET_NAME });
      mutex.acquire(lockName).catch((error: unknown) => console.error(error));
    }
  },
};

serveParent(waiterMethods);
