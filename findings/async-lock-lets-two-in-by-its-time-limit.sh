#!/usr/bin/env bash
# async-lock's `maxExecutionTime` ends the lock and not the work under it: the next one is let in beside the first.
#
# The call is rejected with an error, as the README says, and what it does not say: the key is free from then on, `isBusy()` says so, and the
# next function runs while the first is still at it. The function has nothing that tells it: no signal, no argument. So a limit
# that was set against work that hangs makes two at once of work that is slow. `maxOccupationTime`, which the README describes in the same
# words, keeps the key busy until the function has ended, and refuses the next one.
#
# Seen with async-lock 1.5.0 (npm) on Node 20, 22, 24 and 26, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent async-lock@1.5.0

cat >limit.mjs <<'JS'
import AsyncLock from "async-lock";

async function tryLimit(options) {
  const lock = new AsyncLock(options);
  const inside = new Set();
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  const first = lock.acquire("job", async () => {
    inside.add("first");
    await ended;
    inside.delete("first");
  });
  const error = await first.catch(({ message }) => message);
  const isBusy = lock.isBusy("job");
  const second = lock.acquire("job", () => inside.add("second") && `${[...inside].join(" and ")} are inside`);
  const result = await second.catch(({ message }) => `"${message}"`);
  end();
  console.log(`${Object.keys(options)}, the first call: "${error}"; busy: ${isBusy}; the second: ${result}`);
}
await tryLimit({ maxExecutionTime: 500 });
await tryLimit({ maxOccupationTime: 500 });
JS
node limit.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
maxExecutionTime, the first call: "Maximum execution time is exceeded job"; busy: false; the second: first and second are inside
maxOccupationTime, the first call: "Maximum occupation time is exceeded in queue job"; busy: true; the second: "Maximum occupation time is exceeded in queue job"
SEEN
