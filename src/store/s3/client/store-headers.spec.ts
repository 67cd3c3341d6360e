import { expect, it } from "vitest";
import { headerFieldsOf, NO_HEADERS } from "./store-headers.js";

it("nothing is sent that was not asked for", () => {
  expect(NO_HEADERS).toEqual({ put: {}, get: {}, delete: {}, list: {}, config: {} });
  expect(headerFieldsOf(undefined)).toBe(NO_HEADERS);
  const { put, get, config } = headerFieldsOf({ requesterPays: false });
  expect([Object.keys(put), Object.keys(get), Object.keys(config)]).toEqual([[], [], []]);
});

it("each request has what S3 knows there, and nothing else", () => {
  const config = { ExpectedBucketOwner: "123456789012" };
  const request = { ...config, RequestPayer: "requester" };
  const headers = headerFieldsOf({
    expectedBucketOwner: "123456789012",
    requesterPays: true,
    acl: "bucket-owner-full-control",
    serverSideEncryption: "aws:kms",
    kmsKeyId: "key",
    kmsEncryptionContext: { team: "one" },
    bucketKeyEnabled: false,
    storageClass: "STANDARD",
  });
  expect(headers).toEqual({
    put: {
      ...request,
      ACL: "bucket-owner-full-control",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: "key",
      SSEKMSEncryptionContext: Buffer.from('{"team":"one"}').toString("base64"),
      BucketKeyEnabled: false,
      StorageClass: "STANDARD",
    },
    ...{ get: request, delete: request, list: request, config },
  });
});
