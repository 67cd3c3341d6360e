import { S3MutexError } from "../../errors.js";
import type { Bucket } from "./buckets/bucket.js";
import { isBucketName, toStoredObject } from "./buckets/storage.js";
import type { StoreState } from "./buckets/store-state.js";
import type { StoredObject } from "./buckets/stored-object.js";
import { historyNeededMs } from "./faults/quirks.js";
import type { S3Server, S3ServerObject } from "./server-options.js";

const METADATA_PREFIX = "x-amz-meta-";

function present(object: StoredObject): S3ServerObject {
  const metadata = Object.entries(object.headers)
    .filter(([name]) => name.startsWith(METADATA_PREFIX))
    .map(([name, value]) => [name.slice(METADATA_PREFIX.length), value]);
  return {
    key: object.key,
    body: object.body,
    text: object.body.toString("utf8"),
    etag: object.etag,
    lastModified: new Date(object.lastModifiedMs),
    metadata: Object.fromEntries(metadata),
  };
}

function requireBucket(state: StoreState, name: string): Bucket {
  const bucket = state.storage.bucket(name);
  if (bucket !== undefined) return bucket;
  const known = state.storage.buckets.map((one) => one.name).join(", ") || "none";
  throw new S3MutexError(
    "no-such-bucket",
    `the test server has no bucket "${name}" (it has: ${known}); create it first`,
  );
}

function createBucket(state: StoreState, name: string): void {
  if (!isBucketName(name)) {
    const rule = "3 to 63 of a-z, 0-9, dots and hyphens, beginning and ending with a letter or digit";
    throw new S3MutexError("invalid-argument", `bucket name is "${name}": S3 allows ${rule}`);
  }
  if (state.storage.bucket(name) === undefined) state.storage.create(name, state.clock.nowMs());
}

/** Makes what tests use to reach the store without going through HTTP. */
export function directAccess(
  state: StoreState,
): Pick<S3Server, "createBucket" | "objects" | "getObject" | "putObject" | "deleteObject"> {
  return {
    createBucket: (bucket) => createBucket(state, bucket),
    objects(name) {
      const bucket = requireBucket(state, name);
      return bucket.keys.flatMap((key) => bucket.get(key) ?? []).map(present);
    },
    getObject(name, key) {
      const object = requireBucket(state, name).get(key);
      return object === undefined ? undefined : present(object);
    },
    putObject(name, key, body) {
      const headers = { "content-type": "binary/octet-stream" };
      const object = toStoredObject(key, Buffer.from(body), state.clock.nowMs(), headers);
      requireBucket(state, name).put(object, historyNeededMs(state.quirks));
      return present(object);
    },
    deleteObject(name, key) {
      requireBucket(state, name).delete(key, historyNeededMs(state.quirks));
    },
  };
}
