// A resource that remembers the highest fencing token it has seen, and two holders who both believe that they hold the lock.
import { end, machine } from "./store.mjs";

/** Any store with a compare-and-swap or a transaction will do; checking and writing have to be one step. */
class FencedFile {
  #content = "";
  #highestToken = 0;

  /** Opening it for writing is enough to shut out earlier holders. */
  open(fencingToken) {
    this.#check(fencingToken);
    return this.#content;
  }

  write(content, fencingToken) {
    this.#check(fencingToken);
    this.#content = content;
  }

  #check(fencingToken) {
    if (fencingToken < this.#highestToken) throw new Error("refused: a newer holder was here");
    this.#highestToken = fencingToken;
  }
}

const [slow, quick] = [machine("slow"), machine("quick")];
const file = new FencedFile();

const slowLock = await slow.acquire("file");
const seen = file.open(slowLock.fencingToken);

// The slow one pauses here. An operator takes it for dead, and the quick one goes on.
await quick.releaseLock("file", true);
const quickLock = await quick.acquire("file");
file.write(`${file.open(quickLock.fencingToken)} quick`, quickLock.fencingToken);
await quickLock.release();

// The slow one wakes up, and knows nothing of all that.
console.log(`the slow one believes that it holds the lock: ${slowLock.held}`);
try {
  file.write(`${seen} slow`, slowLock.fencingToken);
} catch (error) {
  console.log(error.message);
}
console.log(`its next renewal tells it: ${await slowLock.renew()}, ${slowLock.signal.reason.reason}`);
await end(slow, quick);
