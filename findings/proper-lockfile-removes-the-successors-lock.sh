#!/usr/bin/env bash
# proper-lockfile lets the release of a holder that was late remove its successor's lock.
#
# A holds a lock and computes for longer than the limit after which a lock is stale, so B, another process, takes it over: as the README says.
# When A then calls release() before its event loop has come round to the next update of the lock, release() resolves without an error, `onCompromised`
# is not called, and what it has removed is B's lock: check() says that the file is free, and a third one acquires it, beside B.
# An update in between would have seen that the lock is another's; release() does not look.
#
# Seen with proper-lockfile 4.1.2 (npm) on Node 20, 22, 24 and 26, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent proper-lockfile@4.1.2

cat >hold.cjs <<'JS'
const { spawn } = require("node:child_process");
const { existsSync, writeFileSync } = require("node:fs");
const { once } = require("node:events");
const lockfile = require("proper-lockfile");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
writeFileSync("data", "");
const lock = (who) =>
  lockfile.lock("data", { stale: 2000, onCompromised: ({ code }) => console.log(`${who} is told: ${code}`) });

async function main() {
  const release = await lock("A");
  console.log("A acquires");
  const b = spawn(process.execPath, [__filename, "B"], { stdio: ["ignore", "pipe", "inherit"] });
  while (!existsSync("b-holds")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50); // A computes.
  console.log("B acquires while A computes");
  console.log("A releases:", await release().then(() => "no error", ({ code }) => code));
  console.log("A asks whether it is locked:", await lockfile.check("data", { stale: 2000 }));
  console.log("C acquires:", await lock("C").then(() => true, ({ code }) => code));
  console.log("B, later:", (await once(b.stdout, "data")).toString().trim());
  b.kill();
  process.exit(0);
}

async function takeOver() {
  for (;;) {
    const isLocked = await lock("B").then(() => true, () => false);
    if (isLocked) break;
    await sleep(100);
  }
  writeFileSync("b-holds", "");
  await sleep(60_000);
}

if (process.argv[2] === "B") takeOver();
else main();
JS
node hold.cjs | tee seen.txt
diff seen.txt - <<'SEEN'
A acquires
B acquires while A computes
A releases: no error
A asks whether it is locked: false
C acquires: true
B, later: B is told: ECOMPROMISED
SEEN
