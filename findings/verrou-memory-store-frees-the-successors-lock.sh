#!/usr/bin/env bash
# Verrou's memory store lets a late release end the next holder's lock.
#
# A takes a lock for 100 ms and overruns, B takes it after that. A's release() resolves without an error, and the lock is free although B holds
# it: a third one acquires it at once. Verrou's Redis, DynamoDB and SQL stores throw E_LOCK_NOT_OWNED there, so tests with the memory store
# pass where production throws, and the other way round.
#
# Seen with @verrou/core 0.5.2 on Node 20.20.2, 2026-11-28.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @verrou/core@0.5.2

cat >late.mjs <<'JS'
import { LockFactory } from "@verrou/core";
import { memoryStore } from "@verrou/core/drivers/memory";
const factory = new LockFactory(memoryStore().factory());
const immediate = (lock) => lock.acquireImmediately();
const a = factory.createLock("job", 100);
console.log("A acquires:", await immediate(a));
await new Promise((resolve) => setTimeout(resolve, 150));
const b = factory.createLock("job", 60_000);
console.log("B acquires:", await immediate(b));
console.log("A releases:", await a.release().then(() => "no error", (error) => error.code));
console.log("C acquires:", await immediate(factory.createLock("job", 60_000)));
JS
node late.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
A acquires: true
B acquires: true
A releases: no error
C acquires: true
SEEN
