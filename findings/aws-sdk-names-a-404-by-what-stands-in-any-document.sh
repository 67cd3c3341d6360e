#!/usr/bin/env bash
# The AWS SDK calls a 404 NoSuchKey by a Code in any XML document, and NotFound where no server has said so.
#
# `<Whatever><Code>NoSuchKey</Code></Whatever>` is an instance of NoSuchKey as S3's own `<Error>` is. A 404 without a body, as an ingress
# sends that has no backend, is an S3ServiceException without a word of the store in it; one with text is a plain Error. So neither the class nor
# the name of what the SDK throws says whether the store has spoken: only the document does.
#
# Seen with @aws-sdk/client-s3 3.1169.0 on Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0

cat >get.mjs <<'JS'
import http from "node:http";
import { GetObjectCommand, NoSuchKey, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
let body = "";
const server = http.createServer((request, response) =>
  request.resume().on("end", () => response.writeHead(404, { "content-type": "application/xml" }).end(body)),
);
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const client = new S3Client({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: "us-east-1",
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
const bodies = {
  "S3's document": "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>",
  "another document": "<Whatever><Code>NoSuchKey</Code></Whatever>",
  nothing: "",
  text: "404 page not found",
};
for (const [name, text] of Object.entries(bodies)) {
  body = text;
  const error = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: "key" })).catch((thrown) => thrown);
  const of = error instanceof NoSuchKey ? "NoSuchKey" : error instanceof S3ServiceException ? "S3ServiceException" : "Error";
  console.log(`${name}: ${of}, name ${error.name}`);
}
process.exit(0);
JS
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node get.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
S3's document: NoSuchKey, name NoSuchKey
another document: NoSuchKey, name NoSuchKey
nothing: S3ServiceException, name NotFound
text: Error, name Error
SEEN
