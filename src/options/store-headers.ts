import { isDirectoryBucket } from "../arguments/bucket-names.js";
import { checkBoolean, checkNonEmptyString, checkOptions, withDefault } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { OptionNames } from "../arguments/option-names.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";

const NAMES: OptionNames<StoreHeaders> = {
  expectedBucketOwner: true,
  requesterPays: true,
  acl: true,
  serverSideEncryption: true,
  kmsKeyId: true,
  kmsEncryptionContext: true,
  bucketKeyEnabled: true,
  storageClass: true,
};

/** Checks each, and that they go together and with the bucket, before S3 is asked. */
export function checkStoreHeaders(argument: string, value: unknown, bucketName: string): StoreHeaders {
  const headers = checkOptions(argument, value as StoreHeaders, NAMES);
  const of = (name: keyof StoreHeaders) => `${argument}.${name}`;
  const check = <T>(name: keyof StoreHeaders, checkOne: (argument: string, value: unknown) => T): T | undefined =>
    withDefault<T | undefined>(of(name), headers[name], undefined, checkOne);
  const checked = {
    expectedBucketOwner: check("expectedBucketOwner", checkAccount),
    requesterPays: check("requesterPays", checkBoolean),
    acl: check("acl", oneOf(ACLS)),
    serverSideEncryption: check("serverSideEncryption", oneOf(ENCRYPTIONS)),
    kmsKeyId: check("kmsKeyId", checkHeader),
    kmsEncryptionContext: check("kmsEncryptionContext", checkContext),
    bucketKeyEnabled: check("bucketKeyEnabled", checkBoolean),
    storageClass: check("storageClass", checkStorageClass),
  };
  for (const name of ["kmsKeyId", "kmsEncryptionContext", "bucketKeyEnabled"] as const) {
    if (checked[name] === undefined || checked.serverSideEncryption?.startsWith("aws:kms")) continue;
    throw invalidArgument(of(name), headers[name], 'set serverSideEncryption to "aws:kms" with it, or leave it out');
  }
  if (isDirectoryBucket(bucketName)) checkForDirectory(checked, of);
  return checked;
}

const ACLS = [
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
] as const;
const ENCRYPTIONS = ["AES256", "aws:kms", "aws:kms:dsse"] as const;

/** Refuses what directory buckets (S3 Express) do not have of these headers. */
function checkForDirectory(headers: StoreHeaders, of: (name: keyof StoreHeaders) => string): void {
  const known = "directory buckets do not know it; leave it out";
  if (headers.requesterPays === true) throw invalidArgument(of("requesterPays"), true, known);
  if (headers.acl !== undefined && headers.acl !== "bucket-owner-full-control") {
    throw invalidArgument(of("acl"), headers.acl, 'directory buckets know "bucket-owner-full-control" only');
  }
  if (headers.storageClass !== undefined && headers.storageClass !== "EXPRESS_ONEZONE") {
    throw invalidArgument(of("storageClass"), headers.storageClass, 'directory buckets know "EXPRESS_ONEZONE" only');
  }
  if (headers.serverSideEncryption === "aws:kms:dsse") {
    throw invalidArgument(of("serverSideEncryption"), headers.serverSideEncryption, 'use "aws:kms" or "AES256"');
  }
}

function checkAccount(argument: string, value: unknown): string {
  if (typeof value === "string" && /^\d{12}$/.test(value)) return value;
  throw invalidArgument(argument, value, 'use the 12 digits of an AWS account, as a string, such as "123456789012"');
}

function oneOf<T extends string>(choices: readonly T[]): (argument: string, value: unknown) => T {
  return (argument, value) => {
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    throw invalidArgument(argument, value, `use one of ${choices.join(", ")}`);
  };
}

/** Goes into a header as it is. */
function checkHeader(argument: string, value: unknown): string {
  if (/^[\x21-\x7e]+$/.test(checkNonEmptyString(argument, value))) return value as string;
  throw invalidArgument(argument, value, "use the id, the alias or the ARN of a key, without spaces");
}

function checkContext(argument: string, value: unknown): Readonly<Record<string, string>> {
  const isContext =
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string");
  if (isContext) return value as Readonly<Record<string, string>>;
  throw invalidArgument(argument, value, 'use an object of strings, such as { purpose: "locks" }');
}

/** Of these, S3 gives nothing back before it was restored. */
const ARCHIVES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** In capitals: that is how S3 takes them. */
const CLASSES: ReadonlySet<string> = new Set([
  ...ARCHIVES,
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "REDUCED_REDUNDANCY",
  "GLACIER_IR",
  "EXPRESS_ONEZONE",
]);

/** Checks the name of a storage class, and takes those of other stores, which have names of their own. */
function checkStorageClass(argument: string, value: unknown): string {
  if (typeof value !== "string" || !/^[\w-]+$/.test(value)) {
    throw invalidArgument(argument, value, 'use the name of a storage class, such as "STANDARD"');
  }
  const ofS3 = value.toUpperCase();
  if (value !== ofS3 && CLASSES.has(ofS3)) throw invalidArgument(argument, value, `did you mean "${ofS3}"?`);
  if (!ARCHIVES.has(value)) return value;
  throw invalidArgument(argument, value, "a lock is read all the time, and what is archived cannot be");
}
