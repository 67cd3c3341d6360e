#!/usr/bin/env bash
# The AWS SDK reads ~/.aws/credentials once a process: what a tool writes into it later is not seen, not even with forceRefresh.
#
# A second client of the same process, and `config.credentials({ forceRefresh: true })` of the first, give the keys that stood in the file
# at first. `{ ignoreCache: true }`, which the client's configuration hands down, makes it read the file again.
#
# Seen with @aws-sdk/client-s3 3.1169.0 on Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0

cat >read.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { S3Client } from "@aws-sdk/client-s3";
const write = (key) =>
  writeFileSync("credentials", `[default]\naws_access_key_id = ${key}\naws_secret_access_key = test\naws_session_token = test\n`);
const keyOf = async (client, options) => (await client.config.credentials(options)).accessKeyId;
write("KEY1");
const first = new S3Client({ region: "us-east-1" });
console.log(`first: ${await keyOf(first)}`);
write("KEY2");
console.log(`the file is rewritten, forceRefresh: ${await keyOf(first, { forceRefresh: true })}`);
console.log(`a new client: ${await keyOf(new S3Client({ region: "us-east-1" }))}`);
console.log(`a new client with ignoreCache: ${await keyOf(new S3Client({ region: "us-east-1", ignoreCache: true }))}`);
JS
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE="$dir/credentials" AWS_CONFIG_FILE="$dir/none" \
  AWS_EC2_METADATA_DISABLED=true AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node read.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
first: KEY1
the file is rewritten, forceRefresh: KEY1
a new client: KEY1
a new client with ignoreCache: KEY2
SEEN
