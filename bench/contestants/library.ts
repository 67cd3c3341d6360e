import { S3Mutex, type S3MutexBaseOptions } from "../../src/index.js";
import type { BenchServer } from "../server/bench-server.js";
import type { Contestant } from "./contestant.js";

export const BUCKET_NAME = "bench-locks";

/** Makes an instance with a client of its own and the defaults of the library. */
export function newMutex(server: BenchServer, options: Partial<S3MutexBaseOptions> = {}): S3Mutex {
  return new S3Mutex({ s3Client: server.client(), bucketName: BUCKET_NAME, ...options });
}

export function libraryOn(server: BenchServer, options: Partial<S3MutexBaseOptions> = {}): Contestant {
  return {
    name: "library",
    contender() {
      const mutex = newMutex(server, options);
      return {
        async acquire(lockName, signal) {
          const lock = await mutex.acquire(lockName, { signal });
          return {
            async renew() {
              await lock.renew();
            },
            async release() {
              await lock.release();
            },
          };
        },
        close: async () => void (await mutex.close()),
      };
    },
    reset: () => server.call.reset(),
    requests: () => server.requests(),
  };
}
