import { formatDuration } from "./duration.js";
import { printable } from "./text.js";

/** Which options the command has, that the sentence is about. */
export type HasOption = (name: string) => boolean;

type Saying = (hasOption: HasOption) => string;

/** What the library calls something in code, and what it is called here. */
const SAYINGS: readonly (readonly [RegExp, string | Saying])[] = [
  [
    /, or set `?createBucketIfNotExists(: true)?`?/g,
    (hasOption) => (hasOption("create-bucket") ? ", or use --create-bucket" : ""),
  ],
  [/set `credentials`, AWS_ACCESS_KEY_ID or a role/g, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile"],
  [/, or give the S3 client other credentials/g, ", or start the command with another --profile"],
  [/, or give it a credential provider that renews them/g, ", or start the command with another --profile"],
  [/, or, where you know that the store is safe, set verify: "never"/g, ""],
  [/`accessKeyId`/g, "AWS_ACCESS_KEY_ID"],
  [/`secretAccessKey`/g, "AWS_SECRET_ACCESS_KEY"],
  [/`sessionToken`/g, "AWS_SESSION_TOKEN"],
  [/\b[Ss]et `region` of the S3 client to\b/g, "Set --region to"],
  [/`requestChecksumCalculation: ("WHEN_\w+")`/g, "AWS_REQUEST_CHECKSUM_CALCULATION to $1"],
  [/\bthe URL as endpoint of the client\b/g, "the URL with --endpoint-url"],
  [/ of the S3 client\b/g, ""],
  [/\b(lockTimeoutMs|leaseMs)\b/g, "--lease"],
  [/\bclockSkewToleranceMs\b/g, "--tolerance"],
  [/\bholdAtLeastMs\b/g, "--hold-at-least"],
  [/\bkeyPrefix\b/g, "prefix"],
  [/pass what heldForChild\(\) of this version returned, unchanged, or nothing/g, "leave it as s3-mutex has set it"],
  [/\bheldByParent\b/g, "S3_MUTEX_HELD"],
  [/\bstoreHeaders\.expectedBucketOwner\b/g, "--expected-bucket-owner"],
  [/\bstoreHeaders\.requesterPays\b/g, "--request-payer"],
  [/\bstoreHeaders\.(?:serverSideEncryption)\b|\bserverSideEncryption\b/g, "--sse"],
  [/\bstoreHeaders\.kmsKeyId\b/g, "--sse-kms-key-id"],
  [/\bstoreHeaders\.bucketKeyEnabled\b/g, "--bucket-key-enabled"],
  [/\bstoreHeaders\.acl\b/g, "--acl"],
  [/\bstoreHeaders\.storageClass\b/g, "--storage-class"],
  [/(requesters to pay): set `storeHeaders`/g, "$1: see --expected-bucket-owner and --request-payer"],
  [/: set `storeHeaders`/g, ": see --sse, --acl and their like"],
  [/\bdeleteLock\((name|"[^"]*"), true\)/g, "s3-mutex delete --force"],
  [/\bThe function of runOnce\(("[^"]*")\)/g, "The command of once $1"],
  [/, or change it with resize\(\)/g, ""],
  [/: change it with resize\(\d+\), or ask for fewer/g, ": pass --permits stored, which takes that"],
  [/^permits is /, "--permits is "],
  [/, or set it with resize\(\)/g, ""],
];

/** Says a problem in the same words, to print, where no option can help. */
export function problemText({ message }: { readonly message: string }): string {
  return printable(inOwnWords(message));
}

/** Says a sentence of the library in the words of the command line: its user has no code to change. @default no option can help */
export function inOwnWords(sentence: string, hasOption: HasOption = () => false): string {
  return SAYINGS.reduce(
    (text, [pattern, saying]) => text.replace(pattern, typeof saying === "string" ? saying : saying(hasOption)),
    sentence.replace(DURATIONS, (_, before: string, ms: string) => before + formatDuration(Number(ms))),
  );
}

/** Milliseconds that an option in code takes, or that a user is to give it: a plain number is seconds here. */
const DURATIONS =
  /\b((?:lockTimeoutMs|leaseMs|clockSkewToleranceMs|holdAtLeastMs)(?: is | of | to | \()|use at least )(\d+)\b(?: ms\b)?/g;
