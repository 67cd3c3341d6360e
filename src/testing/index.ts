/**
 * `s3-mutex/testing`: an S3 server for tests, in this process and over real HTTP, that fails on request; and mutexes on a store
 * in memory, with a clock that a test moves.
 *
 * @packageDocumentation
 */

export { MemoryStore, type MemoryStoreOptions } from "../store/memory.js";
export type {
  AnswerTiming,
  DeleteMarker,
  ListOutcome,
  ObjectStore,
  ReadOptions,
  ReadOutcome,
  RefusedAbout,
  RefusedOutcome,
  RemoveOutcome,
  RequestOptions,
  StoreAdapter,
  StoreEffects,
  TimerOptions,
  UnknownOutcome,
  Versioned,
  WriteCondition,
  WriteOutcome,
} from "../store/object-store.js";
export {
  type ConformanceCheck,
  type ConformanceGroup,
  type ConformanceOptions,
  type ConformanceReport,
  type ConformanceResult,
  type ConformanceSettings,
  conformanceChecks,
  runConformance,
} from "./conformance/conformance.js";
export type { PortTarget, S3Target } from "./conformance/subject.js";
export { memoryStore } from "./memory-store.js";
export type {
  ActiveFault,
  ChangeHeaders,
  DamageBody,
  DelayApply,
  DropBefore,
  Duplicate,
  Fault,
  FaultMatch,
  FaultRule,
  Faults,
  Latency,
  LatencyFault,
  LoseResponse,
  NeverAnswer,
  OmitDate,
  PageFault,
  ShiftDate,
  StaleRead,
  StatusFault,
  TruncateBody,
} from "./server/faults/faults.js";
export type { StoreQuirks } from "./server/faults/quirks.js";
export type { RequestCounts, RequestListener, RequestRecord } from "./server/request-log.js";
export { startS3Server } from "./server/server.js";
export type { S3ClientSettings, S3Server, S3ServerObject, S3ServerOptions } from "./server/server-options.js";
export type { S3Operation, S3RequestInfo } from "./server/wire/operation.js";
export type { RunUntilOptions, TestClock } from "./virtual/clock.js";
export { createTestMutex } from "./virtual/create-test-mutex.js";
export type { FakeTimers } from "./virtual/fake-timers.js";
export type { AnotherOptions, TestMutex, TestMutexOptions } from "./virtual/set-up.js";
export type { FreezeOptions, TestProcess } from "./virtual/test-process.js";
export type { TestRequest, TestStore } from "./virtual/test-store.js";
