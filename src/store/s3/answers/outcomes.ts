import { S3MutexError } from "../../../errors.js";
import type { RefusedOutcome, UnknownOutcome } from "../../object-store.js";
import { CHECKSUM_WORDS } from "../client/checksum-words.js";
import { credentialsRemedy, headerRemedy, missingKeys } from "./bad-credentials.js";
import { described, type Failure, failureOf } from "./failure.js";
import { shownKey } from "./key-words.js";
import { isKeyTooLong, type Refusal, refusalOf } from "./refusals.js";
import type { Request } from "./request.js";
import { type Transmission, timingOf } from "./transmission.js";

export interface FailureContext {
  readonly request: Request;
  /** Whether the store has accepted credentials of this client before: then a provider that fails now may recover. */
  readonly credentialsWorked: boolean;
  /** Whether this answer's `Date` made the SDK correct its clock by minutes: then the next signature will be right. */
  readonly clockCorrected: boolean;
}

interface Doubt {
  readonly kind: "unknown";
  readonly throttled?: boolean;
  readonly notApplied?: boolean;
  readonly hint?: string;
}

type Verdict = Doubt | Refusal;

/** Turns whatever the SDK threw, other than the answers that an operation expects, into an outcome of the port. */
export function outcomeOfFailure(
  error: unknown,
  transmission: Transmission,
  context: FailureContext,
): UnknownOutcome | RefusedOutcome {
  const failure = failureOf(error, transmission);
  const verdict = verdictOn(failure, context);
  const what = naming(context.request);
  const timing = timingOf(transmission);
  const withTiming = timing === undefined ? {} : { timing };
  if (verdict.kind === "refused") {
    const did = transmission.status === undefined ? "was not sent" : "was refused";
    const message = `${what} ${did} (${described(failure)}). ${verdict.remedy}`;
    const about = verdict.about === undefined ? {} : { about: verdict.about };
    return {
      kind: "refused",
      error: new S3MutexError(verdict.code, message, { cause: error }),
      ...about,
      ...withTiming,
    };
  }
  const hint = verdict.hint ? ` ${verdict.hint}` : "";
  const isCut = isPart(transmission, failure);
  const cut = isCut ? `the answer broke off after its ${transmission.status}: ` : "";
  return {
    kind: "unknown",
    error: unavailable(`${what}: ${cut}${described(failure)}.${hint}`, error),
    throttled: verdict.throttled ?? false,
    sent: failure.sent && verdict.notApplied !== true,
    ...(failure.isForeign && verdict.hint !== undefined && verdict.hint !== "" ? { isForeign: true } : {}),
    ...(isCut ? { brokeOff: true } : {}),
    ...withTiming,
  };
}

function isPart({ status }: Transmission, failure: Failure): boolean {
  return status !== undefined && failure.status === undefined;
}

/** Describes an answer that was a success and yet does not say what is needed. */
export function outcomeOfBadAnswer(request: Request, fault: string, transmission: Transmission): UnknownOutcome {
  const timing = timingOf(transmission);
  return {
    kind: "unknown",
    error: unavailable(`${naming(request)}: ${fault}`),
    throttled: false,
    sent: true,
    ...(timing === undefined ? {} : { timing }),
  };
}

function naming({ action, bucket, key }: Request): string {
  return `${action} on s3://${bucket}${key === undefined ? "" : `/${shownKey(key)}`}`;
}

export function unavailable(message: string, cause?: unknown): S3MutexError {
  return new S3MutexError("store-unavailable", message, cause === undefined ? {} : { cause });
}

const THROTTLED: ReadonlySet<string> = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TooManyRequests",
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

function verdictOn(failure: Failure, context: FailureContext): Verdict {
  const { status, code, message } = failure;
  const { request } = context;
  if (status === undefined) return verdictWithoutAnswer(failure, context);
  if (status === 429 || THROTTLED.has(code) || status === 503) return { kind: "unknown", throttled: true };
  if (isKmsInTrouble(code, message)) return { kind: "unknown", throttled: true, hint: KMS_BUSY };
  // Also where it comes as an error of the store, and from a proxy, whose limit it may be.
  if (isKeyTooLong(failure, request)) return refusalOf(failure, request);
  if (context.clockCorrected && (status === 400 || status === 403)) return { kind: "unknown", notApplied: true };
  if (failure.isForeign && request.isHead !== true) return { kind: "unknown", hint: foreignHint(failure) };
  if (status === 501) return refusalOf(failure, request);
  if (status === 507)
    return { kind: "unknown", hint: "The store has no space left: free some; a renewal is a write too." };
  if (status >= 500 || status === 408 || status === 425 || status < 300) return { kind: "unknown" };
  if (CLOCK_CODES.has(code)) {
    const hint =
      "The clock of this machine is off, or the store's own: set it right. The SDK corrects for it unless that was switched off.";
    return { kind: "unknown", notApplied: true, hint };
  }
  if (DAMAGED.has(code)) return { kind: "unknown" };
  const refusal = refusalOf(failure, request);
  const isOddlySigned = code === "SignatureDoesNotMatch" && context.credentialsWorked && refusal.kind === "refused";
  return isOddlySigned ? { ...refusal, remedy: ODDLY_SIGNED } : refusal;
}

/** Seen of stores that put a request together in another way than the client before they sign it (s3rver 5, nanio). */
const ODDLY_SIGNED =
  "The store has taken other requests with these credentials: it signs this one differently, or the secret has changed. No policy helps.";

/** Says whether this is a KMS in trouble: AWS says so with 400 and 503; other stores with names of their own. */
function isKmsInTrouble(code: string, message: string): boolean {
  return (
    /^KMS\.?(?:Throttl|LimitExceeded|DependencyTimeout|Internal)/i.test(code) ||
    /rate at which you may call KMS/.test(message)
  );
}

const KMS_BUSY = "The key service (KMS) of the store is overloaded: an S3 Bucket Key saves most of its requests.";

/**
 * Says what to check where the answer is not of S3. It is not an answer: a 404 of an ingress does not say that a lock is free, nor a 403 of
 * a proxy that the caller may not have it.
 */
function foreignHint({ status = 0, location }: Failure): string {
  if (status < 300 || status >= 500) return "";
  const who = "This is not an answer of S3";
  if (status === 304) return `${who}: nothing was asked that 304 could answer.`;
  if (status < 400) {
    const target = location === undefined ? "elsewhere" : `to ${location}`;
    return `${who}: it leads ${target}, such as to a login page. Check the endpoint, and what is between it and this process.`;
  }
  if (status === 407)
    return `${who}: a proxy wants a login. Give it to the S3 client's request handler, or go past the proxy.`;
  if (status === 451) return `${who}: something on the way blocks it for legal reasons.`;
  return `${who}: a proxy, an ingress or a portal on the way sent it, or there is no S3 at this endpoint.`;
}

function verdictWithoutAnswer(failure: Failure, { credentialsWorked }: FailureContext): Verdict {
  const { sent, code, statusElsewhere } = failure;
  const ofHeader = headerRemedy(failure);
  if (ofHeader !== undefined) return { kind: "refused", code: "invalid-argument", remedy: ofHeader };
  if (code === "BadSetting") {
    const remedy = `Write ${CHECKSUM_WORDS.join(" or ")} there, or remove it.`;
    return { kind: "refused", code: "invalid-argument", remedy };
  }
  if (code === "EndpointError" && failure.message.includes("undefined")) {
    const remedy = "Let `s3ClientConfig.endpoint` be the text of a URL; of a URL object, pass its `.href`.";
    return { kind: "refused", code: "invalid-argument", remedy };
  }
  // An access point beside an endpoint that is an address, for one, makes no URL (ERR_INVALID_URL).
  const isOfNetwork = NETWORK_CODE.test(code) && !code.startsWith("ERR_INVALID_") && failure.unreadFile !== true;
  if (!sent && code === "OutOfTime") return { kind: "unknown", hint: UNREADY };
  if (sent || isOfNetwork || TIMEOUTS.has(code)) return { kind: "unknown" };
  const own = credentialsRemedy(failure);
  if (statusElsewhere !== undefined || own !== undefined) {
    const mayRecover = credentialsWorked || statusElsewhere === 429 || (statusElsewhere ?? 0) >= 500;
    if (mayRecover) return { kind: "unknown", throttled: statusElsewhere === 429, hint: missingKeys(failure) ?? "" };
    const remedy = own ?? "Getting credentials or a session failed: check the role of the S3 client.";
    return { kind: "refused", code: "access-denied", remedy, about: "credentials" };
  }
  const remedy = "The request could not be built: check region, endpoint and bucket name of the S3 client.";
  return { kind: "refused", code: "invalid-argument", remedy };
}

const UNREADY =
  "Nothing has left: the credentials of the S3 client, or its region, have not come. Their provider (a function, a `credential_process`, a metadata service) does not answer.";

/** ECONNREFUSED, EAI_AGAIN, CERT_HAS_EXPIRED, ERR_TLS_...: codes of Node, written in capitals. */
const NETWORK_CODE = /^[A-Z][A-Z0-9_]+$/;
const TIMEOUTS: ReadonlySet<string> = new Set(["TransmissionRefused", "TimeoutError", "AbortError"]);
