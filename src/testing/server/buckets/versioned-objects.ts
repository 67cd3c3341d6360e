import { historyNeededMs } from "../faults/quirks.js";
import { type Answer, emptyAnswer, errorAnswer, xmlAnswer } from "../wire/answer.js";
import type { S3Request } from "../wire/s3-request.js";
import { s3Document, textElement } from "../wire/xml.js";
import type { Bucket } from "./bucket.js";
import { refusalOfPut, type WriteRefusal } from "./conditions.js";
import { compareUtf8 } from "./sorted-keys.js";
import type { StoreState } from "./store-state.js";
import type { StoredObject } from "./stored-object.js";

/** Writes what an answer to GET or PUT says of the version; some stores are silent about those from while versioning was suspended. */
function versionHeaders({ quirks }: StoreState, versionId: string | undefined): Record<string, string> {
  const isSilent = versionId === "null" && (quirks.versionsLike ?? "aws") !== "aws";
  return versionId === undefined || isSilent ? {} : { "x-amz-version-id": versionId };
}

export function versionOfObject(state: StoreState, bucket: Bucket, object: StoredObject): Record<string, string> {
  if (state.quirks.versioning === undefined) return {};
  const versions = state.versions.of(bucket, object.key);
  return versionHeaders(state, versions.find((one) => one.object === object)?.versionId);
}

/** Writes what a 404 says of the delete marker: AWS names it, versitygw and S3Mock say that there is one, Ceph says nothing. */
export function markerOf(state: StoreState, bucket: Bucket, key: string): Record<string, string> {
  const { versioning, versionsLike = "aws" } = state.quirks;
  const [newest] = versioning === undefined ? [] : state.versions.of(bucket, key);
  if (newest === undefined || newest.object !== undefined || versionsLike === "ceph") return {};
  const id = versionsLike === "aws" ? { "x-amz-version-id": newest.versionId } : {};
  return { "x-amz-delete-marker": "true", ...id };
}

export function storeObject(state: StoreState, bucket: Bucket, object: StoredObject): Record<string, string> {
  const { versioning } = state.quirks;
  // What is there becomes a version first.
  if (versioning !== undefined) state.versions.of(bucket, object.key);
  bucket.put(object, historyNeededMs(state.quirks));
  if (versioning === undefined) return {};
  return versionHeaders(state, state.versions.add(bucket, object.key, object, versioning === "Suspended"));
}

/** Deletes, or puts a delete marker on top. */
export function removeObject(state: StoreState, bucket: Bucket, key: string): Record<string, string> {
  const { versioning } = state.quirks;
  if (versioning !== undefined) state.versions.of(bucket, key);
  bucket.delete(key, historyNeededMs(state.quirks));
  if (versioning === undefined) return {};
  const versionId = state.versions.add(bucket, key, undefined, versioning === "Suspended");
  return { "x-amz-delete-marker": "true", "x-amz-version-id": versionId };
}

/** Answers a DELETE with a version id: that version is gone for good, and the one under it shows again. */
export function removeVersion(state: StoreState, bucket: Bucket, key: string, versionId: string): Answer {
  const done = state.versions.remove(bucket, key, versionId);
  const keepMs = historyNeededMs(state.quirks);
  if (done?.newest?.object !== undefined) bucket.put(done.newest.object, keepMs);
  else if (done !== undefined) bucket.delete(key, keepMs);
  const marker = done !== undefined && done.removed.object === undefined ? { "x-amz-delete-marker": "true" } : {};
  return emptyAnswer(204, { ...marker, "x-amz-version-id": versionId });
}

/** Says what a PUT is refused for, a delete marker taken for what this kind of store takes it for. */
export function refusalOfVersionedPut(
  state: StoreState,
  bucket: Bucket,
  { key, headers }: { readonly key: string; readonly headers: S3Request["headers"] },
): WriteRefusal | undefined {
  const { quirks } = state;
  const { versioning, versionsLike = "aws" } = quirks;
  const current = bucket.get(key);
  if (versioning === "Enabled" && versionsLike === "ceph") {
    return headers["if-match"] === undefined ? undefined : "if-match-failed";
  }
  const hidden =
    versioning === undefined || current !== undefined ? undefined : state.versions.underMarker(bucket, key);
  if (hidden === undefined || versionsLike === "aws") return refusalOfPut(headers, current, quirks);
  return refusalOfPut(headers, versionsLike === "ceph" ? { ...hidden, etag: "of a marker" } : hidden, quirks);
}

/** Answers a ListObjectVersions, in one page. */
export function listVersions(state: StoreState, bucket: Bucket, request: S3Request): Answer {
  const prefix = request.query?.get("prefix") ?? "";
  if (request.query?.has("delimiter") === true) return errorAnswer(request, { status: 501, code: "NotImplemented" });
  const keys = state.versions.keys(bucket).filter((key) => key.startsWith(prefix));
  const entries = keys.sort(compareUtf8).flatMap((key) =>
    state.versions.of(bucket, key).map(({ versionId, object }, at) => {
      const fields = [textElement("Key", key), textElement("VersionId", versionId), textElement("IsLatest", at === 0)];
      return object === undefined
        ? `<DeleteMarker>${fields.join("")}</DeleteMarker>`
        : `<Version>${fields.join("")}${textElement("ETag", object.etag)}</Version>`;
    }),
  );
  const head = [textElement("Name", bucket.name), textElement("Prefix", prefix), textElement("IsTruncated", false)];
  return xmlAnswer(s3Document("ListVersionsResult", [...head, ...entries].join("")));
}
