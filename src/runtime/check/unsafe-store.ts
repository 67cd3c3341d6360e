import { S3MutexError } from "../../errors.js";
import {
  type RefusedOutcome,
  remedyForVersions,
  type UnknownOutcome,
  type Versioning,
} from "../../store/object-store.js";

/** Says that the store does not do what locks rest on: two would have the same lock at once. */
export function ignoredError(bucketName: string, seen: string, versioning: Versioning | undefined): S3MutexError {
  const remedy =
    remedyForVersions(versioning) ??
    "Use a store that honours conditional writes, or a version of this one that does; a proxy in front of it may also drop the headers.";
  const message = `The bucket ${JSON.stringify(bucketName)} is not safe to lock in: ${seen}. ${remedy} \`s3-mutex doctor\` examines it in full.`;
  return new S3MutexError("store-unsafe", message);
}

/** Says that nothing is known of the store by that, and a lock is not handed out in the hope that it is safe. */
export function deniedError(bucketName: string, key: string, { error: cause, about }: RefusedOutcome): S3MutexError {
  const object = `s3://${bucketName}/${key}`;
  const start = "Whether the store honours conditional writes could not be checked";
  // Of credentials, a quota or a key of the encryption it has said itself what to do.
  const isOfObject = about === "permissions" && !/\bkms:\w+/.test(cause.message);
  const message = isOfObject
    ? `${start}: ${object} may not be written (${cause.message}) Allow s3:GetObject and s3:PutObject on it, or, where you know that the store is safe, set verify: "never".`
    : `${start}: ${cause.message}`;
  return new S3MutexError("access-denied", message, { cause });
}

/** Says that a check has come to no verdict: it may be made again. */
export function notEnded(error: unknown): UnknownOutcome {
  const cause = S3MutexError.is(error) ? error : undefined;
  const message = `the check of the store did not come to an end: ${cause?.message ?? String(error)}`;
  const unavailable = new S3MutexError("store-unavailable", message, { cause: error });
  return { kind: "unknown", error: unavailable, throttled: false, sent: false };
}

/** Says that what was found did not last up to the moment at which a grant could go by it; the store has answered all. */
export function voidAtOnce(nowMs: number): UnknownOutcome {
  const message =
    "the check of the store has passed, and was void at once: answers to writes disagree about the versioning of the bucket, or the clock of this process is being set by days";
  const error = new S3MutexError("store-unavailable", message);
  return { kind: "unknown", error, throttled: false, sent: true, timing: { sentAtMs: nowMs, receivedAtMs: nowMs } };
}
