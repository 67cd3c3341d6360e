export type { KeyEncoding } from "./arguments.js";
export type {
  AcquireOptions,
  CleanupOptions,
  ForceOptions,
  HealthOptions,
  ListOptions,
  TryAcquireOptions,
  WatchOptions,
  WithLockOptions,
} from "./call-options.js";
export type { CloseOptions } from "./closing.js";
export type {
  HolderReport,
  HoldReport,
  LockProblem,
  LockReport,
  LockReportBase,
  PartyReport,
  ReadableLockReport,
  StoreProofReport,
  TurnReport,
  UnreadableLockReport,
  WaiterReport,
} from "./core/report.js";
export type { Election, ElectionOptions, ObserveOptions, ResignOptions } from "./election.js";
export {
  type DeadlockEdge,
  type DetailsOf,
  type LockHolder,
  type LossReason,
  type RequiredDetails,
  S3MutexError,
  type S3MutexErrorCode,
  type S3MutexErrorDetails,
} from "./errors.js";
export type { FencedObject, FencedObjectOptions, OpeningFencedObject } from "./fenced-object.js";
export type { Lock } from "./lock.js";
export type { LockSet } from "./lock-set.js";
export { S3Mutex } from "./mutex.js";
export type { AsJson, OnceRun, RunOnceOptions, RunOnceResult } from "./once.js";
export type { S3ClientOption, S3MutexBaseOptions, S3MutexOptions, Verify } from "./options.js";
export type { CleanupReport, UnreadableLock } from "./runtime/cleanup.js";
export type { Takeover } from "./runtime/context.js";
export type {
  AcquireEnd,
  AcquireStart,
  DiagnosticsOrigin,
  HoldEnd,
  S3MutexDiagnostics,
  StoreRequest,
} from "./runtime/diagnostics.js";
export type {
  AcquiredEvent,
  CloseReport,
  DeadlockEvent,
  HoldEvent,
  LeftBehind,
  S3MutexEvents,
  StoreCheckedEvent,
} from "./runtime/events.js";
export type { Health, HealthError } from "./runtime/health.js";
export type { ListProgress } from "./runtime/inspect.js";
export type { Leader } from "./runtime/leader-watch.js";
export type { LocksView } from "./runtime/lock-watcher.js";
export type { Logger } from "./runtime/logger.js";
export type { PermitOptions, Semaphore, SemaphoreOptions, WithPermitsOptions } from "./semaphore.js";
export type { StoreHeaders } from "./store/s3/store-headers.js";
export type { StoreCheck, StoreCheckId, StoreProgress, StoreReport, StoreVerdict } from "./verify/report.js";
export { type VerifyStoreBaseOptions, type VerifyStoreOptions, verifyStore } from "./verify-store.js";
