import { S3MutexError, type S3MutexErrorCode } from "../../errors.js";
import type { RefusedOutcome, UnknownOutcome } from "../object-store.js";
import { described, type Failure, failureOf } from "./failure.js";
import { type Attempt, timingOf } from "./single-attempt.js";

/** What was asked for, in the words of a policy. */
export interface Request {
  readonly action: string;
  readonly bucket: string;
  /** Absent for requests about the bucket itself. */
  readonly key?: string;
}

export interface FailureContext {
  readonly request: Request;
  /** Whether the store has accepted credentials of this client before: then a provider that fails now may recover. */
  readonly credentialsWorked: boolean;
  /** Whether this answer's `Date` made the SDK correct its clock by minutes: then the next signature will be right. */
  readonly clockCorrected: boolean;
}

type Verdict =
  | { readonly kind: "unknown"; readonly throttled?: boolean; readonly notApplied?: boolean; readonly hint?: string }
  | { readonly kind: "refused"; readonly code: S3MutexErrorCode; readonly remedy: string };

/** Turns whatever the SDK threw, other than the answers that an operation expects, into an outcome of the port. */
export function outcomeOfFailure(
  error: unknown,
  attempt: Attempt,
  context: FailureContext,
): UnknownOutcome | RefusedOutcome {
  const failure = failureOf(error, attempt);
  const verdict = verdictOn(failure, context);
  const { action, bucket, key } = context.request;
  const what = `${action} on s3://${bucket}${key === undefined ? "" : `/${key}`}`;
  const timing = timingOf(attempt);
  const withTiming = timing === undefined ? {} : { timing };
  if (verdict.kind === "refused") {
    const message = `${what} was refused (${described(failure)}). ${verdict.remedy}`;
    return { kind: "refused", error: new S3MutexError(verdict.code, message, { cause: error }), ...withTiming };
  }
  const hint = verdict.hint === undefined ? "" : ` ${verdict.hint}`;
  return {
    kind: "unknown",
    error: unavailable(`${what}: ${described(failure)}.${hint}`, error),
    throttled: verdict.throttled ?? false,
    sent: failure.sent && verdict.notApplied !== true,
    ...withTiming,
  };
}

/** For an answer that was a success and yet does not say what is needed. */
export function outcomeOfBadAnswer(request: Request, fault: string, attempt: Attempt): UnknownOutcome {
  const timing = timingOf(attempt);
  const message = `${request.action} on s3://${request.bucket}/${request.key ?? ""}: ${fault}`;
  return {
    kind: "unknown",
    error: unavailable(message),
    throttled: false,
    sent: true,
    ...(timing === undefined ? {} : { timing }),
  };
}

export function unavailable(message: string, cause?: unknown): S3MutexError {
  return new S3MutexError("store-unavailable", message, cause === undefined ? {} : { cause });
}

/** Whether a 404 is about the bucket; all others are about the key. */
export function isMissingBucket(error: unknown): boolean {
  return (error as { name?: unknown } | undefined)?.name === "NoSuchBucket";
}

const THROTTLED: ReadonlySet<string> = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
]);

/** The store did not accept when the request says it was signed. */
const CLOCK_CODES: ReadonlySet<string> = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);

/** The request came to harm on its way; a second one may arrive whole. */
const DAMAGED: ReadonlySet<string> = new Set([
  "RequestTimeout",
  "IncompleteBody",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
]);

const WRONG_REGION: ReadonlySet<string> = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "Redirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
]);

const EXPIRED = "The credentials of the S3 client have expired: give it a credential provider that renews them.";

const BAD_CREDENTIALS: Readonly<Record<string, string>> = {
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  InvalidToken: "The session token is not valid: check `sessionToken` and that it belongs to this access key.",
  InvalidAccessKeyId: "The store does not know this access key: check `accessKeyId` and the endpoint.",
  SignatureDoesNotMatch: "The secret does not fit the access key: check `secretAccessKey`, region and endpoint.",
  CredentialsProviderError: "The S3 client has no credentials: set `credentials`, AWS_ACCESS_KEY_ID or a role.",
  Unauthorized: "The store wants other credentials: check those of the S3 client.",
};

const BAD_NAMES: ReadonlySet<string> = new Set(["InvalidBucketName", "KeyTooLongError", "InvalidURI"]);

const UNSAFE = [
  "Locks need PutObject with If-Match and If-None-Match (`s3-mutex doctor` checks a store).",
  'If it is the checksums of newer SDKs that it cannot do, set `requestChecksumCalculation: "WHEN_REQUIRED"`.',
].join(" ");

function verdictOn(failure: Failure, context: FailureContext): Verdict {
  const { status, code } = failure;
  if (status === undefined) return verdictWithoutAnswer(failure, context);
  if (status === 429 || THROTTLED.has(code) || status === 503) return { kind: "unknown", throttled: true };
  if (status === 501) return { kind: "refused", code: "store-unsafe", remedy: UNSAFE };
  if (status >= 500 || status === 408 || status === 425 || status < 300) return { kind: "unknown" };
  if (CLOCK_CODES.has(code)) {
    const hint = "The clock of this machine is off; the SDK corrects for it unless that was switched off.";
    return { kind: "unknown", notApplied: true, hint };
  }
  if (context.clockCorrected && (status === 400 || status === 403)) return { kind: "unknown", notApplied: true };
  if (DAMAGED.has(code)) return { kind: "unknown" };
  return verdictOnRequest(failure, context);
}

/** Answers of 3xx and 4xx that will be the same next time. */
function verdictOnRequest({ status, code, bucketRegion }: Failure, { request }: FailureContext): Verdict {
  if (code === "NoSuchBucket") {
    const remedy = `Create the bucket ${request.bucket}, or set \`createBucketIfNotExists: true\`.`;
    return { kind: "refused", code: "no-such-bucket", remedy };
  }
  if (WRONG_REGION.has(code) || status === 301 || status === 307) {
    const region = bucketRegion === undefined ? "the bucket's region" : `"${bucketRegion}"`;
    return { kind: "refused", code: "invalid-argument", remedy: `Set \`region\` of the S3 client to ${region}.` };
  }
  const credentials = BAD_CREDENTIALS[code];
  if (credentials !== undefined) return { kind: "refused", code: "access-denied", remedy: credentials };
  if (status === 401 || status === 403) {
    // AWS hides whether an object exists from those who may not list.
    const list =
      request.action === "s3:GetObject" ? " and s3:ListBucket on the bucket (a missing object is 403 without it)" : "";
    const path = request.key === undefined ? "" : `/${request.key}`;
    const remedy = `Allow ${request.action} on arn:aws:s3:::${request.bucket}${path}${list}.`;
    return { kind: "refused", code: "access-denied", remedy };
  }
  if (BAD_NAMES.has(code)) {
    return { kind: "refused", code: "invalid-argument", remedy: "Check the bucket's name and the length of the key." };
  }
  // A conflict or a missing thing where none is expected is about the moment, not about the request.
  if (status === 404 || status === 409 || status === 412) return { kind: "unknown" };
  return { kind: "refused", code: "store-unsafe", remedy: UNSAFE };
}

function verdictWithoutAnswer(failure: Failure, { credentialsWorked }: FailureContext): Verdict {
  const { sent, code, statusElsewhere } = failure;
  if (sent || NETWORK_CODE.test(code) || TIMEOUTS.has(code)) return { kind: "unknown" };
  if (statusElsewhere !== undefined || BAD_CREDENTIALS[code] !== undefined) {
    const mayRecover = credentialsWorked || statusElsewhere === 429 || (statusElsewhere ?? 0) >= 500;
    if (mayRecover) return { kind: "unknown", throttled: statusElsewhere === 429 };
    const remedy = BAD_CREDENTIALS[code] ?? "Getting credentials or a session failed: check the role of the S3 client.";
    return { kind: "refused", code: "access-denied", remedy };
  }
  const remedy = "The request could not be built: check region, endpoint and bucket name of the S3 client.";
  return { kind: "refused", code: "invalid-argument", remedy };
}

/** ECONNREFUSED, EAI_AGAIN, CERT_HAS_EXPIRED, ERR_TLS_...: codes of Node, written in capitals. */
const NETWORK_CODE = /^[A-Z][A-Z0-9_]+$/;
const TIMEOUTS: ReadonlySet<string> = new Set(["AttemptTimeout", "AttemptRefused", "TimeoutError", "AbortError"]);
