#!/usr/bin/env bash
# async-lock runs the function of a caller that had to wait in the asynchronous context of the caller before it.
#
# What an `AsyncLocalStorage` says in there, a request's id, its trace, its transaction, is that of the task that held the lock first, for all
# that have queued behind it; the function of a call that need not wait has its own. The same in mutexify, semaphore, rwlock, bottleneck,
# p-queue and fastq, and not in async-mutex, await-semaphore and p-limit. In the form with `done`, the context is the one in
# which `done` was called. `AsyncResource.bind(fn)` around the function keeps the caller's.
#
# Seen with the versions below (npm) on Node 20, 22, 24 and 26, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent async-lock@1.5.0 async-mutex@0.5.0 await-semaphore@0.1.3 bottleneck@2.19.5 fastq@1.20.3 \
  mutexify@1.4.0 p-limit@7.3.3 p-queue@9.3.5 rwlock@5.0.0 semaphore@1.1.0

cat >wait.mjs <<'JS'
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import AsyncLock from "async-lock";
import { Mutex } from "async-mutex";
import awaitSemaphore from "await-semaphore";
import Bottleneck from "bottleneck";
import fastq from "fastq";
import mutexify from "mutexify";
import pLimit from "p-limit";
import PQueue from "p-queue";
import ReadWriteLock from "rwlock";
import semaphore from "semaphore";

const queues = {
  "async-lock": () => {
    const lock = new AsyncLock();
    return (work) => lock.acquire("key", work);
  },
  "async-lock, done() in another context": () => {
    const lock = new AsyncLock();
    return (work) => lock.acquire("key", (done) => void work().then(() => context.run("inner", done)));
  },
  "async-lock, bound": () => {
    const lock = new AsyncLock();
    return (work) => lock.acquire("key", AsyncResource.bind(work));
  },
  mutexify: () => {
    const lock = mutexify();
    return (work) => new Promise((resolve) => lock((release) => work().then(() => release(resolve))));
  },
  semaphore: () => {
    const permits = semaphore(1);
    return (work) => new Promise((resolve) => permits.take(() => work().then(() => resolve(permits.leave()))));
  },
  rwlock: () => {
    const lock = new ReadWriteLock();
    return (work) => new Promise((resolve) => lock.writeLock((release) => work().then(() => resolve(release()))));
  },
  bottleneck: () => {
    const limiter = new Bottleneck({ maxConcurrent: 1 });
    return (work) => limiter.schedule(work);
  },
  "p-queue": () => {
    const queue = new PQueue({ concurrency: 1 });
    return (work) => queue.add(work);
  },
  fastq: () => {
    const queue = fastq.promise((work) => work(), 1);
    return (work) => queue.push(work);
  },
  "async-mutex": () => {
    const mutex = new Mutex();
    return (work) => mutex.runExclusive(work);
  },
  "await-semaphore": () => {
    const mutex = new awaitSemaphore.Mutex();
    return (work) => mutex.use(work);
  },
  "p-limit": () => {
    const limit = pLimit(1);
    return (work) => limit(work);
  },
};

const context = new AsyncLocalStorage();
for (const [name, create] of Object.entries(queues)) {
  const run = create();
  const seen = [];
  const call = (caller) =>
    context.run(caller, () =>
      run(async () => {
        seen.push(`${caller} sees ${context.getStore()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }),
    );
  await Promise.all(["ada", "bob", "eve"].map(call));
  console.log(`${name}: ${seen.join(", ")}`);
}
JS
node wait.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
async-lock: ada sees ada, bob sees ada, eve sees ada
async-lock, done() in another context: ada sees ada, bob sees inner, eve sees inner
async-lock, bound: ada sees ada, bob sees bob, eve sees eve
mutexify: ada sees ada, bob sees ada, eve sees ada
semaphore: ada sees ada, bob sees ada, eve sees ada
rwlock: ada sees ada, bob sees ada, eve sees ada
bottleneck: ada sees ada, bob sees ada, eve sees ada
p-queue: ada sees ada, bob sees ada, eve sees ada
fastq: ada sees ada, bob sees ada, eve sees ada
async-mutex: ada sees ada, bob sees bob, eve sees eve
await-semaphore: ada sees ada, bob sees bob, eve sees eve
p-limit: ada sees ada, bob sees bob, eve sees eve
SEEN
