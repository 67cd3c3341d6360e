#!/usr/bin/env bash
# Bun's fetch sends a PUT once more for every idle connection that turns out to be dead.
#
# Four kept-alive connections are open when a server begins to read each PUT whole and to close the connection without an answer. One
# `fetch(url, { method: "PUT" })` is then read five times: once on each of the four, and on a new one, whose answer the caller gets. Node's
# fetch (undici) sends it once and rejects. A conditional write that landed with the first is so answered 412 to its own sender.
#
# Seen with bun 1.4.5 (npm) and Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent bun@1.4.5
[ "$(node_modules/.bin/bun --version 2>/dev/null)" = 1.4.5 ] || node node_modules/bun/install.js >/dev/null

cat >server.mjs <<'JS'
// A connection's first request is answered; a PUT on one that has answered before is read whole, and the connection is closed.
import net from "node:net";
let puts = 0;
let waiting = [];
const answer = (socket, body) =>
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`);
net
  .createServer((socket) => {
    let text = "";
    let answered = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      text += data;
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const head = text.slice(0, end);
      text = "";
      if (head.startsWith("PUT")) {
        puts += 1;
        if (answered > 0) return void socket.end();
      }
      answered += 1;
      if (!head.includes("/together")) return answer(socket, String(puts));
      // All four are answered when all four are there, so that each has a connection of its own.
      waiting.push(socket);
      if (waiting.length === 4) for (const one of waiting.splice(0)) answer(one, "ok");
    });
  })
  .listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  });
JS

cat >client.mjs <<'JS'
const url = `http://127.0.0.1:${process.argv[2]}`;
await Promise.all([1, 2, 3, 4].map(() => fetch(`${url}/together`).then((response) => response.text())));
await new Promise((resolve) => setTimeout(resolve, 100));
const said = await fetch(`${url}/object`, { method: "PUT", body: "once" }).then(
  async (response) => `answered ${response.status} (${await response.text()} read)`,
  () => "rejected",
);
console.log(said);
process.exit(0);
JS

try() {
  local result
  node server.mjs >port.txt &
  local server=$!
  until [ -s port.txt ]; do sleep 0.1; done
  result=$("$@" client.mjs "$(cat port.txt)")
  kill "$server"
  rm port.txt
  echo "$result"
}

node_result=$(try node)
bun_result=$(try node_modules/.bin/bun)
echo "node: $node_result"
echo "bun: $bun_result"
[ "$node_result" = "rejected" ]
[ "$bun_result" = "answered 200 (5 read)" ]
