import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import {
  checkBoolean,
  checkBucketName,
  checkCount,
  checkDuration,
  checkFiniteDuration,
  checkLabel,
  checkLease,
  checkOwnerId,
  checkString,
  invalidArgument,
  type KeyEncoding,
  withDefault,
} from "../arguments/checks.js";
import { type OptionNames, refuseUnknownOptions } from "../arguments/option-names.js";
import type { Takeover } from "../runtime/base/context.js";
import { quietLogger } from "../runtime/base/effects.js";
import type { Logger } from "../runtime/base/logger.js";
import type { StoreAdapter } from "../store/object-store.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";
import { checkHeldByParent, type ParentHold } from "./held-by-parent.js";
import { checkStoreHeaders } from "./store-headers.js";
import { checkStore } from "./store-option.js";

/**
 * Options of {@link S3Mutex}: exactly one of `s3Client`, `s3ClientConfig` and `store`, the `bucketName` with either of the first two,
 * and what else is wanted.
 */
export type S3MutexOptions = (S3MutexBaseOptions & S3ClientOption & { readonly store?: undefined }) | StoreMutexOptions;

/** Options of a mutex over a store of the caller's own. */
export type StoreMutexOptions = Omit<S3MutexBaseOptions, OfTheStore> & {
  /**
   * An adapter in place of an S3 client: `fetchStore()`, `memoryStore()` or one of the caller's own. It is not closed with the mutex, and
   * mutexes that share it share what they learn of its clock and its safety.
   */
  readonly store: StoreAdapter;
  readonly s3Client?: undefined;
  readonly s3ClientConfig?: undefined;
} & { readonly [Name in OfTheStore]?: undefined };

/** What is said to the store where it is made. */
type OfTheStore = "bucketName" | "storeHeaders" | "createBucketIfNotExists";

/** How the store is reached: by a client of the caller's own, or by one that is made from its configuration. Not both. */
export type S3ClientOption =
  | {
      /** A client of your own. Nothing is installed on it, it is not closed, and its retry settings do not apply to locks. */
      readonly s3Client: S3Client;
      readonly s3ClientConfig?: undefined;
    }
  | {
      readonly s3Client?: undefined;
      /** Or what to make a client from, as for `new S3Client()`; that client is closed with the mutex. */
      readonly s3ClientConfig: S3ClientConfig;
    };

/** How a store is checked before locks of it are handed out. */
export type Verify = "auto" | "once" | "never";

/** The options of {@link S3Mutex} besides its client or store. */
export interface S3MutexBaseOptions {
  /**
   * The bucket that the locks are in, or the ARN or alias of an access point of one region. Not a Multi-Region Access Point: it
   * leads to several buckets. With a `store` it is left out: the store knows where its objects are.
   */
  readonly bucketName: string;
  /** What the keys of the locks start with. @default "locks/" */
  readonly keyPrefix?: string | undefined;
  /**
   * What the keys of the results of `runOnce` start with: something that no lifecycle rule for locks touches, so it must not
   * start with the `keyPrefix`. By default `once/` and the `keyPrefix`. @default "once/locks/"
   */
  readonly oncePrefix?: string | undefined;
  /**
   * What the keys of semaphores start with. They remember how many permits there are, so no lifecycle rule for locks may reach
   * them. By default `semaphores/` and the `keyPrefix`. @default "semaphores/locks/"
   */
  readonly semaphorePrefix?: string | undefined;
  /** What the bucket's owner or policy wants to see with requests. `expectedBucketOwner` is recommended. */
  readonly storeHeaders?: StoreHeaders | undefined;
  /** Create the bucket with the first request that finds it missing. @default false */
  readonly createBucketIfNotExists?: boolean | undefined;

  /** With the two delays: how long `acquireLock` waits without a `timeoutMs`, the sum of that many doubling delays. @default 5 */
  readonly maxRetries?: number | undefined;
  /** The first of those delays, in milliseconds. @default 200 */
  readonly retryDelayMs?: number | undefined;
  /** The longest of those delays, in milliseconds. @default 5000 */
  readonly maxRetryDelayMs?: number | undefined;
  /** Vary the times between looks and tries at random. @default true */
  readonly useJitter?: boolean | undefined;

  /** The lease, in milliseconds, at least 100: how long a lock lasts that is not renewed. @default 60000 */
  readonly lockTimeoutMs?: number | undefined;
  /**
   * How long after its end a lease is left alone, in milliseconds. Clocks that lie inside the bounds that the store's answers
   * give are assumed to be right to half of this. @default 1000
   */
  readonly clockSkewToleranceMs?: number | undefined;
  /**
   * When the lease of another holder counts as ended: by the store's clock, or only after it was watched, unrenewed, for its whole
   * length by this process. @default "store-time"
   */
  readonly takeover?: Takeover | undefined;

  /** Who holds, in the record. Two instances with the same one may refresh and release each other's locks. @default random */
  readonly ownerId?: string | undefined;
  /** Put host name and process id into the record, for people to read. @default true */
  readonly publishHost?: boolean | undefined;
  /** A word about this process in the record, for people to read; at most 200 characters. */
  readonly label?: string | undefined;
  /**
   * How names become keys. `1.x` gives every name the key that s3-mutex 1.x gave it, for fleets that still run both; names
   * that differ only in other characters than letters, digits, `-` and `_` are the same lock then. @default "one-to-one"
   */
  readonly keyEncoding?: KeyEncoding | undefined;
  /**
   * `auto`: before the first grant of this client in the bucket is handed out, know that the store honours conditions: by the word of
   * a process that has asked within the last day, which costs nothing, or by asking. Where it does not, `store-unsafe`. Races are not
   * tried.
   *
   * `once`: before the first lock of this client in the bucket, find out within a few seconds whether the store is safe to
   * lock on, its races too, as {@link verifyStore} does in full, and refuse with `store-unsafe` where it is not.
   *
   * `never`: for a store that is known to be safe; one that ignores conditions lets two in, and no call fails. @default "auto"
   */
  readonly verify?: Verify | undefined;
  /**
   * What the processes hold that this one is part of: the text of {@link S3Mutex.heldForChild}, which `s3-mutex run` hands down in the
   * environment variable `S3_MUTEX_HELD`. A call that would wait for one of these holds is told so at once (`deadlock`), and
   * cycles through them are found.
   */
  readonly heldByParent?: string | undefined;
  /**
   * Where messages go. Without one, only what you would not learn of otherwise (a listener that threw) is said, as a warning of the
   * process.
   */
  readonly logger?: Logger | undefined;
}

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

/** The options with their defaults, checked. */
export interface Settings {
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly oncePrefix: string;
  readonly semaphorePrefix: string;
  readonly storeHeaders: StoreHeaders | undefined;
  readonly createBucketIfNotExists: boolean;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly useJitter: boolean;
  readonly leaseMs: number;
  readonly toleranceMs: number;
  readonly takeover: Takeover;
  readonly ownerId: string | undefined;
  readonly publishHost: boolean;
  readonly label: string | undefined;
  readonly keyEncoding: KeyEncoding;
  readonly verify: Verify;
  readonly heldByParent: readonly ParentHold[];
  readonly logger: Logger;
}

/** Checks everything before any request is made. */
export function settingsOf(options: S3MutexOptions): Settings {
  if (typeof options !== "object" || options === null) {
    throw invalidArgument("options", options, "pass { s3Client, bucketName } or { store }");
  }
  refuseUnknownOptions("options", options, MUTEX_OPTIONS);
  const keyPrefix = withDefault("keyPrefix", options.keyPrefix, "locks/", checkString);
  const bucketName = bucketOf(options);
  return {
    bucketName,
    storeHeaders: withDefault("storeHeaders", options.storeHeaders, undefined, (argument, value) =>
      checkStoreHeaders(argument, value, bucketName),
    ),
    keyPrefix,
    oncePrefix: withDefault("oncePrefix", options.oncePrefix, `once/${keyPrefix}`, checkString),
    semaphorePrefix: withDefault("semaphorePrefix", options.semaphorePrefix, `semaphores/${keyPrefix}`, checkString),
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
    leaseMs: withDefault("lockTimeoutMs", options.lockTimeoutMs, 60_000, checkLease),
    toleranceMs: withDefault("clockSkewToleranceMs", options.clockSkewToleranceMs, 1000, checkFiniteDuration),
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

type ClientOptionName = "s3Client" | "s3ClientConfig";

/** Where the locks are: messages and hand-overs name it. */
function bucketOf(options: S3MutexOptions): string {
  if (options.store !== undefined) return checkStore(options);
  checkClient(options, ", or a store");
  return checkBucketName("bucketName", options.bucketName);
}

/** One of the two, and what it says it is: a caller may have no compiler. */
export function checkClient(
  { s3Client, s3ClientConfig }: Partial<Record<ClientOptionName, unknown>>,
  orElse = "",
): void {
  if (s3Client === undefined && s3ClientConfig === undefined) {
    throw invalidArgument("s3Client", undefined, `pass an S3Client, or s3ClientConfig to make one from${orElse}`);
  }
  if (s3Client !== undefined && s3ClientConfig !== undefined) {
    throw invalidArgument("s3ClientConfig", s3ClientConfig, "pass either s3Client or s3ClientConfig, not both");
  }
  if (s3Client !== undefined && typeof (s3Client as S3Client | null)?.send !== "function") {
    throw invalidArgument("s3Client", s3Client, "pass an S3Client of @aws-sdk/client-s3");
  }
  if (s3ClientConfig !== undefined && (typeof s3ClientConfig !== "object" || s3ClientConfig === null)) {
    throw invalidArgument("s3ClientConfig", s3ClientConfig, "pass the options of new S3Client()");
  }
  checkEndpoint((s3ClientConfig as S3ClientConfig | undefined)?.endpoint);
}

/** The SDK makes `localhost://9000` of a host and a port, and says only with the first request that this is not a URI. */
function checkEndpoint(endpoint: unknown): void {
  if (typeof endpoint !== "string" || /^https?:\/\//i.test(endpoint)) return;
  throw invalidArgument("s3ClientConfig.endpoint", endpoint, "begin it with http:// or https://");
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
