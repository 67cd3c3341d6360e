import type { KeyEncoding } from "../arguments/checks.js";
import type { Takeover } from "../runtime/base/context.js";
import type { Logger } from "../runtime/base/logger.js";
import type { StoreAdapter } from "../store/object-store.js";
import type { ParentHold } from "./held-by-parent.js";

/** Options of a mutex over a store of the caller's own. */
export interface StoreMutexOptions extends MutexOptions {
  /**
   * An adapter in place of an S3 client: `fetchStore()`, `memoryStore()` or one of the caller's own. It is not closed with the mutex, and
   * mutexes that share it share what they learn of its clock and its safety.
   */
  readonly store: StoreAdapter;
  readonly s3Client?: undefined;
  readonly s3ClientConfig?: undefined;
  readonly bucketName?: undefined;
  readonly storeHeaders?: undefined;
  readonly createBucketIfNotExists?: undefined;
}

/** How a store is checked before locks of it are handed out. */
export type Verify = "auto" | "once" | "never";

/** The options of every mutex, wherever its locks are. */
export interface MutexOptions {
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

  /**
   * With the two delays: how long `acquireLock` and `withLock` wait without a `timeoutMs`, the sum of that many doubling delays:
   * 200 + 400 + 800 + 1600 + 3200 ms = 6.2 s by default. @default 5
   */
  readonly maxRetries?: number | undefined;
  /** The first of those delays, in milliseconds. @default 200 */
  readonly retryDelayMs?: number | undefined;
  /** The longest of those delays, in milliseconds. @default 5000 */
  readonly maxRetryDelayMs?: number | undefined;
  /** Vary the times between polls and tries at random. @default true */
  readonly useJitter?: boolean | undefined;

  /** The lease, in milliseconds, at least 100: how long a lock lasts that is not renewed. @default 60000 */
  readonly lockTimeoutMs?: number | undefined;
  /**
   * How long after its end a lease is left alone, in milliseconds; the same for all clients of a lock. Clocks that lie inside the bounds that the store's answers
   * give are assumed to be right to half of this. @default 1000
   */
  readonly clockSkewToleranceMs?: number | undefined;
  /**
   * When the lease of another holder counts as ended: by the store's clock (`"store-time"`), or only after this process has watched it,
   * unrenewed, for its whole length (`"observed"`). @default "store-time"
   */
  readonly takeover?: Takeover | undefined;

  /** The owner that the record names. Two instances with the same one may refresh and release each other's locks by name. @default random */
  readonly ownerId?: string | undefined;
  /** Put host name and process id into the record, for people to read; neither where the runtime does not tell the name. @default true */
  readonly publishHost?: boolean | undefined;
  /** A word about this process in the record, for people to read; at most 200 characters. */
  readonly label?: string | undefined;
  /**
   * How names become keys. `"1.x"` gives every name the key that s3-mutex 1.x gave it, for fleets that still run both; names
   * that differ only in other characters than letters, digits, `-` and `_` are the same lock then. @default "one-to-one"
   */
  readonly keyEncoding?: KeyEncoding | undefined;
  /**
   * `"auto"`: before the first grant of this client in the bucket is handed out, know that the store honours conditions: by the word of
   * a process that has asked within the last day, which costs nothing, or by asking. Where it does not, `store-unsafe`. Races are not
   * tried.
   *
   * `"once"`: before the first lock of this client in the bucket, find out within a few seconds whether the store is safe to
   * lock on, its races too, as {@link verifyStore} does in full, and refuse with `store-unsafe` where it is not.
   *
   * `"never"`: for a store that is known to be safe; one that ignores conditions lets two in, and no call fails. @default "auto"
   */
  readonly verify?: Verify | undefined;
  /**
   * What the processes hold that this one is part of: the text of {@link S3Mutex.heldForChild}, which `s3-mutex run` hands down in the
   * environment variable `S3_MUTEX_HELD`. A call that would wait for one of these holds is told so at once (`deadlock`), and
   * cycles through them are found.
   */
  readonly heldByParent?: string | undefined;
  /**
   * Where messages go: an object with `warn` and `error`, as `console`, pino, winston and bunyan have them. Without one, only what you would not learn of otherwise (a listener that threw) is said, as a warning of the
   * process.
   */
  readonly logger?: Logger | undefined;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly oncePrefix: string;
  readonly semaphorePrefix: string;
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
