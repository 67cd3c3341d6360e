#!/usr/bin/env bash
# The AWS SDK takes "localhost:9000", an endpoint without a scheme, for a URL of the protocol "localhost:", and says so with the first request.
#
# The constructor says nothing, and the first request ends in an error about an address that was never written, which looks like a fault of
# the network: a program that tries again what may be one does so for as long as it has time.
#
# Seen with @aws-sdk/client-s3 3.1169.0 on Node 20.20.2, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0
cat >ask.mjs <<'JS'
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
for (const endpoint of ["localhost:9000", "127.0.0.1:9000"]) {
  const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
  let client;
  try {
    client = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true, maxAttempts: 1 });
  } catch (error) {
    console.log(`${endpoint}: the constructor throws ${error.name}: ${error.message}`);
    continue;
  }
  const error = await client.send(new HeadBucketCommand({ Bucket: "bucket" })).catch((reason) => reason);
  console.log(`${endpoint}: the first request ends in ${error.name}${error.code ? ` ${error.code}` : ""}: ${error.message.split("\n")[0]}`);
}
JS
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
node ask.mjs 2>&1 | tee seen.txt
diff seen.txt - <<'SEEN'
localhost:9000: the first request ends in EndpointError: Custom endpoint `localhost://9000` was not a valid URI
127.0.0.1:9000: the first request ends in TypeError ERR_INVALID_URL: Invalid URL
SEEN
