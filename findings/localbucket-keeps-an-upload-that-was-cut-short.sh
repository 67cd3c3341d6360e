#!/usr/bin/env bash
# localbucket stores what has come of a PUT whose client goes away before the last byte, as if it were the whole object.
#
# `Content-Length` says 400 bytes; 399 are sent, and the connection is closed. The object is replaced by those 399, with an ETag of its own: a
# process that is killed while it writes leaves half an object behind, and a reader cannot tell. S3 changes nothing in that case.
#
# Seen with localbucket 1.2.1 (PyPI), 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check localbucket==1.2.1
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
mkdir data
venv/bin/localbucket --port "$port" data >server.log 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

cat >cut.mjs <<'JS'
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const client = new S3Client({
  endpoint: `http://127.0.0.1:${process.argv[2]}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  requestChecksumCalculation: "WHEN_REQUIRED",
});
const at = { Bucket: "bucket", Key: "key" };
const read = async () => (await (await client.send(new GetObjectCommand(at))).Body.transformToString()).length;
await client.send(new CreateBucketCommand({ Bucket: "bucket" })).catch(() => {});
await client.send(new PutObjectCommand({ ...at, Body: "a".repeat(200) }));
console.log("bytes before:", await read());
const Body = new Readable({ read() {} });
Body.push("b".repeat(399));
const abort = new AbortController();
const put = client.send(new PutObjectCommand({ ...at, Body, ContentLength: 400 }), { abortSignal: abort.signal });
await sleep(500);
abort.abort();
console.log("PUT:", await put.then(() => "done", () => "cut"));
await sleep(1000);
console.log("bytes after:", await read());
process.exit(0);
JS
node cut.mjs "$port" 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
bytes before: 200
PUT: cut
bytes after: 399
SEEN
