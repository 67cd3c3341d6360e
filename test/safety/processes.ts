import { S3Client } from "@aws-sdk/client-s3";
import { afterEach } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import { S3Mutex } from "../../src/s3-mutex.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";

/** Processes that come to a bucket whose store they have to check. */

export const BUCKET = "safety";
export const MARKER = "locks/.s3-mutex/checked.json";

/** What ends with the test, the last one first. */
export const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export async function serverWith(quirks: StoreQuirks = {}): Promise<S3Server> {
  const server = await startS3Server({ buckets: [BUCKET], quirks });
  open.push(() => server.close());
  return server;
}

/** Makes a process of its own, as far as a store can tell: nothing is known to its client. */
export function processOn(server: S3Server, options: Partial<ConstructorParameters<typeof S3Mutex>[0]> = {}) {
  const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  const mutex = new S3Mutex({ s3Client, bucketName: BUCKET, verify: "auto", ...options } as never);
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  open.push(async () => {
    await mutex.close({ handles: "release" });
    s3Client.destroy();
  });
  return { mutex, events, s3Client };
}

export type Process = ReturnType<typeof processOn>;
