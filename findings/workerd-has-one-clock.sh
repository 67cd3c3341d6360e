#!/usr/bin/env bash
# performance.now() of workerd is not a monotonic clock: it is Date.now(), and 0 where a module is loaded.
#
# The standard counts it from `performance.timeOrigin`, on a clock that is never set. In a request, workerd answers with the milliseconds since
# 1970, those of the wall clock, and with a timeOrigin of 0; at global scope with 0. What was measured from there to a request is 56 years.
#
# Seen with workerd 1.20260426.1 (miniflare 4.20260426.0) and 1.20260730.1, Node 20.20.2, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent --ignore-scripts miniflare@4.20260426.0 workerd@1.20260426.1

cat >clocks.mjs <<'JS'
import { Miniflare } from "miniflare";
const contents = `
const loaded = performance.now();
export default {
  fetch() {
    return Response.json({ loaded, timeOrigin: performance.timeOrigin, differ: Math.abs(performance.now() - Date.now()) });
  },
};`;
const miniflare = new Miniflare({ modules: [{ type: "ESModule", path: "clocks.mjs", contents }], compatibilityDate: "2026-04-01" });
const said = await (await miniflare.dispatchFetch("http://worker/")).json();
await miniflare.dispose();
console.log(`workerd: ${JSON.stringify(said)}`);
console.log(`Node:    ${JSON.stringify({ timeOrigin: performance.timeOrigin, differ: Math.abs(performance.now() - Date.now()) })}`);
if (said.loaded !== 0 || said.timeOrigin !== 0 || said.differ > 1000) throw new Error("changed: it has a clock of its own");
JS
node clocks.mjs
