import { arnOf, isNewName, looksMistaken } from "../../../arguments/bucket-names.js";
import type { CodeWithoutDetails } from "../../../errors.js";
import type { RefusedAbout } from "../../object-store.js";
import { credentialsRemedy } from "./bad-credentials.js";
import type { Failure } from "./failure.js";
import { isLong, tooLong } from "./key-words.js";
import type { Request } from "./request.js";

/** An answer of S3 that will be the same next time, and what to do about it. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: CodeWithoutDetails;
  readonly remedy: string;
  readonly about?: RefusedAbout;
}

const WRONG_REGION: ReadonlySet<string> = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "Redirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
]);

const BAD_NAMES: ReadonlySet<string> = new Set(["InvalidBucketName", "InvalidURI"]);

/** What stores say of a key that they do not take: AWS and SeaweedFS; Ceph and nanio; MinIO. */
const BAD_KEYS: ReadonlySet<string> = new Set([
  "KeyTooLongError",
  "KeyTooLong",
  "InvalidObjectName",
  "InvalidKey",
  "XMinioInvalidObjectName",
]);
const TOO_LONG = /(?:name|key|path|ur[il])\b.{0,40}\btoo long\b|too long\b.{0,20}\b(?:name|key|path)\b|ENAMETOOLONG/i;

/** Says whether this store will never take the key for its length, whichever status it says so with. */
export function isKeyTooLong({ status, code, message }: Failure, { key }: Request): boolean {
  if (key === undefined) return false;
  return status === 414 || /^KeyTooLong/.test(code) || TOO_LONG.test(message);
}

/** The codes that are about a policy; the other answers of 403 are not mended by one. */
const DENIED: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException", "Forbidden", "AccessForbidden"]);

const ACCOUNT: ReadonlySet<string> = new Set([
  "AccountProblem",
  "AllAccessDisabled",
  "NotSignedUp",
  "PaymentRequired",
  "UserSuspended",
  "InvalidPayer",
]);

const CONDITIONS_WANTED = "Locks need PutObject with If-Match and If-None-Match";
const OR_CHECKSUMS =
  'If it is the checksums of newer SDKs that it cannot do, set `requestChecksumCalculation: "WHEN_REQUIRED"`.';

/** Judges by the store's own code and words what it has refused for good. */
export function refusalOf(failure: Failure, request: Request): Refusal | { readonly kind: "unknown" } {
  const { status, code } = failure;
  if (isKeyTooLong(failure, request)) return badKey(request, true);
  if (code === "NoSuchBucket") return noSuchBucket(request);
  if (WRONG_REGION.has(code) || status === 301 || status === 307) return wrongRegion(failure);
  const credentials = credentialsRemedy(failure);
  if (credentials !== undefined) return denied(credentials, "credentials");
  const named = refusalByName(failure, request);
  if (named !== undefined) return named;
  if (status === 401 || status === 403) {
    if (DENIED.has(code) || code === "") return denied(allow(request), "permissions");
    return denied("It is not a matter of s3:* permissions: the store's own words say why.");
  }
  if (BAD_KEYS.has(code)) return badKey(request, false);
  if (BAD_NAMES.has(code)) {
    const remedy = isNewName(request.bucket)
      ? "Check the bucket's name and the length of the key."
      : noNewName(request.bucket);
    return { kind: "refused", code: "invalid-argument", remedy };
  }
  // A conflict or a missing thing where none is expected is about the moment, not about the request.
  if (status === 404 || status === 409 || status === 412) return { kind: "unknown" };
  const mayBeCondition = request.isConditional === true && (status === 400 || status === 501);
  return { kind: "refused", code: "store-unsafe", remedy: unsafeRemedy(request, mayBeCondition) };
}

function unsafeRemedy({ isExamination = false }: Request, mayBeCondition: boolean): string {
  if (mayBeCondition) {
    return `${CONDITIONS_WANTED}${isExamination ? "" : " (`s3-mutex doctor` checks a store)"}. ${OR_CHECKSUMS}`;
  }
  return `The store does not do what locks need${isExamination ? "" : ": `s3-mutex doctor` examines it"}.`;
}

function noSuchBucket({ bucket, isNotCreated }: Request): Refusal {
  const orSet = isNotCreated === true ? "" : ", or set `createBucketIfNotExists: true`";
  const named = isNewName(bucket) ? `Create the bucket ${bucket}${orSet}.` : noNewName(bucket);
  const remedy = looksMistaken(bucket)
    ? `Check the bucket's name: ${JSON.stringify(bucket)} looks like a value that was missing, or an address.`
    : named;
  return { kind: "refused", code: "no-such-bucket", remedy };
}

/** Says of a bucket that is not there why creating it does not help. */
function noNewName(bucket: string): string {
  return `Check the bucket's name: S3 creates no bucket ${JSON.stringify(bucket)}. Names have 3 to 63 characters: small letters, digits, hyphens, and dots that do not stand side by side. They begin and end with a letter or a digit, and are not an IP address.`;
}

/** Refuses a key: a short one for what is in it, which comes from the prefix, since names are escaped. */
function badKey({ key = "", isExamination = false }: Request, isForLength: boolean): Refusal {
  const remedy =
    isForLength || isLong(key)
      ? tooLong(key, isExamination)
      : "The store does not take such keys: use a keyPrefix of letters, digits, `-`, `_` and single slashes.";
  return { kind: "refused", code: "invalid-argument", remedy };
}

function denied(remedy: string, about?: RefusedAbout): Refusal {
  return { kind: "refused", code: "access-denied", remedy, ...(about === undefined ? {} : { about }) };
}

function wrongRegion({ bucketRegion }: Failure): Refusal {
  const region = bucketRegion === undefined ? "the bucket's region" : `"${bucketRegion}"`;
  const remedy = `Set \`region\` of the S3 client to ${region}.`;
  return { kind: "refused", code: "invalid-argument", remedy };
}

function allow({ action, bucket, key }: Request): string {
  // AWS hides whether an object exists from clients that may not list.
  const list = action === "s3:GetObject" ? " and s3:ListBucket on the bucket (a missing object is 403 without it)" : "";
  return `Allow ${action} on ${arnOf(bucket, key)}${list}.${ifAllowed(action)}`;
}

/** Says what else AWS denies without saying that it is another matter. */
export function ifAllowed(action: string): string {
  if (action === "s3:PutObject") {
    return " If it is allowed, the bucket's policy may want headers, such as for encryption or an ACL: set `storeHeaders`.";
  }
  if (action !== "s3:GetObject") return "";
  return " If it is allowed, the bucket may be another account's than expected, or want its requesters to pay: set `storeHeaders`.";
}

/** Finds the refusal, where a remedy of its own fits. */
function refusalByName({ status, code, message }: Failure, { bucket, key }: Request): Refusal | undefined {
  const right = /\bkms:\w+/.exec(message)?.[0];
  if (status === 403 && right !== undefined) {
    const remedy = `Allow ${right} on the KMS key of the bucket; locks need kms:GenerateDataKey and kms:Decrypt.`;
    return denied(remedy, "permissions");
  }
  if (/^(?:XMinio)?KMS/i.test(code)) {
    return denied("The KMS key of the bucket cannot be used: enable it, or choose another as default encryption.");
  }
  if (/quota|TooManyObjects/i.test(code)) {
    return denied("The quota of the store is used up: raise it, or delete something. A renewal is a write too.");
  }
  if (code === "InvalidObjectState") {
    const remedy = `The object ${key ?? ""} is archived, so it cannot be read: keep lifecycle rules that move objects to other storage classes off the locks of ${bucket}. deleteLock(name, true) clears the lock.`;
    return denied(remedy);
  }
  if (status === 405) {
    return {
      kind: "refused",
      code: "store-unsafe",
      remedy: "The endpoint does not take such requests: it may be a website or a console, or the store is read-only.",
    };
  }
  if (/read[- ]?only/i.test(`${code} ${message}`)) {
    return denied(
      "The store is read-only: locks need writes. Use one that takes them, or wait for the end of its maintenance.",
    );
  }
  if (ACCOUNT.has(code))
    return denied("The account of the store is suspended or limited: no policy helps, its provider does.");
  if (status === 451) return denied("The store blocks this for legal reasons.");
  if (status === 400 && /checksum|content-md5/i.test(message)) {
    return { kind: "refused", code: "store-unsafe", remedy: CHECKSUM_WANTED };
  }
  return undefined;
}

const CHECKSUM_WANTED =
  'The store wants a checksum with each write, as under Object Lock: set `requestChecksumCalculation: "WHEN_SUPPORTED"`. If it is the checksum that it cannot do, set "WHEN_REQUIRED".';
