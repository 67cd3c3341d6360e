#!/usr/bin/env bash
# The AWS SDK says the same of a profile whose `credential_process` fails as of none at all, and of a missing token file only ENOENT.
#
# A deployment that signs in by a helper program, or by a token that is mounted, is told neither which profile was meant nor what the helper
# said: the first ends as CredentialsProviderError "Could not load credentials from any providers", the second as a plain Error of the file
# system, which a program that tells refused credentials from other faults does not take for one.
#
# Seen with @aws-sdk/client-s3 3.1169.0 on Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @aws-sdk/client-s3@3.1169.0

cat >config <<INI
[profile helper]
credential_process = sh -c "echo the helper has no session >&2; exit 3"
INI
cat >ask.mjs <<'JS'
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
const client = new S3Client({ endpoint: "http://127.0.0.1:9", region: "us-east-1", maxAttempts: 1 });
const error = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: "key" })).catch((reason) => reason);
const chain = [];
for (let one = error; one !== undefined; one = one.cause) chain.push(String(one.message));
const saysWhy = /no session|exit|code 3|helper/.test(chain.join(" "));
console.log(`${error.name}${error.code ? ` ${error.code}` : ""}: ${error.message.split(/[.,]/)[0]}; says what the helper said: ${saysWhy}`);
JS
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true AWS_CONFIG_FILE=config AWS_SHARED_CREDENTIALS_FILE=none AWS_EC2_METADATA_DISABLED=true
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
{
  echo "no profile:" "$(node ask.mjs)"
  echo "credential_process that fails:" "$(AWS_PROFILE=helper node ask.mjs)"
  echo "token file that is not there:" "$(AWS_ROLE_ARN=arn:aws:iam::123456789012:role/example AWS_WEB_IDENTITY_TOKEN_FILE=gone node ask.mjs)"
} | tee seen.txt
diff seen.txt - <<'SEEN'
no profile: CredentialsProviderError: Could not load credentials from any providers; says what the helper said: false
credential_process that fails: CredentialsProviderError: Could not load credentials from any providers; says what the helper said: false
token file that is not there: Error ENOENT: ENOENT: no such file or directory; says what the helper said: false
SEEN
