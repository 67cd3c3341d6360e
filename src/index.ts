export * from "./exported.js";
export { StoreMutex } from "./mutex.js";
export type { S3ClientOption, S3MutexBaseOptions, S3MutexOptions } from "./options/s3-options.js";
export { S3Mutex } from "./s3-mutex.js";
export type { StoreHeaders } from "./store/s3/client/store-headers.js";
export type {
  StoreCheck,
  StoreCheckId,
  StoreProgress,
  StoreReport,
  StoreVerdict,
} from "./verify/examination/report.js";
export { type VerifyStoreBaseOptions, type VerifyStoreOptions, verifyStore } from "./verify/verify-store.js";
