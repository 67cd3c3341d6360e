/**
 * `s3-mutex/web-locks`: a lock manager with the shape of the Web Locks standard.
 *
 * @packageDocumentation
 */

export { createLockManager } from "./lock-manager.js";
export type {
  LockManager,
  WebLock,
  WebLockInfo,
  WebLockMode,
  WebLockOptions,
  WebLockSnapshot,
} from "./types.js";
