import type { MutexInternals } from "./create-context.js";
import { StoreMutex } from "./mutex.js";
import type { S3MutexOptions } from "./options/s3-options.js";
import { BY_CLIENT_OR_STORE } from "./reach-s3.js";

/**
 * Locks on an S3 bucket. Cheap to make; share one per bucket in a process.
 *
 * Every method throws `invalid-argument` before any request is made, and `no-such-bucket`, `access-denied`,
 * `store-unavailable`, `corrupt-record` or `newer-schema` when the store is the problem: contention is a result, never an
 * error, and an error never looks like contention.
 *
 * @example
 * ```ts
 * const mutex = new S3Mutex({ s3Client: new S3Client({}), bucketName: "my-bucket" });
 * const done = await mutex.withLock("nightly", (lock) => report({ signal: lock.signal }));
 * await mutex.close();
 * ```
 */
export class S3Mutex extends StoreMutex {
  constructor(options: S3MutexOptions);
  /** @internal */
  constructor(options: S3MutexOptions, internals: MutexInternals);
  constructor(options: S3MutexOptions, internals?: MutexInternals) {
    super(options, internals, BY_CLIENT_OR_STORE);
  }
}
