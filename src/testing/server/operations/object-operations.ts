import type { Bucket } from "../buckets/bucket.js";
import { isConditionalPut, refusalOfDelete, refusalOfRead, type WriteRefusal } from "../buckets/conditions.js";
import { toStoredObject } from "../buckets/storage.js";
import { isTurnOf, type StoreState } from "../buckets/store-state.js";
import type { StoredObject } from "../buckets/stored-object.js";
import {
  markerOf,
  refusalOfVersionedPut,
  removeObject,
  removeVersion,
  storeObject,
  versionOfObject,
} from "../buckets/versioned-objects.js";
import type { StoreQuirks } from "../faults/quirks.js";
import { monotonicMs } from "../faults/server-clock.js";
import { type Answer, emptyAnswer, errorAnswer } from "../wire/answer.js";
import { storedContentEncoding } from "../wire/aws-chunked.js";
import { type S3Request, singleHeader } from "../wire/s3-request.js";
import { textElement } from "../wire/xml.js";

const KEY_BYTES_MAX = 1024;
/** Long enough for racing requests to overlap, short enough for a test not to notice. */
const RACE_WINDOW_MS = 20;

/** A request for one object in a bucket that exists. */
export interface ObjectRequest extends S3Request {
  readonly key: string;
}

/** Those that come back with the object; the rest of what a PUT says about storing is accepted and has no effect. */
const STORED_HEADERS = ["content-type", "cache-control", "content-disposition", "content-language", "expires"];

/** Acting as if these had not been sent would do something else than was asked for. */
const UNSUPPORTED_HEADERS = [
  "range",
  "if-modified-since",
  "if-unmodified-since",
  "x-amz-copy-source",
  "x-amz-if-match-last-modified-time",
  "x-amz-if-match-size",
  "x-amz-write-offset-bytes",
];

export function hasUnsupportedHeader(request: S3Request): boolean {
  return UNSUPPORTED_HEADERS.some((name) => request.headers[name] !== undefined);
}

export function isTooLong(key: string, bytesMax = KEY_BYTES_MAX): boolean {
  return key.length * 3 > bytesMax && Buffer.byteLength(key) > bytesMax;
}

function refusalAnswer(request: S3Request, refusal: WriteRefusal): Answer {
  if (refusal === "missing") return errorAnswer(request, { status: 404, code: "NoSuchKey" });
  if (refusal === "not-implemented") return errorAnswer(request, { status: 501, code: "NotImplemented" });
  const extra = textElement("Condition", refusal === "if-match-failed" ? "If-Match" : "If-None-Match");
  return errorAnswer(request, { status: 412, code: "PreconditionFailed", extra });
}

function etagHeader(state: StoreState, etag: string, isRead: boolean): Record<string, string> {
  const { etags } = state.quirks;
  if (etags === "missing") return {};
  return { etag: etags === "unsteady" && isRead ? `"${monotonicMs()}"` : etag };
}

/** Finds the version that a read is shown. */
function visible(state: StoreState, bucket: Bucket, key: string, isStale: boolean): StoredObject | undefined {
  if (isStale) return bucket.previous(key);
  const agoMs = state.quirks.staleReadMs;
  return agoMs === undefined ? bucket.get(key) : bucket.getAsOf(key, agoMs);
}

/** Answers a GetObject or HeadObject; `isStale` shows the version before the last change. */
export function readObject(state: StoreState, bucket: Bucket, request: ObjectRequest, isStale: boolean): Answer {
  const object = visible(state, bucket, request.key, isStale);
  if (object === undefined) {
    const missing = errorAnswer(request, { status: 404, code: "NoSuchKey" });
    return { ...missing, headers: { ...missing.headers, ...markerOf(state, bucket, request.key) } };
  }
  const refusal = refusalOfRead(request.headers, object.etag, state.quirks);
  const etag = etagHeader(state, object.etag, true);
  const version = { ...etag, "last-modified": new Date(object.lastModifiedMs).toUTCString() };
  if (refusal === "not-modified") return { status: 304, headers: version };
  if (refusal !== undefined) return refusalAnswer(request, refusal);
  const shown = { ...version, ...versionOfObject(state, bucket, object) };
  const headers = { ...object.headers, ...shown, "accept-ranges": "none", "content-length": object.body.length };
  return request.operation === "HeadObject" ? { status: 200, headers } : { status: 200, headers, body: object.body };
}

function headersToStore(request: S3Request): Record<string, string> {
  const stored: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of STORED_HEADERS) {
    const value = singleHeader(request.headers, name);
    if (value !== undefined && value !== "") stored[name] = value;
  }
  const encoding = storedContentEncoding(request.headers["content-encoding"]);
  if (encoding !== undefined) stored["content-encoding"] = encoding;
  for (const name in request.headers) {
    const value = singleHeader(request.headers, name);
    if (name.startsWith("x-amz-meta-") && value !== undefined) stored[name] = value;
  }
  return stored;
}

/** Says whether the whole of a body has arrived, whichever way it was framed. */
function isComplete(request: S3Request): boolean {
  const declared = singleHeader(request.headers, "x-amz-decoded-content-length");
  return request.body !== undefined && (declared === undefined || Number(declared) === request.body.length);
}

function isOverWriteRate(state: StoreState, bucket: Bucket, key: string): boolean {
  const limit = state.quirks.writesPerSecondPerKey;
  return limit !== undefined && !state.writeRate.admit(bucket.name, key, limit);
}

interface Attempt {
  readonly refusal: () => WriteRefusal | undefined;
  readonly apply: () => Answer;
}

/** Checks and writes in one go, unless a quirk lets others in between. */
function writeConditionally(
  state: StoreState,
  bucket: Bucket,
  request: ObjectRequest,
  attempt: Attempt,
): Answer | Promise<Answer> {
  const refuse = (refusal: WriteRefusal) => {
    if (state.quirks.doRefusedWrites) attempt.apply();
    return refusalAnswer(request, refusal);
  };
  const checkAndWrite = () => {
    const refusal = attempt.refusal();
    return refusal === undefined ? attempt.apply() : refuse(refusal);
  };
  const { checkThenWriteRace } = state.quirks;
  if (checkThenWriteRace) {
    const refusal = attempt.refusal();
    const windowMs = checkThenWriteRace === true ? RACE_WINDOW_MS : checkThenWriteRace;
    return refusal === undefined ? state.timers.sleep(windowMs).then(attempt.apply) : refuse(refusal);
  }
  if (!state.quirks.losersGet500) return checkAndWrite();
  return state.timers.sleep(RACE_WINDOW_MS).then(() => {
    const answer = checkAndWrite();
    const isLostRace = answer.status >= 400 && bucket.lastChangeMs(request.key) > request.receivedAtMs;
    return isLostRace ? errorAnswer(request, { status: 500, code: "UnknownError" }) : answer;
  });
}

function etagOf(etag: string, etags: StoreQuirks["etags"]): string {
  if (etags === "constant") return '"0"';
  return etags === "weak" ? `W/${etag}` : etag;
}

export function putObject(state: StoreState, bucket: Bucket, request: ObjectRequest): Answer | Promise<Answer> {
  const { body, key, headers } = request;
  if (isTooLong(key, state.quirks.keyBytesMax)) {
    return errorAnswer(request, { status: 400, code: "KeyTooLongError" });
  }
  if (body === undefined || !isComplete(request)) return errorAnswer(request, { status: 400, code: "IncompleteBody" });
  if (isOverWriteRate(state, bucket, key)) return errorAnswer(request, { status: 429, code: "TooManyRequests" });
  const apply = () => {
    const plain = toStoredObject(key, body, state.clock.nowMs(), headersToStore(request));
    const object = { ...plain, etag: etagOf(plain.etag, state.quirks.etags) };
    const isLost = isTurnOf(state, "loseWritesEvery", state.quirks.loseWritesEvery);
    const version = isLost ? {} : storeObject(state, bucket, object);
    return emptyAnswer(200, { ...etagHeader(state, object.etag, false), ...version, "content-length": 0 });
  };
  if (!isConditionalPut(headers, state.quirks)) return apply();
  const isIgnoring =
    isTurnOf(state, "ignoreConditionsEvery", state.quirks.ignoreConditionsEvery) ||
    state.clock.nowMs() - (bucket.get(key)?.lastModifiedMs ?? Number.NaN) >
      (state.quirks.forgetConditionsMs ?? Number.POSITIVE_INFINITY) ||
    (headers["if-none-match"] !== undefined && state.deleted.has(`${bucket.name}/${key}`));
  const refusal = () => (isIgnoring ? undefined : refusalOfVersionedPut(state, bucket, request));
  return writeConditionally(state, bucket, request, { refusal, apply });
}

export function deleteObject(state: StoreState, bucket: Bucket, request: ObjectRequest): Answer | Promise<Answer> {
  const { key } = request;
  if (isOverWriteRate(state, bucket, key)) return errorAnswer(request, { status: 429, code: "TooManyRequests" });
  const { ignoreIfNoneMatchAfterDelete, loseDeletes } = state.quirks;
  const apply = () => {
    if (ignoreIfNoneMatchAfterDelete) state.deleted.add(`${bucket.name}/${key}`);
    return emptyAnswer(204, loseDeletes ? {} : removeObject(state, bucket, key));
  };
  const versionId = request.query?.get("versionId") ?? undefined;
  if (versionId !== undefined) return removeVersion(state, bucket, key, versionId);
  const ifMatch = request.headers["if-match"];
  if (ifMatch === undefined || state.quirks.deleteIgnoresIfMatch) return apply();
  const refusal = () => refusalOfDelete(ifMatch, bucket.get(key), state.quirks);
  return writeConditionally(state, bucket, request, { refusal, apply });
}
