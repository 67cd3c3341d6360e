// An object in S3 that two machines count in, each under the lock. One of them is taken for dead and is not: it goes on as a
// zombie, and the object refuses it. Nothing but the lock and the object is needed.
import { end, machine } from "./store.mjs";

const [slow, quick] = [machine("slow"), machine("quick")];
const key = `counter-${Date.now()}`;

const slowLock = await slow.acquire("counter");
const slowCounter = await slowLock.fencedObject({ key });
console.log(`the slow one counts: ${await slowCounter.update((count = 0) => count + 1)}`);

// The slow one pauses in the middle of an update; an operator takes it for dead, and the quick one goes on.
const update = slowCounter.update(async (count) => {
  await quick.releaseLock("counter", true);
  const lock = await quick.acquire("counter");
  console.log(`the quick one counts: ${await lock.fencedObject({ key }).update((seen) => seen + 1)}`);
  await lock.release();
  return count + 1;
});
console.log(
  `the slow one, with its lock ${slowLock.held ? "as it believes" : "gone"}: ${await update.catch(({ code }) => code)}`,
);

await quick.withLock("counter", async (lock) => {
  console.log(`the count is ${await lock.fencedObject({ key }).read()}`);
});
await end(slow, quick);
