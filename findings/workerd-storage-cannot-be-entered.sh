#!/usr/bin/env bash
# AsyncLocalStorage of workerd has enterWith(), and throws when it is called.
#
# With nodejs_compat, `typeof storage.enterWith` is "function", so code that looks whether it is there goes on, and fails with "not
# implemented". `storage.run()` works.
#
# Seen with workerd 1.20260426.1 (miniflare 4.20260426.0) and 1.20260730.1, Node 20.20.2, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent --ignore-scripts miniflare@4.20260426.0 workerd@1.20260426.1

cat >storage.mjs <<'JS'
import { Miniflare } from "miniflare";
const contents = `
import { AsyncLocalStorage } from "node:async_hooks";
const storage = new AsyncLocalStorage();
const outcomeOf = (use) => { try { return String(use()); } catch (error) { return String(error); } };
export default {
  fetch() {
    const type = typeof storage.enterWith;
    const run = storage.run("seen", () => storage.getStore());
    return Response.json({ type, run, entered: outcomeOf(() => storage.enterWith("seen") ?? storage.getStore()) });
  },
};`;
const modules = [{ type: "ESModule", path: "storage.mjs", contents }];
const miniflare = new Miniflare({ modules, compatibilityDate: "2026-04-01", compatibilityFlags: ["nodejs_compat"] });
const said = await (await miniflare.dispatchFetch("http://worker/")).json();
await miniflare.dispose();
console.log(JSON.stringify(said));
if (said.type !== "function" || said.run !== "seen") throw new Error("changed: it has other functions");
if (!said.entered.includes("not implemented")) throw new Error("changed: storage can be entered");
JS
node storage.mjs
