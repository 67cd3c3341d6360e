// A worker of which one runs at a time. The second waits for its turn, and goes on when the first is gone.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { end, machine } from "./store.mjs";

/** Works while it holds the lock, and asks for it again when it was lost. */
async function runWorker(mutex, name, stop) {
  while (!stop.aborted) {
    const lock = await mutex.acquire("worker", { signal: stop, leaseMs: 2000 }).catch((error) => {
      if (!stop.aborted) throw error; // the store is the problem, not another holder
    });
    if (lock === undefined) break; // told to stop while waiting
    console.log(`${name} is at work`);
    const until = AbortSignal.any([stop, lock.signal]);
    while (!until.aborted) await sleep(20, undefined, { signal: until }).catch(() => {});
    console.log(`${name} stops: ${lock.signal.aborted ? lock.signal.reason.reason : "told to"}`);
    await lock.release();
  }
}

const [first, second] = [machine("first"), machine("second")];
const [stopFirst, stopSecond] = [new AbortController(), new AbortController()];

const firstWorker = runWorker(first, "the first", stopFirst.signal);
await once(first, "acquired");
const secondWorker = runWorker(second, "the second", stopSecond.signal);
await once(second, "enqueued");

const handedOver = once(second, "acquired");
stopFirst.abort();
await firstWorker;
await handedOver;

// An operator takes the lock away from the second, which finds out at its next renewal, and asks again.
const tookAgain = once(second, "acquired");
await first.releaseLock("worker", true);
await tookAgain;

stopSecond.abort();
await secondWorker;
await end(first, second);
