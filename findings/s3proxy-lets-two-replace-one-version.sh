#!/usr/bin/env bash
# S3Proxy judges `If-Match` of a PUT before its body has come, and writes when it has: two that replace the same version are both told that they did.
#
# The first PUT names the version and keeps its last byte back; the second names the same version, and is answered 200; then the first one's
# last byte follows, and that is answered 200 as well. What the second one wrote is gone, and no client was told. So a compare-and-swap by
# which two add to one object loses one of both, without any race that would have to be met by chance.
#
# Seen with S3Proxy 4.1.0 (Maven Central, org.gaul:s3proxy, the jar with dependencies, transient-nio2) on Java 17 and Node 20.20.2, 2026-11-29.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
curl -fsSLo s3proxy.jar https://repo1.maven.org/maven2/org/gaul/s3proxy/4.1.0/s3proxy-4.1.0-jar-with-dependencies.jar
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
cat >s3proxy.properties <<INI
s3proxy.endpoint=http://127.0.0.1:$port
s3proxy.authorization=none
jclouds.provider=transient-nio2
jclouds.identity=local
jclouds.credential=local
INI
java -Xmx256m -jar s3proxy.jar --properties s3proxy.properties >server.log 2>&1 &
server=$!

cat >ask.mjs <<'JS'
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
const port = process.argv[2];
/** `late` settles when the last byte may follow. */
function put(path, body, headers = {}, late = undefined) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method: "PUT", headers: { "content-length": body.length, ...headers } };
    const sent = request(options, (answer) => answer.resume().on("end", () => resolve(answer)));
    sent.on("error", reject);
    if (late === undefined) return void sent.end(body);
    sent.write(body.slice(0, -1));
    late.then(() => sent.end(body.slice(-1)));
  });
}
for (let tries = 0; ; tries += 1) {
  const made = await put("/bucket", "").catch(() => undefined);
  if (made?.statusCode === 200) break;
  if (tries > 600) throw new Error("the server did not start");
  await pause(100);
}
const { headers } = await put("/bucket/key", "0");
const isVersion = { "if-match": headers.etag };
let follow;
const first = put("/bucket/key", "first", isVersion, new Promise((resolve) => (follow = resolve)));
await pause(500);
console.log("the second one, which names the version of both:", (await put("/bucket/key", "second", isVersion)).statusCode);
follow();
console.log("the first one, whose last byte came after that:", (await first).statusCode);
console.log("a third one, one after the other:", (await put("/bucket/key", "third", isVersion)).statusCode);
console.log("what is there:", await (await fetch(`http://127.0.0.1:${port}/bucket/key`)).text());
JS
node ask.mjs "$port" | tee seen.txt
diff seen.txt - <<'SEEN'
the second one, which names the version of both: 200
the first one, whose last byte came after that: 200
a third one, one after the other: 412
what is there: first
SEEN
