// Identities where asynchronous contexts are shared: they propagate differently on each runtime, and must decide nothing on any.
import { S3Mutex, S3MutexError } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

const server = await startS3Server({ buckets: ["locks"] });
const opened = [];
const mutexWith = (options = {}) => {
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: "locks", logger: {}, ...options });
  opened.push(mutex);
  return mutex;
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const failures = [];
const expect = (what, actual, expected) => {
  if (actual !== expected) failures.push(`${what}: ${actual}, not ${expected}`);
};

/** The most that were inside at once. */
function room() {
  let inside = 0;
  const seen = { most: 0 };
  return {
    seen,
    stay: async (ms) => {
      inside += 1;
      seen.most = Math.max(seen.most, inside);
      await sleep(ms);
      inside -= 1;
    },
  };
}

async function interval() {
  const mutex = mutexWith();
  const { seen, stay } = room();
  const ticks = [];
  const timer = setInterval(() => {
    ticks.push(
      (async () => {
        const lock = await mutex.acquire("job", { reentrant: true });
        await stay(120);
        await lock.release();
      })(),
    );
  }, 50);
  await sleep(400);
  clearInterval(timer);
  await Promise.all(ticks);
  expect("P5: ticks of an interval inside at once", seen.most, 1);
}

async function siblings() {
  const mutex = mutexWith();
  const { seen, stay } = room();
  const nested = () => mutex.withLock("orders", () => stay(100), { reentrant: true });
  await mutex.withLock("orders", () => Promise.all([nested(), nested(), nested()]));
  expect("siblings that nest inside at once", seen.most, 1);
  const plain = async () => {
    const lock = await mutex.acquire("orders");
    await stay(100);
    await lock.release();
  };
  await mutex.withLock("singleton", () => Promise.all([plain(), plain()]));
  expect("P8: siblings inside at once", seen.most, 1);
  expect("P9: tryAcquire inside of withLock", await mutex.withLock("x", () => mutex.tryAcquire("x")), null);
  const outer = await mutex.acquire("x");
  const inner = await mutex.acquire("x", { within: outer });
  await inner.release();
  expect("within: outer held after the inner's release", outer.held, true);
  await outer.release();
}

async function byName() {
  const mutex = mutexWith({ lockTimeoutMs: 1000, clockSkewToleranceMs: 0 });
  await mutex.acquireLock("boot");
  await mutex.releaseLock("boot");
  const request = (work) =>
    new Promise((resolve, reject) => {
      setTimeout(async () => {
        if (!(await mutex.acquireLock("job", 10_000))) return reject(new Error("job was not to be had"));
        await work();
        resolve(await mutex.releaseLock("job"));
      });
    });
  let tell;
  const isTaken = new Promise((resolve) => {
    tell = resolve;
  });
  // It is at work beyond its lease, until the next one has the lock.
  const late = request(() => isTaken);
  await sleep(1300);
  const next = request(() => {
    tell();
    return sleep(400);
  });
  expect("P6: a late release", await late, false);
  expect("P6: the request that has the lock since", await next, true);
}

async function noVictim() {
  const [here, there] = [mutexWith(), mutexWith()];
  await (await here.acquire("boot")).release();
  const events = [];
  for (const mutex of [here, there]) mutex.on("deadlock", (event) => events.push(event));
  const b = await there.acquire("B");
  const request = (name, ms) =>
    new Promise((resolve, reject) => {
      setTimeout(() => {
        here
          .acquire(name)
          .then((lock) => sleep(ms).then(() => lock.release()), reject)
          .then(resolve, reject);
      });
    });
  const one = request("A", 3500);
  await sleep(200);
  const two = request("B", 10);
  const a = there.acquire("A").then(async (lock) => {
    await lock.release();
    await b.release();
  });
  await Promise.all([one, two, a]);
  expect("P7: victims", events.length, 0);
}

async function realCycle() {
  const take = async (mutex, first, then) => {
    if (!(await mutex.acquireLock(first, 20_000))) return false;
    await sleep(200);
    const had = await mutex.acquireLock(then, 20_000);
    if (had) await mutex.releaseLock(then);
    await mutex.releaseLock(first);
    return had;
  };
  for (const [one, two] of [[mutexWith(), mutexWith()], new Array(2).fill(mutexWith())]) {
    const startedAtMs = performance.now();
    const both = await Promise.all([take(one, "X", "Y"), take(two, "Y", "X")]);
    expect("X then Y against Y then X: who had both", both.filter(Boolean).length, 1);
    expect("a cycle is over within 5 s", performance.now() - startedAtMs < 5000, true);
  }
}

try {
  await Promise.all([interval(), siblings(), byName(), noVictim(), realCycle()]);
} catch (error) {
  failures.push(S3MutexError.is(error) ? `${error.code}: ${error.message}` : String(error));
}
for (const mutex of opened) await mutex.close();
await server.close();
for (const failure of failures) console.log(failure);
console.log(failures.length === 0 ? "contexts passed" : "contexts failed");
