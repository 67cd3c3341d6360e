#!/usr/bin/env bash
# The AWS SDK asks a function for credentials once for good where they come without `expiration`, also after the store has said ExpiredToken.
#
# The function is what reads a token that something else renews: a sidecar, a file, a vault. It answers differently each time; every
# request is signed with its first answer, ExpiredToken or not. Only `client.config.credentials({ forceRefresh: true })` asks it again,
# and that answer is kept in turn.
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
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
const expired = '<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
const seen = [];
const server = http.createServer((request, response) => {
  seen.push(/Credential=([^/]+)/.exec(request.headers.authorization)[1]);
  request.resume().on("end", () => response.writeHead(400, { "content-type": "application/xml" }).end(expired));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
let asked = 0;
const client = new S3Client({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: async () => {
    asked += 1;
    return { accessKeyId: `KEY${asked}`, secretAccessKey: "test" };
  },
});
const get = () => client.send(new GetObjectCommand({ Bucket: "bucket", Key: "key" })).catch((error) => error.name);
const errors = [await get(), await get(), await get()];
console.log(`${errors.join(", ")}: asked ${asked} time, signed with ${[...new Set(seen)].join(", ")}`);
await client.config.credentials({ forceRefresh: true });
seen.length = 0;
await get();
console.log(`after forceRefresh: asked ${asked} times, signed with ${[...new Set(seen)].join(", ")}`);
process.exit(0);
JS
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node get.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
ExpiredToken, ExpiredToken, ExpiredToken: asked 1 time, signed with KEY1
after forceRefresh: asked 2 times, signed with KEY2
SEEN
