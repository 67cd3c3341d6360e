import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { checkBucketName, checkNonEmptyString } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { CHECKSUM_WORDS } from "../store/s3/client/checksum-words.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";
import type { MutexOptions, StoreMutexOptions } from "./mutex-options.js";
import { checkStore } from "./store-option.js";

/**
 * Options of {@link S3Mutex}: exactly one of `s3Client`, `s3ClientConfig` and `store`, the `bucketName` with either of the first two,
 * and what else is wanted.
 */
export type S3MutexOptions = (S3MutexBaseOptions & S3ClientOption & { readonly store?: undefined }) | StoreMutexOptions;

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

/** The options of {@link S3Mutex} besides its client. */
export interface S3MutexBaseOptions extends MutexOptions {
  /**
   * The bucket that the locks are in, or the ARN or alias of an access point of one region. Not a Multi-Region Access Point: it
   * leads to several buckets.
   */
  readonly bucketName: string;
  /**
   * Headers that the bucket's owner or policy wants to see: `expectedBucketOwner` (recommended), encryption, ACL, requester pays,
   * storage class.
   */
  readonly storeHeaders?: StoreHeaders | undefined;
  /** Create the bucket with the first request that finds it missing, a read too; that of a fenced object elsewhere never. @default false */
  readonly createBucketIfNotExists?: boolean | undefined;
}

type ClientOptionName = "s3Client" | "s3ClientConfig";

/** Checks how the store is reached. @returns where the locks are: messages and hand-overs name it */
export function checkClientOrStore(options: S3MutexOptions): string {
  if (options.store !== undefined) return checkStore(options);
  checkClient(options, ", or a store");
  return checkBucketOf(options);
}

/** Checks the name of the bucket, in place of which a client with `bucketEndpoint: true` is told its URL. */
export function checkBucketOf(options: S3ClientOption & { readonly bucketName: string }): string {
  const { bucketEndpoint } = options.s3Client?.config ?? options.s3ClientConfig ?? {};
  const check = bucketEndpoint === true ? checkNonEmptyString : checkBucketName;
  return check("bucketName", options.bucketName);
}

/** Checks that one of the two was given, and is what it says it is: a caller may have no compiler. */
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
  const config = s3ClientConfig as S3ClientConfig | undefined;
  checkEndpoint(config?.endpoint);
  checkChecksums("requestChecksumCalculation", config?.requestChecksumCalculation);
  checkChecksums("responseChecksumValidation", config?.responseChecksumValidation);
}

/** Refuses another word than those two, which the SDK takes in silence for "WHEN_REQUIRED"; a function answers later. */
function checkChecksums(option: string, word: unknown): void {
  if (typeof word !== "string" || CHECKSUM_WORDS.some((one) => one === word)) return;
  const remedy = `use ${CHECKSUM_WORDS.map((one) => JSON.stringify(one)).join(" or ")}`;
  throw invalidArgument(`s3ClientConfig.${option}`, word, remedy);
}

/**
 * Refuses a host and a port, of which the SDK makes `localhost://9000`, and what lacks a part that the SDK puts into the URL, as a URL object
 * does: the first request alone would say that this is not a URI.
 */
function checkEndpoint(endpoint: unknown): void {
  if (typeof endpoint === "object" && endpoint !== null && !("url" in endpoint)) {
    const parts = endpoint as Readonly<Record<string, unknown>>;
    if (["protocol", "hostname", "path"].every((part) => typeof parts[part] === "string")) return;
    throw invalidArgument("s3ClientConfig.endpoint", endpoint, "pass the text of a URL; of a URL object, its `.href`");
  }
  if (typeof endpoint !== "string" || /^https?:\/\//i.test(endpoint)) return;
  throw invalidArgument("s3ClientConfig.endpoint", endpoint, "begin it with http:// or https://");
}
