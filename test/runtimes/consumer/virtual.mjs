// A lock on a clock that the test moves: nothing of it may need a real timer, on any runtime.
import { createTestMutex } from "s3-mutex/testing";

const { mutex, clock, process, another } = await createTestMutex();
const lock = await mutex.acquire("job");
await clock.advance(600_000);
if (!lock.held) throw new Error("it was not renewed");
process.freeze({ forMs: 90_000 });
const taken = await clock.runUntil(another().mutex.acquire("job"));
await clock.runUntil(() => lock.signal.aborted);
if (lock.signal.reason.reason !== "expired" || !taken.held) throw new Error("it was not taken over");
console.log("virtual passed");
