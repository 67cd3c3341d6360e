#!/usr/bin/env bash
# nanio answers 500 InternalError to a PUT, and the object is there: an error does not tell what was done.
#
# A key whose last part has 250 to 255 characters fits into a file name, and the name of the file beside it, with what nanio notes about the
# object, does not. The body is written first. A client that takes 500 for "nothing has happened", and tries under another name, leaves an
# object behind; one that repeats a conditional write meets its own first try.
#
# Seen with nanio 0.1.7 and uvicorn 0.54.0 (PyPI), on ext4, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nanio==0.1.7 uvicorn==0.54.0
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
NANIO_ACCESS_KEY=test-key NANIO_SECRET_KEY=test-secret venv/bin/nanio serve --data-dir data --host 127.0.0.1 --port "$port" >server.log 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

cat >ask.mjs <<'JS'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const newClient = () => new S3Client({
  endpoint: `http://127.0.0.1:${process.argv[2]}`,
  region: "us-east-1",
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId: "test-key", secretAccessKey: "test-secret" },
});
const client = newClient();
await client.send(new CreateBucketCommand({ Bucket: "bucket" }));
for (const length of [240, 252]) {
  const at = { Bucket: "bucket", Key: `folder/${"k".repeat(length)}` };
  const put = await client.send(new PutObjectCommand({ ...at, Body: "the body" })).then(
    ({ $metadata }) => $metadata.httpStatusCode,
    ({ $metadata, name }) => `${$metadata?.httpStatusCode} ${name}`,
  );
  // It has closed the first one's connection.
  const got = await newClient().send(new GetObjectCommand(at)).then(
    ({ Body }) => Body.transformToString(),
    ({ $metadata }) => $metadata?.httpStatusCode,
  );
  console.log(`${length} characters: PUT ${put}, GET shows ${got}`);
}
process.exit(0);
JS
node ask.mjs "$port" 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
240 characters: PUT 200, GET shows the body
252 characters: PUT 500 InternalError, GET shows the body
SEEN
