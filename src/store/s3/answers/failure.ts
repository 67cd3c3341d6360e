import { OutOfTime } from "../../time-bound.js";
import { describeBody, s3WordsOf } from "./answer.js";
import type { Transmission } from "./transmission.js";

/** What an error of the SDK comes down to. */
export interface Failure {
  /** The HTTP status; undefined where there was no answer, or not a whole one. */
  readonly status: number | undefined;
  /** The store's error code, or Node's, or the name of the error. */
  readonly code: string;
  readonly message: string;
  /** An answer came, and it is not the error document that S3 writes: something on the way may have sent it. */
  readonly isForeign: boolean;
  /** Where a redirect leads. */
  readonly location?: string;
  /** Whether the request may have reached the store. */
  readonly sent: boolean;
  /** The region that the bucket is in, where the answer names it. */
  readonly bucketRegion?: string;
  /** Nothing was sent since a file, such as one with a token, could not be read. */
  readonly unreadFile?: true;
  /** The status that some other service answered before the request was sent: STS, or the session of S3 Express. */
  readonly statusElsewhere?: number;
}

/** Node's codes for a connection that never came to be. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const CONNECTING_CALLS: ReadonlySet<string> = new Set(["connect", "getaddrinfo"]);

const FILE_CALLS: ReadonlySet<string> = new Set(["open", "read", "stat", "access"]);
/** Of these calls, what has to do with the file: too many open files are a matter of the moment. */
const FILE_CODES: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR"]);

export function failureOf(error: unknown, transmission: Transmission): Failure {
  const { name, code, message, syscall, errors, $metadata } = fieldsOf(error);
  const status = wholeStatus(error, transmission);
  const words = status === undefined ? undefined : s3WordsOf(transmission);
  const isForeign = status !== undefined && words === undefined;
  // Without an answer, Node's `code` says more than "TimeoutError" does.
  const label = words?.code ?? (isForeign ? "" : (code ?? name ?? "UnknownError"));
  const neverConnected =
    transmission.status === undefined &&
    (NEVER_CONNECTED.has(code ?? "") ||
      CONNECTING_CALLS.has(syscall ?? "") ||
      // Of a host with several addresses, each was tried.
      (Array.isArray(errors) && errors.every((one) => CONNECTING_CALLS.has(fieldsOf(one).syscall ?? ""))));
  const bucketRegion = transmission.headers?.["x-amz-bucket-region"];
  const location = transmission.headers?.location;
  const elsewhere = transmission.sentAtMs === undefined ? $metadata?.httpStatusCode : undefined;
  return {
    status,
    code: String(label),
    message: shortened(words?.message ?? (isForeign ? describeBody(transmission) : (message ?? String(error)))),
    isForeign,
    ...(location === undefined ? {} : { location: shortened(location) }),
    sent: transmission.sentAtMs !== undefined && !neverConnected,
    ...unreadFile(error, transmission),
    ...(bucketRegion === undefined ? {} : { bucketRegion }),
    ...(elsewhere === undefined ? {} : { statusElsewhere: elsewhere }),
  };
}

function unreadFile(error: unknown, transmission: Transmission): Pick<Failure, "unreadFile"> {
  const { syscall = "", code = "" } = fieldsOf(error);
  const isUnread = transmission.sentAtMs === undefined && FILE_CALLS.has(syscall) && FILE_CODES.has(code);
  return isUnread ? { unreadFile: true } : {};
}

/**
 * Gives the status of an answer that came whole. Of one that broke off, the status alone does not say enough: a 404 may be about the key or
 * about the bucket.
 */
export function wholeStatus(error: unknown, transmission: Transmission): number | undefined {
  const brokeOff = error instanceof OutOfTime || fieldsOf(error).code !== undefined;
  return brokeOff ? undefined : transmission.status;
}

/** Describes a failure for a sentence. */
export function described(failure: Failure): string {
  if (failure.isForeign) return `${failure.status} with ${failure.message}`;
  const head = failure.status === undefined ? failure.code : `${failure.status} ${failure.code}`;
  return failure.message === "" || failure.message === failure.code ? head : `${head}: ${failure.message}`;
}

interface ErrorFields {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly syscall?: string;
  readonly errors?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function fieldsOf(error: unknown): ErrorFields {
  return typeof error === "object" && error !== null ? (error as ErrorFields) : {};
}

function shortened(message: string): string {
  const oneLine = message.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return oneLine.length > 200 ? `${oneLine.slice(0, 200)}...` : oneLine;
}
