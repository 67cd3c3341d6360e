#!/usr/bin/env bash
# Bun's own S3 client takes conditions in write() and does not send them.
#
# `Bun.S3Client.write(key, body, { ifNoneMatch: "*" })`, `{ ifMatch: '"etag"' }` and `{ headers: { "if-none-match": "*" } }` all succeed, and
# none of the three requests has a condition: what was meant as "create" or as compare-and-swap overwrites. No error, no warning.
# So conditional writes cannot be made with it; a lock needs another client on Bun.
#
# Seen with bun 1.4.5 (npm), 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent bun@1.4.5
[ "$(node_modules/.bin/bun --version 2>/dev/null)" = 1.4.5 ] || node node_modules/bun/install.js >/dev/null

cat >write.mjs <<'JS'
import http from "node:http";
const seen = [];
const server = http.createServer((request, response) => {
  request.resume().on("end", () => {
    const conditions = Object.keys(request.headers).filter((name) => /^(x-amz-)?if-/.test(name));
    seen.push(`${request.method} ${conditions.join(" ") || "without a condition"}`);
    response.setHeader("ETag", '"0123456789abcdef0123456789abcdef"').end();
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const endpoint = `http://127.0.0.1:${server.address().port}`;
const client = new Bun.S3Client({ endpoint, bucket: "bucket", accessKeyId: "key", secretAccessKey: "secret" });
for (const options of [{ ifNoneMatch: "*" }, { ifMatch: '"etag"' }, { headers: { "if-none-match": "*" } }]) {
  const written = await client.write("key", "body", options);
  console.log(JSON.stringify(options), "wrote", written, "bytes:", seen.pop());
}
process.exit(0);
JS
node_modules/.bin/bun write.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
{"ifNoneMatch":"*"} wrote 4 bytes: PUT without a condition
{"ifMatch":"\"etag\""} wrote 4 bytes: PUT without a condition
{"headers":{"if-none-match":"*"}} wrote 4 bytes: PUT without a condition
SEEN
