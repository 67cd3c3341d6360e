#!/usr/bin/env bash
# swc compiles `await using` to code that loses both errors when the block and the disposer throw.
#
# The block throws, the disposer throws too: the standard, TypeScript and esbuild give a SuppressedError with both. What swc makes of it fails
# with "ReferenceError: _SuppressedError is not defined" where the runtime has no SuppressedError of its own or has one, and neither error
# can be found in it. A lock whose disposer may throw hides the failure of the work; one whose disposer never throws is not touched.
#
# Seen with @swc/core 1.16.22 on Node 20.20.2, 2026-11-28, for the targets es2022 and es2015; esbuild 0.28.2 beside it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @swc/core@1.16.22 esbuild@0.28.2

cat >compile.mjs <<'JS'
import swc from "@swc/core";
import esbuild from "esbuild";
const source = `
  Symbol.asyncDispose ??= Symbol("asyncDispose");
  export async function both() {
    const lock = { async [Symbol.asyncDispose]() { throw new Error("release") } };
    await using held = lock;
    throw new Error("work");
  }`;
const run = async (code) => {
  const { both } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const error = await both().catch((thrown) => thrown);
  const inside = [error.suppressed?.message, error.error?.message].filter(Boolean).sort().join(" and ");
  return `${error.name}: ${error.name === "ReferenceError" ? error.message : `has ${inside}`}`;
};
for (const target of ["es2022", "es2015"]) {
  const { code } = await swc.transform(source, {
    isModule: true,
    jsc: { target, parser: { syntax: "typescript" } },
    module: { type: "es6" },
  });
  console.log(`swc ${target}`, await run(code));
}
console.log("esbuild", await run((await esbuild.transform(source, { loader: "ts", target: "es2022", format: "esm" })).code));
JS
node compile.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
swc es2022 ReferenceError: _SuppressedError is not defined
swc es2015 ReferenceError: _SuppressedError is not defined
esbuild SuppressedError: has release and work
SEEN
