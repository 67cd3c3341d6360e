/** The operations that the server knows; everything else is `Unsupported` and answered 501 NotImplemented. */
export type S3Operation =
  | "ListBuckets"
  | "CreateBucket"
  | "HeadBucket"
  | "DeleteBucket"
  | "GetBucketLocation"
  | "GetBucketVersioning"
  | "GetBucketLifecycleConfiguration"
  | "ListObjectsV2"
  | "ListObjectVersions"
  | "DeleteObjects"
  | "PutObject"
  | "GetObject"
  | "HeadObject"
  | "DeleteObject"
  | "Unsupported";

export const S3_OPERATIONS: readonly S3Operation[] = [
  "ListBuckets",
  "CreateBucket",
  "HeadBucket",
  "DeleteBucket",
  "GetBucketLocation",
  "GetBucketVersioning",
  "GetBucketLifecycleConfiguration",
  "ListObjectsV2",
  "ListObjectVersions",
  "DeleteObjects",
  "PutObject",
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "Unsupported",
];

/** What a request asks for; rules, latency functions and listeners are given this. */
export interface S3RequestInfo {
  readonly operation: S3Operation;
  /** Missing for `ListBuckets`. */
  readonly bucket?: string;
  /** Missing for operations on a whole bucket. */
  readonly key?: string;
}

const LIST_PARAMETERS: ReadonlySet<string> = new Set([
  "list-type",
  "prefix",
  "delimiter",
  "max-keys",
  "continuation-token",
  "start-after",
  "encoding-type",
  "fetch-owner",
]);

const VERSIONS_PARAMETERS: ReadonlySet<string> = new Set(["versions", "prefix", "max-keys"]);

const SUBRESOURCES: ReadonlyMap<string, S3Operation> = new Map([
  ["GET location", "GetBucketLocation"],
  ["GET versioning", "GetBucketVersioning"],
  ["GET lifecycle", "GetBucketLifecycleConfiguration"],
  ["POST delete", "DeleteObjects"],
]);

const OBJECT_METHODS: ReadonlyMap<string, S3Operation> = new Map([
  ["PUT", "PutObject"],
  ["GET", "GetObject"],
  ["HEAD", "HeadObject"],
  ["DELETE", "DeleteObject"],
]);

const BUCKET_METHODS: ReadonlyMap<string, S3Operation> = new Map([
  ["PUT", "CreateBucket"],
  ["HEAD", "HeadBucket"],
  ["DELETE", "DeleteBucket"],
]);

/** Lists the names without `x-id`, the SDK's hint for its own logs, and `X-Amz-...`, the signature of a presigned address. */
function meaningfulNames(query: URLSearchParams): string[] {
  const names: string[] = [];
  for (const name of query.keys()) if (name !== "x-id" && !/^x-amz-/i.test(name)) names.push(name);
  return names;
}

/**
 * Names the operation. A query parameter that is not understood makes the request `Unsupported`: answering
 * `PUT key?tagging` as if it were a plain PUT would overwrite the object.
 */
export function operationOf(
  method: string,
  bucket: string | undefined,
  key: string | undefined,
  query: URLSearchParams | undefined,
): S3Operation {
  const names = query === undefined ? [] : meaningfulNames(query);
  if (bucket === undefined) return method === "GET" && names.length === 0 ? "ListBuckets" : "Unsupported";
  if (key !== undefined) {
    const isOfVersion = method === "DELETE" && names.length === 1 && names[0] === "versionId";
    return ((names.length === 0 || isOfVersion) && OBJECT_METHODS.get(method)) || "Unsupported";
  }
  if (names.length === 0) return BUCKET_METHODS.get(method) ?? "Unsupported";
  if (names.length === 1 && names[0] !== "list-type") return SUBRESOURCES.get(`${method} ${names[0]}`) ?? "Unsupported";
  if (method === "GET" && query?.has("versions") && names.every((name) => VERSIONS_PARAMETERS.has(name))) {
    return "ListObjectVersions";
  }
  const isList =
    method === "GET" && query?.get("list-type") === "2" && names.every((name) => LIST_PARAMETERS.has(name));
  return isList ? "ListObjectsV2" : "Unsupported";
}
