#!/usr/bin/env bash
# The AWS SDK takes an empty 200 for the listing of an empty bucket.
#
# A proxy or a captive portal that answers ListObjectsV2 with status 200 and no body at all: the SDK resolves, with no Contents and no error,
# as for a bucket without objects. A sweep believes that nothing is left, a watcher that everything is gone. (The answer that S3 sends has
# a ListBucketResult, also for an empty bucket.) A page of HTML is an error.
#
# Seen with @aws-sdk/client-s3 3.1169.0 on Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0

cat >list.mjs <<'JS'
import http from "node:http";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
let body = "";
const server = http.createServer((request, response) => request.resume().on("end", () => response.end(body)));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const client = new S3Client({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
for (const [name, text] of [["nothing", ""], ["a page", "<html><p>Sign in</body></html>"]]) {
  body = text;
  const said = await client.send(new ListObjectsV2Command({ Bucket: "bucket" })).then(
    ({ Contents = [], IsTruncated = false }) => `${Contents.length} objects, more: ${IsTruncated}`,
    () => "an error",
  );
  console.log(`${name}: ${said}`);
}
process.exit(0);
JS
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node list.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
nothing: 0 objects, more: false
a page: an error
SEEN
