import type { StoreHeaders } from "../../index.js";
import type { Input, OptionSpecs } from "../base/command.js";

/** Headers of buckets, in the words of the AWS CLI. */
export const HEADER_OPTIONS: OptionSpecs = {
  "expected-bucket-owner": {
    type: "string",
    value: "ACCOUNT",
    help: "Refuse a bucket of another account than this (12 digits)",
  },
  "request-payer": { type: "string", value: "requester", help: "Pay for requests to a bucket of another account" },
  sse: { type: "string", value: "AES256|aws:kms|aws:kms:dsse", help: "How the store encrypts what is written" },
  "sse-kms-key-id": { type: "string", value: "KEY", help: "The key for aws:kms" },
  "bucket-key-enabled": { type: "boolean", help: "Have S3 ask KMS less often (S3 Bucket Key)" },
  acl: { type: "string", value: "ACL", help: "A canned ACL for what is written, such as bucket-owner-full-control" },
  "storage-class": { type: "string", value: "CLASS", help: "The storage class of what is written" },
};

export function headersOf({ values }: Input): StoreHeaders | undefined {
  const payer = values.oneOf("request-payer", ["requester"]);
  const headers = {
    expectedBucketOwner: values.word("expected-bucket-owner"),
    requesterPays: payer === undefined ? undefined : true,
    serverSideEncryption: values.oneOf("sse", ["AES256", "aws:kms", "aws:kms:dsse"]),
    kmsKeyId: values.word("sse-kms-key-id"),
    bucketKeyEnabled: values.flag("bucket-key-enabled") ? true : undefined,
    // The library knows which there are.
    acl: values.word("acl") as StoreHeaders["acl"],
    storageClass: values.word("storage-class"),
  };
  return Object.values(headers).every((value) => value === undefined) ? undefined : headers;
}
