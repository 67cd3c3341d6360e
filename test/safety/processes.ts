import { S3Client } from "@aws-sdk/client-s3";
import { onTestFinished } from "vitest";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import { S3Mutex } from "../../src/s3-mutex.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";

/** Processes that come to a bucket whose store they have to check. */

export const BUCKET = "safety";
export const MARKER = "locks/.s3-mutex/checked.json";

/** What ends with the test that is running, the last one first. Test files share this module: a hook of its own would be that of the first. */
export const open = {
  push(close: () => Promise<unknown>): void {
    onTestFinished(async () => void (await close()));
  },
};

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

/** Waits until nothing has been asked for a while. */
export async function settle(server: S3Server): Promise<void> {
  for (let seen = -1; seen !== server.requests.total; ) {
    seen = server.requests.total;
    await new Promise((resolve) => setTimeout(resolve, 150));
    await server.settled();
  }
}

/** Holds a lock until the check of its process has come to its end, so that its record tells of it. */
export async function useOnce(server: S3Server, { mutex }: Pick<Process, "mutex">, lockName = "a"): Promise<void> {
  const lock = await mutex.acquire(lockName);
  await settle(server);
  await lock.release();
}
