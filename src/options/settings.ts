import {
  checkBoolean,
  checkCount,
  checkDuration,
  checkFiniteDuration,
  checkKeyText,
  checkLabel,
  checkLease,
  checkOwnerId,
  type KeyEncoding,
  withDefault,
} from "../arguments/checks.js";
import {
  DEFAULT_LEASE_MS,
  DEFAULT_TOLERANCE_MS,
  defaultOncePrefix,
  defaultSemaphorePrefix,
} from "../arguments/defaults.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "../arguments/option-names.js";
import type { Takeover } from "../runtime/base/context.js";
import { quietLogger } from "../runtime/base/effects.js";
import type { Logger } from "../runtime/base/logger.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";
import { checkHeldByParent } from "./held-by-parent.js";
import type { Settings, Verify } from "./mutex-options.js";
import type { S3MutexOptions } from "./s3-options.js";
import { checkStoreHeaders } from "./store-headers.js";

export const MUTEX_OPTIONS: OptionNames<S3MutexOptions> = {
  s3Client: true,
  s3ClientConfig: true,
  store: true,
  bucketName: true,
  keyPrefix: true,
  oncePrefix: true,
  semaphorePrefix: true,
  storeHeaders: true,
  createBucketIfNotExists: true,
  maxRetries: true,
  retryDelayMs: true,
  maxRetryDelayMs: true,
  useJitter: true,
  lockTimeoutMs: true,
  clockSkewToleranceMs: true,
  takeover: true,
  ownerId: true,
  publishHost: true,
  label: true,
  keyEncoding: true,
  verify: true,
  heldByParent: true,
  logger: true,
};

/** The same with what only an S3 client needs. */
export interface AllSettings extends Settings {
  readonly storeHeaders: StoreHeaders | undefined;
  readonly createBucketIfNotExists: boolean;
}

/** Checks everything before any request is made. @param bucketOf checks how the store is reached, and says what its place is called */
export function settingsOf(options: S3MutexOptions, bucketOf: (options: S3MutexOptions) => string): AllSettings {
  if (typeof options !== "object" || options === null) {
    throw invalidArgument("options", options, "pass { s3Client, bucketName } or { store }");
  }
  refuseUnknownOptions("options", options, MUTEX_OPTIONS);
  const keyPrefix = withDefault("keyPrefix", options.keyPrefix, "locks/", checkKeyText);
  const bucketName = bucketOf(options);
  return {
    bucketName,
    storeHeaders: withDefault("storeHeaders", options.storeHeaders, undefined, (argument, value) =>
      checkStoreHeaders(argument, value, bucketName),
    ),
    keyPrefix,
    oncePrefix: withDefault("oncePrefix", options.oncePrefix, defaultOncePrefix(keyPrefix), checkKeyText),
    semaphorePrefix: withDefault(
      "semaphorePrefix",
      options.semaphorePrefix,
      defaultSemaphorePrefix(keyPrefix),
      checkKeyText,
    ),
    createBucketIfNotExists: withDefault(
      "createBucketIfNotExists",
      options.createBucketIfNotExists,
      false,
      checkBoolean,
    ),
    maxRetries: withDefault("maxRetries", options.maxRetries, 5, checkCount),
    retryDelayMs: withDefault("retryDelayMs", options.retryDelayMs, 200, checkDuration),
    maxRetryDelayMs: withDefault("maxRetryDelayMs", options.maxRetryDelayMs, 5000, checkDuration),
    useJitter: withDefault("useJitter", options.useJitter, true, checkBoolean),
    leaseMs: withDefault("lockTimeoutMs", options.lockTimeoutMs, DEFAULT_LEASE_MS, checkLease),
    toleranceMs: withDefault(
      "clockSkewToleranceMs",
      options.clockSkewToleranceMs,
      DEFAULT_TOLERANCE_MS,
      checkFiniteDuration,
    ),
    takeover: withDefault("takeover", options.takeover, "store-time", checkTakeover),
    ownerId: withDefault("ownerId", options.ownerId, undefined, checkOwnerId),
    publishHost: withDefault("publishHost", options.publishHost, true, checkBoolean),
    label: withDefault("label", options.label, undefined, checkLabel),
    keyEncoding: withDefault("keyEncoding", options.keyEncoding, "one-to-one", checkKeyEncoding),
    verify: withDefault("verify", options.verify, "auto", checkVerify),
    heldByParent: withDefault("heldByParent", options.heldByParent, [], checkHeldByParent),
    logger: withDefault("logger", options.logger, quietLogger, checkLogger),
  };
}

function checkTakeover(argument: string, value: unknown): Takeover {
  if (value === "store-time" || value === "observed") return value;
  throw invalidArgument(argument, value, 'use "store-time" or "observed"');
}

function checkKeyEncoding(argument: string, value: unknown): KeyEncoding {
  if (value === "one-to-one" || value === "1.x") return value;
  throw invalidArgument(argument, value, 'use "one-to-one" or "1.x"');
}

function checkVerify(argument: string, value: unknown): Verify {
  if (value === "auto" || value === "never" || value === "once") return value;
  throw invalidArgument(argument, value, 'use "auto", "once" or "never"');
}

function checkLogger(argument: string, value: unknown): Logger {
  if (typeof value === "object" && value !== null) return value;
  throw invalidArgument(argument, value, "pass an object with debug, info, warn and error, such as console");
}
