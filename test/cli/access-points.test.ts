import { expect, test } from "vitest";
import { parseLock, parseLocks, parseStore } from "../../src/cli/store/address.js";

const ACCESS_POINTS = [
  "arn:aws:s3:eu-west-1:123456789012:accesspoint/team",
  "arn:aws:s3:eu-west-1:123456789012:accesspoint:team",
  "arn:aws-us-gov:s3-outposts:us-gov-west-1:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/team",
  "arn:aws:s3-outposts:eu-west-1:123456789012:outpost:op-01ac5d28a6a232904:accesspoint:team",
  "team-abcdefghijk-s3alias",
  "team-op-01ac5d28a6a232904--op-s3",
];

test.each(ACCESS_POINTS)("S13: %s is taken whole", (bucketName) => {
  const address = { bucketName, keyPrefix: "locks/" };
  expect(parseLock(`s3://${bucketName}/locks/nightly`, undefined)).toEqual({ ...address, lockName: "nightly" });
  expect(parseLock(`s3://${bucketName}/locks/a/b`, undefined)).toEqual({ ...address, lockName: "a/b" });
  expect(parseLocks(`s3://${bucketName}/locks/te`, undefined)).toEqual({ ...address, namePrefix: "te" });
  expect(parseStore(`s3://${bucketName}`, undefined)).toEqual(address);
  expect(parseStore(`s3://${bucketName}/x/`, undefined)).toEqual({ bucketName, keyPrefix: "x/" });
  expect(() => parseLock(`s3://${bucketName}`, undefined)).toThrow("names no lock");
});

test.each([
  ["s3://arn:aws:s3::123456789012:accesspoint/m1a2b3.mrap/locks/x", /Multi-Region Access Point/],
  ["s3://arn:aws:s3::123456789012:accesspoint:m1a2b3.mrap/locks/x", /Multi-Region Access Point/],
  ["s3://m1a2b3.mrap/locks/x", /Multi-Region Access Point/],
  ["s3://arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/y/locks/x", /Object Lambda/],
  ["s3://arn:aws:s3:::my-bucket/locks/x", /use its name, "my-bucket"/],
  ["s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/locks", /names no lock/],
  ["s3://arn:aws:sqs:eu-west-1:123456789012:queue/locks/x", /only ARNs of access points/],
])("S13: %s is refused with the reason", (text, message) => {
  expect(() => parseLock(text, undefined)).toThrow(message);
});
