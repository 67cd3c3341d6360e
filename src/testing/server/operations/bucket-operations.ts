import type { Bucket } from "../buckets/bucket.js";
import { isBucketName } from "../buckets/storage.js";
import type { StoreState } from "../buckets/store-state.js";
import { type Answer, emptyAnswer, errorAnswer, xmlAnswer } from "../wire/answer.js";
import type { S3Request } from "../wire/s3-request.js";
import { s3Document, textElement } from "../wire/xml.js";

export function listBuckets(state: StoreState): Answer {
  const entries = state.storage.buckets.map((bucket) => {
    const createdAt = new Date(bucket.createdAtMs).toISOString();
    return `<Bucket>${textElement("Name", bucket.name)}${textElement("CreationDate", createdAt)}</Bucket>`;
  });
  const owner = "<Owner><ID>test</ID><DisplayName>test</DisplayName></Owner>";
  return xmlAnswer(s3Document("ListAllMyBucketsResult", `${owner}<Buckets>${entries.join("")}</Buckets>`));
}

/** Creates a bucket. A second creation is refused, as in every region of AWS but us-east-1, where it would be answered 200. */
export function createBucket(state: StoreState, request: S3Request, name: string): Answer {
  if (!isBucketName(name)) return errorAnswer(request, { status: 400, code: "InvalidBucketName" });
  if (state.storage.bucket(name) !== undefined) {
    return errorAnswer(request, { status: 409, code: "BucketAlreadyOwnedByYou" });
  }
  state.storage.create(name, state.clock.nowMs());
  return emptyAnswer(200, { location: `/${name}`, "content-length": 0 });
}

export function deleteBucket(state: StoreState, bucket: Bucket, request: S3Request): Answer {
  if (bucket.keys.length > 0) return errorAnswer(request, { status: 409, code: "BucketNotEmpty" });
  state.storage.remove(bucket.name);
  return emptyAnswer(204);
}

export function headBucket(): Answer {
  return emptyAnswer(200, { "x-amz-bucket-region": "us-east-1", "content-length": 0 });
}

/** Answers where a bucket is: empty stands for us-east-1. */
export function bucketLocation(): Answer {
  return xmlAnswer(s3Document("LocationConstraint", ""));
}

/** Answers whether versioning is on; empty: it was never enabled. */
export function bucketVersioning({ quirks }: StoreState): Answer {
  const status = quirks.versioning === undefined ? "" : textElement("Status", quirks.versioning);
  return xmlAnswer(s3Document("VersioningConfiguration", status));
}
