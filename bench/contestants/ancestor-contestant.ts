import { AncestorMutex } from "../ancestor.js";
import type { BenchServer } from "../server/bench-server.js";
import type { Contestant } from "./contestant.js";
import { BUCKET_NAME } from "./library.js";

/** Uses the ancestor as its users do: the client's defaults, its own defaults, and `acquireLock` again until it is true. */
export function ancestorOn(server: BenchServer): Contestant {
  return {
    name: "ancestor",
    contender() {
      const mutex = new AncestorMutex({ s3Client: server.client(), bucketName: BUCKET_NAME });
      return {
        async acquire(lockName, signal) {
          while (!(await acquireOnce(mutex, lockName))) signal.throwIfAborted();
          return {
            async renew() {
              await mutex.refreshLock(lockName).catch(() => false);
            },
            async release() {
              await mutex.releaseLock(lockName).catch(() => false);
            },
          };
        },
        async close() {},
      };
    },
    reset: () => server.call.reset(),
    requests: () => server.requests(),
  };
}

/** Tries once. An error of the store is one more reason to try again; where a release fails, the lease has to end it. */
function acquireOnce(mutex: AncestorMutex, lockName: string): Promise<boolean> {
  return mutex.acquireLock(lockName).catch(() => false);
}
