import { expect, it } from "vitest";
import { accessPointAt, arnOf, isAccessPoint, looksMistaken, whyNoBucket, whyNoPlaceForLocks } from "./bucket-names.js";

const POINT = "arn:aws:s3:eu-west-1:123456789012:accesspoint/locks-1";

const ACCESS_POINTS = [
  POINT,
  "ARN:AWS:S3:EU-WEST-1:123456789012:ACCESSPOINT/LOCKS",
  "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint:locks",
  "arn:aws:s3:eu-west-1::accesspoint/locks",
  "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-0123/accesspoint/locks",
  "arn:aws:s3-outposts:eu-west-1:123456789012:outpost:op-0123:accesspoint:locks",
  "arn:aws:s3-outposts:eu-west-1::outpost/op-0123/accesspoint/locks",
];

it.each(ACCESS_POINTS)("%s is an access point, and may be followed by a prefix", (arn) => {
  expect(isAccessPoint(arn)).toBe(true);
  expect(accessPointAt(`${arn}/some/prefix`)).toBe(arn);
  expect(isAccessPoint(`${arn}/some/prefix`)).toBe(false);
  expect(whyNoBucket(arn)).toBeUndefined();
});

it.each(["locks", `my ${POINT}`, "arn:aws:s3:::locks", "arn:aws:s3:eu-west-1:x:accesspoint/locks", ""])(
  "%j is not one",
  (text) => {
    expect(accessPointAt(text)).toBeUndefined();
    expect(isAccessPoint(text)).toBe(false);
  },
);

it.each<[string, string, string?, string?]>([
  ["arn:aws:s3:::locks", "locks"],
  ["arn:aws:s3:::locks/a.json", "locks", "a.json"],
  ["arn:aws-cn:s3:::locks/*", "locks", "*", "aws-cn"],
  [POINT, POINT],
  [`${POINT}/object/a.json`, POINT, "a.json"],
  [`${POINT}/object/a.json`, POINT, "a.json", "aws-cn"],
  ["arn:aws:s3:::my-arn:/a.json", "my-arn:", "a.json"],
])("a policy says %s", (arn, bucket, key, partition) => {
  expect(arnOf(bucket, key, partition)).toBe(arn);
});

const MULTI_REGION =
  /^a Multi-Region Access Point leads to the nearest of several buckets.*use one bucket of them, or an access point of one region/;
const OBJECT_LAMBDA =
  /^an Object Lambda Access Point changes what is read; use the bucket, or an access point of its own$/;
const BUCKET = /^that is the ARN of a bucket; use its name, "locks"$/;
const OTHER = /^only ARNs of access points name a bucket, such as arn:aws:s3:REGION:ACCOUNT:accesspoint\/NAME$/;

it.each([
  ["mfzwi23gnjvgw.mrap", MULTI_REGION],
  ["MFZWI.MRAP", MULTI_REGION],
  ["arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", MULTI_REGION],
  ["arn:aws:s3::123456789012:accesspoint/locks", MULTI_REGION],
  ["ARN:aws-cn:S3::123456789012:accesspoint:locks", MULTI_REGION],
  ["arn:aws:s3:::accesspoint/locks", MULTI_REGION],
  ["arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/locks", OBJECT_LAMBDA],
  ["ARN:aws-cn:S3-OBJECT-LAMBDA:eu-west-1:123456789012:accesspoint/locks", OBJECT_LAMBDA],
  ["arn:aws:s3:::locks", BUCKET],
  ["ARN:AWS-CN:S3:::locks/with/a/prefix", BUCKET],
  ["arn:aws:dynamodb:eu-west-1:123456789012:table/locks", OTHER],
  ["ARN:aws:sqs", OTHER],
  [`${POINT}/prefix`, OTHER],
])("locks cannot be in %s, and it says why", (bucket, why) => {
  expect(whyNoBucket(bucket)).toMatch(why);
});

const NAME_ALONE = /^that is more than a name; pass the name alone, "locks"$/;
const AND_PREFIX = /^that is more than a name; pass the name alone, "locks", and what keys begin with as keyPrefix$/;
const URL = /^that is a URL; pass the name of the bucket alone, and the URL as endpoint of the client$/;
const BLANK = /^no bucket has a space or a line break in its name; pass the name alone, such as "my-bucket"$/;
const invisible = (point: string) =>
  new RegExp(`^no bucket has an invisible character \\(${point}\\) in its name; pass the name alone`);
const hostBefore = (name: string, endpoint: string) =>
  new RegExp(
    `^that is an address; pass the name of the bucket alone, "${name}", and "${endpoint}" as endpoint of the client`,
  );
const sign = (text: string) => new RegExp(`^no bucket has "\\\\?${text}" in its name; pass the name alone`);

it.each([
  ["s3://locks", NAME_ALONE],
  ["S3://locks/", NAME_ALONE],
  ["s3:locks", NAME_ALONE],
  ["s3:/locks/", NAME_ALONE],
  ["localhost:9000/locks", hostBefore("locks", "http://localhost:9000")],
  ["minio.example.com:9000/locks/prod", hostBefore("locks", "http://minio.example.com:9000")],
  ["//10.0.0.1:9000/locks", hostBefore("locks", "http://10.0.0.1:9000")],
  ["localhost:9000", /^that is an address; pass the name of a bucket alone, and "http:\/\/localhost:9000" as endpoint/],
  ["my\u200Blocks", invisible("U\\+200B")],
  ["\uFEFFlocks", invisible("U\\+FEFF")],
  ["locks/", NAME_ALONE],
  ["/locks", NAME_ALONE],
  ["s3://locks/prod/", AND_PREFIX],
  ["locks/prod", AND_PREFIX],
  ["s3://", /^that is more than a name; pass the name of a bucket alone$/],
  ["s3:", /^that is more than a name; pass the name of a bucket alone$/],
  ["/", /^that is more than a name; pass the name of a bucket alone$/],
  ["http://localhost:9000/locks", URL],
  ["HTTPS://locks.s3.eu-west-1.amazonaws.com", URL],
  ["https:", URL],
  ["gs://locks", URL],
  [" locks", BLANK],
  ["my locks", BLANK],
  ["locks\n", BLANK],
  [`${POINT} `, BLANK],
  ["arn:aws:s3:::my locks", BLANK],
  ["$BUCKET", sign("\\$")],
  ["locks-$(stage)", sign("\\$")],
  ["%BUCKET%", sign("%")],
  ["<<bucket>>", sign("<")],
  ["{bucket}", sign("\\{")],
  ["locks*", sign("\\*")],
  ["locks?region=eu", sign("\\?")],
  ["a\\b", sign("\\\\")],
  [".", /^that is a folder; pass the name of a bucket/],
  ["..", /^that is a folder; pass the name of a bucket/],
])("%j does not name a bucket, and it says what to pass", (bucket, why) => {
  expect(whyNoBucket(bucket)).toMatch(why);
});

it.each([
  "C:/bkt",
  "https//bkt",
  "s3//bkt",
  "../bkt",
  "S3:\\\\bkt",
  "s3.amazonaws.com/my-bucket",
  "s3.cn-north-1.amazonaws.com.cn/my-bucket",
  "10.0.0.1/my-bucket",
  "localhost/my-bucket",
  "minio:9000//",
])("of %j no part is advised: it would be refused itself, or is a host", (bucket) => {
  expect(whyNoBucket(bucket)).toMatch(/pass the name of a bucket alone/);
});

it.each(["undefined", "null", "NaN", "minio:9000"])(
  "%j may name a bucket, and is more likely something else",
  (bucket) => {
    expect(looksMistaken(bucket)).toBe(true);
  },
);

it.each(["tenant:locks", "nulls", "9000", "my-undefined", "minio:9000-locks"])("%j is what it looks like", (bucket) => {
  expect(looksMistaken(bucket)).toBe(false);
});

it.each([
  "a",
  "My_Old.Bucket",
  "my-bucket--euc1-az1--x-s3",
  "my-point-abcdefgh123456789-s3alias",
  "tenant:locks",
  "bücher",
  "123456789012",
  "locks.example.com",
  "s3",
  "arn",
])("%j may name a bucket", (bucket) => {
  expect(whyNoBucket(bucket)).toBeUndefined();
});

it("a store of the caller's own may call its place as it likes, but for what leads to several buckets", () => {
  expect(whyNoPlaceForLocks("file:///var/locks")).toBeUndefined();
  expect(whyNoPlaceForLocks("mfzwi23gnjvgw.mrap")).toMatch(MULTI_REGION);
});

it.each([
  "locks",
  "my.mrap.locks",
  "mrap",
  "my-arn:aws:s3:::locks",
  "my-arn:aws:s3::123456789012:accesspoint/locks",
  "my-arn:aws:s3-object-lambda:eu-west-1:1:accesspoint/locks",
])("locks can be in %s", (bucket) => {
  expect(whyNoPlaceForLocks(bucket)).toBeUndefined();
});
