#!/usr/bin/env bash
# Deno's node:http sends a PUT a second time by itself.
#
# A server reads a PUT to its end on a kept-alive connection and closes it without an answer. Node's http reports ECONNRESET and has sent
# the PUT once. Deno's node:http opens another connection, sends the PUT again, and reports the answer to the second one; no caller can
# tell. Under `If-None-Match: *` the creator of an object is so told 412. (RFC 9110, 9.2.2 lets a client repeat idempotent requests; Node's
# http, whose API this is, does not.)
#
# Seen with deno 2.9.6 (npm) and Node 20.20.2, 2026-11-28: "node: PUTs read 1, error ECONNRESET" and "deno: PUTs read 2, answered 200".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent deno@2.9.6

cat >server.mjs <<'JS'
// Answers the first request of a connection, reads the second one whole and closes without an answer, once.
import net from "node:net";
let puts = 0;
let closed = false;
net
  .createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      text += data;
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
        if (text.length < end + 4 + length) return;
        const isPut = text.startsWith("PUT");
        text = text.slice(end + 4 + length);
        if (isPut && ++puts && !closed) {
          closed = true;
          return void socket.end();
        }
        const body = String(puts);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`);
      }
    });
  })
  .listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  });
JS

cat >client.mjs <<'JS'
import http from "node:http";
const port = process.argv[2];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ask = (method, body) =>
  new Promise((resolve) => {
    const headers = body === undefined ? {} : { "content-length": body.length };
    const request = http.request({ host: "127.0.0.1", port, method, agent, headers }, (response) => {
      let text = "";
      response.on("data", (data) => (text += data));
      response.on("end", () => resolve({ said: `answered ${response.statusCode}`, text }));
    });
    request.on("error", (error) => resolve({ said: `error ${error.code}`, text: "" }));
    request.end(body);
  });
await ask("GET");
const { said } = await ask("PUT", "once");
const { text } = await ask("GET");
console.log(`PUTs read ${text}, ${said}`);
process.exit(0);
JS

try() {
  local port result
  node server.mjs >port.txt &
  local server=$!
  until [ -s port.txt ]; do sleep 0.1; done
  port=$(cat port.txt)
  result=$("$@" client.mjs "$port")
  kill "$server"
  rm port.txt
  echo "$result"
}

node_result=$(try node)
deno_result=$(try node_modules/.bin/deno run -A --quiet)
echo "node: $node_result"
echo "deno: $deno_result"
[ "$node_result" = "PUTs read 1, error ECONNRESET" ]
[ "$deno_result" = "PUTs read 2, answered 200" ]
