#!/usr/bin/env bash
# Answers of an S3 server on uvicorn have a `Date` that is up to two seconds behind the machine's clock.
#
# uvicorn puts the text of the header together once a second and truncates to seconds, so an answer may show a second that began almost two
# seconds ago. RFC 9110 (6.6.1) wants "the best available approximation". A client that computes bounds of the server's clock from `Date` with the
# usual one second of truncation is off by up to another one. nanio's own Last-Modified is not late.
#
# Seen with nanio 0.1.7 and uvicorn 0.54.0 (PyPI), 2026-11-28: of 60 answers, the latest `Date` lay more than 1.3 s behind; Node's own
# server on the same machine, asked the same way, never more than 1.1 s.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nanio==0.1.7 uvicorn==0.54.0
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
NANIO_ACCESS_KEY=test-key NANIO_SECRET_KEY=test-secret venv/bin/nanio serve --data-dir data --host 127.0.0.1 --port "$port" >server.log 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

cat >ask.mjs <<'JS'
import http from "node:http";
const own = http.createServer((_, response) => response.end());
await new Promise((listening) => own.listen(0, "127.0.0.1", listening));
async function latest(port) {
  let latestMs = 0;
  for (let asked = 0; asked < 60; asked += 1) {
    const sentAtMs = Date.now();
    const { headers } = await new Promise((resolve) =>
      http.get({ host: "127.0.0.1", port, path: "/" }, (response) => resolve(response.resume())),
    );
    // How far the header is behind the moment at which the request left: an honest one is less than a second behind.
    latestMs = Math.max(latestMs, sentAtMs - Date.parse(headers.date));
    await new Promise((resolve) => setTimeout(resolve, 83));
  }
  return latestMs;
}
const nanio = await latest(process.argv[2]);
const node = await latest(own.address().port);
console.error(`nanio: up to ${nanio} ms behind; node: up to ${node} ms behind`);
console.log(`nanio late: ${nanio > 1300}, node late: ${node > 1100}`);
process.exit(0);
JS
node ask.mjs "$port" | tee seen.txt
[ "$(cat seen.txt)" = "nanio late: true, node late: false" ]
