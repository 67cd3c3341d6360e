export type { KeyEncoding } from "./arguments/checks.js";
export type { Versions } from "./core/proof.js";
export type { Identity, Mode, TurnEnd } from "./core/record.js";
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
export type { MutexOptions, StoreMutexOptions, Verify } from "./options/mutex-options.js";
export type {
  AcquireOptions,
  CleanupOptions,
  ForceOptions,
  HealthOptions,
  ListOptions,
  TryAcquireOptions,
  WatchOptions,
  WithLockOptions,
} from "./primitives/call-options.js";
export type { CloseOptions } from "./primitives/closing.js";
export type { Election, ElectionOptions, ObserveOptions, ResignOptions } from "./primitives/election/election.js";
export type { LeaderFunction } from "./primitives/election/leadership.js";
export type { FencedObject, FencedObjectOptions, OpeningFencedObject } from "./primitives/fenced/fenced-object.js";
export type { Lock } from "./primitives/lock.js";
export type { LockSet } from "./primitives/lock-set.js";
export type { AsJson, OnceRun, RunOnceOptions, RunOnceResult } from "./primitives/once/run-once.js";
export type {
  PermitOptions,
  Semaphore,
  SemaphoreOptions,
  WithPermitsOptions,
} from "./primitives/semaphore/semaphore.js";
export type { Takeover } from "./runtime/base/context.js";
export type {
  AcquireEnd,
  AcquireStart,
  DiagnosticsOrigin,
  HoldEnd,
  HoldStart,
  OwnTopics,
  S3MutexDiagnostics,
  StoreRefusal,
  StoreRequest,
  Topics,
} from "./runtime/base/diagnostics.js";
export type {
  AcquiredEvent,
  CloseReport,
  DeadlockEvent,
  HoldEvent,
  LeftBehind,
  S3MutexEvents,
  StoreCheckedEvent,
} from "./runtime/base/events.js";
export type { Logger } from "./runtime/base/logger.js";
export type { CleanupReport, UnreadableLock } from "./runtime/inspect/cleanup.js";
export type { Health, HealthError } from "./runtime/inspect/health.js";
export type { ListProgress } from "./runtime/inspect/inspect.js";
export type { Leader } from "./runtime/inspect/leader-watch.js";
export type { LocksView } from "./runtime/inspect/lock-watcher.js";
// ---------------------------------------------------------------------------------------------------------------------
// Below the line: what authors of an adapter need (docs/guide/adapters.md)

export type {
  AnswerTiming,
  ConflictOutcome,
  DeleteMarker,
  EtagFormHint,
  ListOutcome,
  ObjectStore,
  ReadOptions,
  ReadOutcome,
  RefusedAbout,
  RefusedOutcome,
  RemoveOutcome,
  RequestOptions,
  StoreAdapter,
  UnknownOutcome,
  Versioned,
  WriteCondition,
  WriteOutcome,
} from "./store/object-store.js";
