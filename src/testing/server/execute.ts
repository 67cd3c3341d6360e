import type { Bucket } from "./buckets/bucket.js";
import type { StoreState } from "./buckets/store-state.js";
import { listVersions } from "./buckets/versioned-objects.js";
import * as buckets from "./operations/bucket-operations.js";
import { deleteObjects } from "./operations/delete-objects.js";
import { listObjects } from "./operations/list-objects.js";
import {
  deleteObject,
  hasUnsupportedHeader,
  type ObjectRequest,
  putObject,
  readObject,
} from "./operations/object-operations.js";
import { type Answer, errorAnswer } from "./wire/answer.js";
import type { S3Request } from "./wire/s3-request.js";

export interface ExecuteOptions {
  /** Show GET and HEAD the version before the last change. */
  readonly isStale: boolean;
}

/** Does what a request asks for. Whatever is not answered with a promise is done when this returns. */
export function execute(state: StoreState, request: S3Request, options: ExecuteOptions): Answer | Promise<Answer> {
  const { operation, bucket: name } = request;
  if (request.isTooLarge) return errorAnswer(request, { status: 400, code: "EntityTooLarge" });
  if (state.quirks.deny?.includes(operation)) return errorAnswer(request, { status: 403, code: "AccessDenied" });
  if (operation === "Unsupported" || hasUnsupportedHeader(request)) {
    return errorAnswer(request, { status: 501, code: "NotImplemented" });
  }
  if (operation === "ListBuckets" || name === undefined) return buckets.listBuckets(state);
  if (operation === "CreateBucket") return buckets.createBucket(state, request, name);
  const bucket = state.storage.bucket(name);
  if (bucket === undefined) return errorAnswer(request, { status: 404, code: "NoSuchBucket" });
  if (request.key !== undefined)
    return executeOnObject(state, bucket, { ...request, key: keptAs(state, request.key) }, options);
  return executeOnBucket(state, bucket, request);
}

/** Names the key under which an object is kept. */
function keptAs({ quirks }: StoreState, key: string): string {
  if (quirks.keys === "case-insensitive") return key.toLowerCase();
  return quirks.keys === "merged-slashes" ? key.replace(/\/+/g, "/") : key;
}

function executeOnObject(
  state: StoreState,
  bucket: Bucket,
  request: ObjectRequest,
  options: ExecuteOptions,
): Answer | Promise<Answer> {
  if (request.operation === "PutObject") return putObject(state, bucket, request);
  if (request.operation === "DeleteObject") return deleteObject(state, bucket, request);
  return readObject(state, bucket, request, options.isStale);
}

function executeOnBucket(state: StoreState, bucket: Bucket, request: S3Request): Answer {
  switch (request.operation) {
    case "HeadBucket":
      return buckets.headBucket();
    case "DeleteBucket":
      return buckets.deleteBucket(state, bucket, request);
    case "GetBucketLocation":
      return buckets.bucketLocation();
    case "GetBucketVersioning":
      return buckets.bucketVersioning(state);
    case "GetBucketLifecycleConfiguration":
      return errorAnswer(request, { status: 404, code: "NoSuchLifecycleConfiguration" });
    case "ListObjectVersions":
      return listVersions(state, bucket, request);
    case "DeleteObjects":
      return deleteObjects(state, bucket, request);
    default:
      return listObjects(state, bucket, request);
  }
}
