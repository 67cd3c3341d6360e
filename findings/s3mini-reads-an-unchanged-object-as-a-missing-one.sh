#!/usr/bin/env bash
# s3mini answers a read with a condition by null, whether the object is unchanged, has changed, or is not there.
#
# `getObject(key, { "if-none-match": etag })`: 304 (it was not written since) and 404 (there is none) are both null, and so is 412 to
# `if-match`. `getObjectResponse` and `getObjectWithETag` do the same, so that the status cannot be told from outside either. What
# polls a lock like that takes "still held, unchanged" for "free". ETags come without their quotes.
# So an adapter on it has to read without conditions, or to send its requests itself.
#
# Seen with s3mini 1.0.2 (npm) on Node 20, 24 and 26, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent s3mini@1.0.2

cat >read.mjs <<'JS'
import http from "node:http";
import { S3mini } from "s3mini";

/** A bucket with one object, `held`. */
const ETAG = '"0123456789abcdef0123456789abcdef"';
const server = http.createServer((request, response) => {
  const { "if-none-match": unless, "if-match": match } = request.headers;
  response.setHeader("ETag", ETAG);
  if (!request.url.endsWith("/held")) response.statusCode = 404;
  else if (unless === ETAG) response.statusCode = 304;
  else if (match !== undefined && match !== ETAG) response.statusCode = 412;
  const code = { 404: "NoSuchKey", 412: "PreconditionFailed" }[response.statusCode];
  response.end(code === undefined ? "body" : `<Error><Code>${code}</Code></Error>`);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const endpoint = `http://127.0.0.1:${server.address().port}/bucket`;
const client = new S3mini({ endpoint, region: "us-east-1", accessKeyId: "key", secretAccessKey: "secret" });
const show = async (what, key, headers) =>
  console.log(`${what}: ${JSON.stringify(await client.getObject(key, headers))}, response ${await client.getObjectResponse(key, headers)}`);
await show("unchanged", "held", { "if-none-match": ETAG });
await show("changed", "held", { "if-match": '"another"' });
await show("not there", "free", { "if-none-match": ETAG });
console.log(`read without a condition: ${await client.getObject("held")}, ETag ${(await client.getObjectWithETag("held")).etag}`);
server.closeAllConnections();
server.close();
JS
node read.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
unchanged: null, response null
changed: null, response null
not there: null, response null
read without a condition: body, ETag 0123456789abcdef0123456789abcdef
SEEN
