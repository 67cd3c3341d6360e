// A worker of which one runs at a time, on as many machines as there are: the leader works, the others stand by. One more watches
// who leads, without being a candidate.
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { end, machine } from "./store.mjs";

const [first, second, watcher] = [machine("first"), machine("second"), machine("watcher")];

/** Works whenever this machine leads, until it is told to stop; a leader that is deposed campaigns again by itself. */
function runWorker(mutex, name, stop) {
  return mutex.election("worker", { leaseMs: 3000 }).runWhenLeader(
    async (signal, fencingToken) => {
      console.log(`${name} leads${fencingToken > lastToken ? ", with a higher token than any before" : ""}`);
      lastToken = fencingToken;
      story.emit(name);
      // What it writes elsewhere carries the token. The signal tells it to stop before another candidate can lead.
      while (!signal.aborted) await sleep(20, undefined, { signal }).catch(() => {});
      console.log(`${name} stops`);
    },
    { signal: stop.signal },
  );
}

const story = new EventEmitter();
let lastToken = 0;
const [stopFirst, stopSecond, stopWatching] = [new AbortController(), new AbortController(), new AbortController()];

/** Resolves when the watcher sees this machine lead. */
async function seen(label) {
  for await (const leader of watcher.election("worker").observe({ intervalMs: 50, signal: stopWatching.signal })) {
    if (leader?.label === label) return console.log(`the watcher sees ${label}`);
  }
}

const firstLeads = once(story, "the first");
const firstWorker = runWorker(first, "the first", stopFirst);
await firstLeads;
await seen("first");
const secondWorker = runWorker(second, "the second", stopSecond);

// A deployment: the first is told to stop, and resigns; no candidate has to wait for its lease to end.
const secondLeads = once(story, "the second");
stopFirst.abort();
await firstWorker;
await secondLeads;
await seen("second");

stopSecond.abort();
await secondWorker;
stopWatching.abort();
await end(first, second, watcher);
