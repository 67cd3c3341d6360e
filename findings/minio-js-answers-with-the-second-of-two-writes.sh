#!/usr/bin/env bash
# The MinIO client for JavaScript sends a conditional write again by itself, and tells its caller of the second answer only.
#
# A PUT with `If-None-Match: *` (or `If-Match`) that the store has done and answered 500, as it may, is sent a second time after a
# moment; the second meets what the first has written, and the caller gets PreconditionFailed for a write that is its own. A caller
# that takes that as "another client was first" leaves a lock behind that no client believes in. The client says so on standard error,
# not to its caller. A connection that breaks is not tried again, so one cannot rely on the repetition either.
# `retryOptions: { disableRetry: true }` makes it one transmission, with an error without a code; otherwise the object has to be read after each 412.
#
# Seen with minio 8.0.7 (npm) on Node 20, 24 and 26, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent minio@8.0.7

cat >write.mjs <<'JS'
import http from "node:http";
import { Client } from "minio";

/** A store with one object, which does its first write and answers 500, or not at all. */
function storeThat(answersFirst) {
  let stored;
  const requests = [];
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    requests.push(`${request.method} if-none-match: ${request.headers["if-none-match"]}`);
    const isFirst = stored === undefined;
    if (!isFirst && request.headers["if-none-match"] === "*") {
      response.statusCode = 412;
      return response.end("<Error><Code>PreconditionFailed</Code></Error>");
    }
    stored = body;
    if (answersFirst === "nothing") return request.socket.destroy();
    response.statusCode = 500;
    response.end("<Error><Code>InternalError</Code></Error>");
  });
  return { server, requests, stored: () => stored };
}

async function write(answersFirst, options) {
  const { server, requests, stored } = storeThat(answersFirst);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  const address = { endPoint: "127.0.0.1", port, useSSL: false, region: "us-east-1" };
  const client = new Client({ ...address, accessKey: "key", secretKey: "long-enough", ...options });
  const error = await client.putObject("bucket", "key", "mine", 4, { "If-None-Match": "*" }).catch((error) => error);
  console.log(`first answer ${answersFirst}: ${requests.length} writes, ${error.code ?? "an error without a code"}; stored: ${stored()}`);
  server.closeAllConnections();
  server.close();
}

await write("500", {});
await write("nothing", {});
await write("500", { retryOptions: { disableRetry: true } });
JS
node write.mjs 2>/dev/null | grep '^first' | tee seen.txt
diff seen.txt - <<'SEEN'
first answer 500: 2 writes, PreconditionFailed; stored: mine
first answer nothing: 1 writes, ECONNRESET; stored: mine
first answer 500: 1 writes, an error without a code; stored: mine
SEEN
