#!/usr/bin/env bash
# localbucket honours `If-None-Match: *` and ignores `If-Match`: a store on which creation is safe and replacement is not.
#
# A PUT with `If-Match` of an ETag that is not the object's any more overwrites (200), and on a key that does not exist it creates (200).
# `If-None-Match: *` on an existing key is 412, as it should be; so a quick trial of "does it know conditions" passes.
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

cat >ask.mjs <<'JS'
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const client = new S3Client({
  endpoint: `http://127.0.0.1:${process.argv[2]}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
const put = (Key, conditions) =>
  client.send(new PutObjectCommand({ Bucket: "bucket", Key, Body: `${Math.random()}`, ...conditions })).then(
    ({ ETag }) => ({ status: 200, ETag }),
    (error) => ({ status: error.$metadata?.httpStatusCode }),
  );
await client.send(new CreateBucketCommand({ Bucket: "bucket" })).catch(() => {});
const first = await put("key", { IfNoneMatch: "*" });
await put("key", { IfMatch: first.ETag });
console.log("create over an object:", (await put("key", { IfNoneMatch: "*" })).status);
console.log("replace with an ETag of before:", (await put("key", { IfMatch: first.ETag })).status);
console.log("replace what is not there:", (await put("other", { IfMatch: first.ETag })).status);
JS
node ask.mjs "$port" | tee seen.txt
diff seen.txt - <<'SEEN'
create over an object: 412
replace with an ETag of before: 200
replace what is not there: 200
SEEN
