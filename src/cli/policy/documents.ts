import { arnOf, isAccessPoint, isDirectoryBucket } from "../../arguments/bucket-names.js";
import type { Output } from "../base/output.js";
import { UsageError } from "../base/usage-error.js";
import type { StoreAddress } from "../store/address.js";
import { DOCUMENTS, type DocumentName } from "./names.js";

interface PolicySettings {
  /** What the keys of results of `runOnce` start with, and those of semaphores: other prefixes than the locks'. */
  readonly oncePrefix: string;
  readonly semaphorePrefix: string;
  readonly days: number;
  readonly kmsKey: string | undefined;
  readonly withDoctor: boolean;
  readonly region: string;
}

type Documents = Readonly<Record<DocumentName, object | null>>;

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const VERSION = "2012-10-17";

/**
 * Makes the documents for a store. `bucket` is null where there is no such thing: S3 Express has no conditions for single keys.
 * `lifecycle` is where a rule for locks would expire more than those.
 */
export function documentsFor({ bucketName, keyPrefix }: StoreAddress, settings: PolicySettings): Documents {
  if (!BUCKET_NAME.test(bucketName) && !isAccessPoint(bucketName)) {
    throw new UsageError(`${JSON.stringify(bucketName)} is not a bucket name: a policy would be about something else.`);
  }
  const isExpress = isDirectoryBucket(bucketName);
  const partition = partitionOf(settings.region);
  const bucketArn = isExpress
    ? `arn:${partition}:s3express:${settings.region || "*"}:*:bucket/${bucketName}`
    : arnOf(bucketName, undefined, partition);
  const prefixes = [keyPrefix, settings.oncePrefix, settings.semaphorePrefix];
  const places = prefixes.map((prefix) => arnOf(bucketArn, literally(prefix)));
  return {
    iam: { Version: VERSION, Statement: allowed(bucketArn, places, isExpress, settings) },
    lifecycle:
      reachedToo(keyPrefix, settings) === undefined ? { Rules: rules(keyPrefix, settings.days, isExpress) } : null,
    bucket: isExpress ? null : { Version: VERSION, Statement: enforced(places) },
  };
}

/** Finds what a rule about the locks would make expire that has to stay, and the way out; undefined where there is nothing. */
export function reachedToo(
  keyPrefix: string,
  { oncePrefix, semaphorePrefix }: Pick<PolicySettings, "oncePrefix" | "semaphorePrefix">,
): { readonly what: string; readonly remedy: string } | undefined {
  const moved = (option: string) =>
    `give them a prefix that does not begin with ${JSON.stringify(keyPrefix)} (\`${option}\`), or locks one of their own (\`--prefix\`)`;
  if (keyPrefix === "") {
    return {
      what: "all objects of the bucket",
      remedy: "give locks a prefix of their own (`--prefix locks/`)",
    };
  }
  if (oncePrefix.startsWith(keyPrefix)) {
    return {
      what: `the results of runOnce() under ${oncePrefix}`,
      remedy: moved("--once-prefix"),
    };
  }
  if (!semaphorePrefix.startsWith(keyPrefix)) return undefined;
  return { what: `the semaphores under ${semaphorePrefix}`, remedy: moved("--semaphore-prefix") };
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** Makes a prefix stand for itself: in a resource, some characters would mean more. */
function literally(keyPrefix: string): string {
  return keyPrefix.replace(/[*?$]/g, (character) => `\${${character}}`);
}

function allowed(
  bucketArn: string,
  places: readonly string[],
  isExpress: boolean,
  { kmsKey, withDoctor }: PolicySettings,
): object[] {
  const statements = isExpress
    ? [{ Sid: "Locks", Effect: "Allow", Action: "s3express:CreateSession", Resource: bucketArn }]
    : [
        {
          Sid: "Locks",
          Effect: "Allow",
          Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
          Resource: places.map((place) => `${place}*`),
        },
        { Sid: "MissingLocksAre404", Effect: "Allow", Action: "s3:ListBucket", Resource: bucketArn },
      ];
  const forDoctor = ["s3:GetBucketVersioning", "s3:GetReplicationConfiguration", "s3:GetLifecycleConfiguration"];
  return [
    ...statements,
    ...(withDoctor && !isExpress
      ? [{ Sid: "WhatDoctorReads", Effect: "Allow", Action: forDoctor, Resource: bucketArn }]
      : []),
    ...(kmsKey === undefined
      ? []
      : [{ Sid: "BucketKey", Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: kmsKey }]),
  ];
}

function rules(keyPrefix: string, days: number, isExpress: boolean): object[] {
  const Filter = { Prefix: keyPrefix };
  const rest = { ID: "s3-mutex", Status: "Enabled", Filter, Expiration: { Days: days } };
  if (isExpress) return [rest];
  return [
    { ...rest, NoncurrentVersionExpiration: { NoncurrentDays: days } },
    { ID: "s3-mutex-markers", Status: "Enabled", Filter, Expiration: { ExpiredObjectDeleteMarker: true } },
  ];
}

function enforced(places: readonly string[]): object[] {
  return [
    {
      Sid: "LocksAreWrittenConditionally",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: places.map((place) => `${place}*`),
      // Of several keys in one condition, all have to hold: neither header was sent.
      Condition: { Null: { "s3:if-match": "true", "s3:if-none-match": "true" } },
    },
    {
      Sid: "LocksAreDeletedConditionally",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:DeleteObject",
      // What s3-mutex tries out conditions on does not end like this, and is deleted without one.
      Resource: places.map((place) => `${place}*.json`),
      Condition: { Null: { "s3:if-match": "true" } },
    },
  ];
}

const EXPLANATIONS: Readonly<Record<DocumentName, (address: StoreAddress) => readonly string[]>> = {
  iam: () => [
    "An IAM policy for the role or user of the processes that lock: locks, results of runOnce(), semaphores.",
    "s3:ListBucket has no condition on the prefix: a lock that does not exist yet would be a 403 with it.",
    "s3:DeleteObject is for `delete` and `cleanup` only.",
  ],
  lifecycle: ({ bucketName, keyPrefix }) => [
    `A lifecycle rule for s3://${bucketName}. A held lock is rewritten all the time, so what is at rest`,
    `for longer than any lease is not held. Whatever else is under ${JSON.stringify(keyPrefix)} expires as well.`,
  ],
  bucket: ({ bucketName }) => [
    `Optional: a bucket policy for s3://${bucketName}. No client writes or deletes a lock without a`,
    "condition then; multipart uploads and copies under the prefix are refused too. Add its statements",
    "to those that the bucket has.",
  ],
};

/** Shows all documents for people, each with what it is for. */
export function showDocuments(address: StoreAddress, documents: Documents, { line, paint }: Output): void {
  for (const [index, name] of DOCUMENTS.entries()) {
    const document = documents[name];
    if (document === null) continue;
    if (index > 0) line();
    line(paint("bold", `# ${name}`));
    for (const text of EXPLANATIONS[name](address)) line(paint("dim", `# ${text}`));
    line(JSON.stringify(document, undefined, 2));
  }
}
