import type { S3Client } from "@aws-sdk/client-s3";
import {
  checkCount,
  checkFiniteDuration,
  checkKeyText,
  checkLease,
  checkSignal,
  withDefault,
} from "../arguments/checks.js";
import { DEFAULT_LEASE_MS, DEFAULT_TOLERANCE_MS } from "../arguments/defaults.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "../arguments/option-names.js";
import { S3MutexError } from "../errors.js";
import { checkBucketOf, checkClient, type S3ClientOption } from "../options/s3-options.js";
import { checkStoreHeaders } from "../options/store-headers.js";
import { realEffects } from "../runtime/base/effects.js";
import { abortAfter } from "../runtime/base/timing.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";
import type { StoreCheck, StoreProgress, StoreReport } from "./examination/report.js";

/**
 * Options of {@link verifyStore}: `bucketName`, exactly one of `s3Client` and `s3ClientConfig`, and what else is wanted. Races run over
 * the sockets of an `s3Client`, several at once. From an `s3ClientConfig` three clients are made, so that more than one gateway may be
 * met; they are closed at the end.
 */
export type VerifyStoreOptions = VerifyStoreBaseOptions & S3ClientOption;

/** The options of {@link verifyStore} besides its client. */
export interface VerifyStoreBaseOptions {
  /** Clients that reach the same bucket by other ways, such as a second gateway; races run across all of them. */
  readonly otherClients?: readonly S3Client[] | undefined;
  /** The bucket to examine. */
  readonly bucketName: string;
  /** What the keys of the locks start with; what is written is under `.s3-mutex/` below it. @default "locks/" */
  readonly keyPrefix?: string | undefined;
  /** What the bucket's owner or policy wants to see with requests, as for `S3Mutex`. */
  readonly storeHeaders?: StoreHeaders | undefined;
  /** The lease that latencies are compared with, in milliseconds. @default 60000 */
  readonly lockTimeoutMs?: number | undefined;
  /** How far apart the store's clocks may be, in milliseconds. @default 1000 */
  readonly clockSkewToleranceMs?: number | undefined;
  /** Rounds of each race. @default as many as fit into two or three seconds, from 20 to 400 */
  readonly rounds?: number | undefined;
  /** Stops the examination; what it wrote is removed all the same, unless the store is silent: that is not waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each check as soon as it is done, and with how far the examination is. */
  readonly onCheck?: ((check: StoreCheck, progress: StoreProgress) => void) | undefined;
}

const VERIFY_STORE_OPTIONS: OptionNames<VerifyStoreOptions> = {
  s3Client: true,
  s3ClientConfig: true,
  otherClients: true,
  bucketName: true,
  keyPrefix: true,
  storeHeaders: true,
  lockTimeoutMs: true,
  clockSkewToleranceMs: true,
  rounds: true,
  signal: true,
  onCheck: true,
};

const CONTENDERS = 8;

/**
 * Examines whether a store is safe to lock on: conditional writes one after the other and in races, reads, listings,
 * permissions, clock, latency. It takes some ten seconds and some thousand requests on a store that answers within milliseconds, up to a
 * minute on a slow one, and two at most (with more than 400 `rounds`, as much more). It writes only keys that no lock has, and removes them.
 *
 * @returns a report; a store that is unsafe is not an error
 * @throws `invalid-argument`, `no-such-bucket`, `aborted`; `access-denied` where it is not permissions that are missing but
 * credentials, a quota or the like, and where reads or writes are refused that were allowed at first; and `store-unavailable` when the store, or one of `otherClients`, does not answer or stops
 * answering, when something on the way answers for it, or when it has not ended after two minutes
 */
export async function verifyStore(options: VerifyStoreOptions): Promise<StoreReport> {
  if (typeof options !== "object" || options === null) {
    throw invalidArgument("options", options, "pass { s3Client, bucketName }");
  }
  refuseUnknownOptions("options", options, VERIFY_STORE_OPTIONS);
  checkClient(options);
  const rounds = withDefault("rounds", options.rounds, undefined, checkCount);
  const bucketName = checkBucketOf(options);
  const plan = {
    bucketName,
    storeHeaders: withDefault("storeHeaders", options.storeHeaders, undefined, (argument, value) =>
      checkStoreHeaders(argument, value, bucketName),
    ),
    keyPrefix: withDefault("keyPrefix", options.keyPrefix, "locks/", checkKeyText),
    leaseMs: withDefault("lockTimeoutMs", options.lockTimeoutMs, DEFAULT_LEASE_MS, checkLease),
    toleranceMs: withDefault(
      "clockSkewToleranceMs",
      options.clockSkewToleranceMs,
      DEFAULT_TOLERANCE_MS,
      checkFiniteDuration,
    ),
    thoroughness: {
      rounds: rounds === undefined ? { min: 20, max: 400 } : { min: rounds, max: rounds },
      // Races of fewer rounds are for those in a hurry.
      totalMs: Math.min(8000, 1000 + (rounds ?? 400) * 50),
      contenders: CONTENDERS,
      readRounds: 6,
    },
    isEssential: false,
    signal: withDefault("signal", options.signal, undefined, checkSignal),
    onCheck: options.onCheck,
  };
  const { longestMs } = await import("./examination/thoroughness.js");
  const { clientsOf, examine } = await import("./verify.js");
  const own = options.s3ClientConfig === undefined ? [] : clientsOf(options.s3ClientConfig);
  const given = options.s3Client === undefined ? [] : [options.s3Client];
  const patienceMs = longestMs(rounds);
  const limit = abortAfter(realEffects, patienceMs, plan.signal);
  try {
    const clients = [...own, ...given];
    const { otherClients = [] } = options;
    return await examine({ ...plan, clients, otherClients, signal: limit.signal }, realEffects);
  } catch (error) {
    if (!limit.isLate()) throw error;
    const message = `The store was too slow to be examined within ${patienceMs / 1000} s: try again when it answers.`;
    throw new S3MutexError("store-unavailable", message, { cause: error });
  } finally {
    limit.cancel();
    for (const client of own) client.destroy();
  }
}
