/**
 * `s3-mutex/port`: `S3Mutex` over a store of the caller's own, such as `fetchStore()` or `r2Store()`. Nothing of it needs the AWS SDK,
 * so that it runs where that is not installed, and in edge runtimes.
 *
 * @packageDocumentation
 */

export * from "../exported.js";
export { StoreMutex as S3Mutex } from "../mutex.js";
