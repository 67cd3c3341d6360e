import assert from "node:assert/strict";
import { S3MutexError, type S3MutexErrorCode } from "../../errors.js";
import type { StoreMutex } from "../../mutex.js";
import type { Lock } from "../../primitives/lock.js";
import type { Checks } from "./check.js";
import { IF_ABSENT, REQUEST, type Subject, sleep, written } from "./subject.js";

/** Long enough for a store that takes one write a second on a key. */
const LONG_MS = 60_000;
/** Long enough for a busy machine to be answered, and for a sixth of it to be a round trip: the time that one request has. */
const LEASE_MS = 4_000;
/** Long enough to be answered, by a store that gives a wait an end. */
const SHORT_MS = 2_000;

/** The locks themselves, as users have them, each client as a process of its own. */
export const lockChecks: Checks = {
  async "turns on one lock never overlap, and their tokens rise"({ subject }) {
    const mutexes = await subject.mutexes(5);
    const tokens: number[] = [];
    let inside = 0;
    const turn = async (lock: Lock) => {
      inside += 1;
      assert.equal(inside, 1, "two had the lock at the same time");
      tokens.push(lock.fencingToken);
      await sleep(5);
      inside -= 1;
    };
    const turns = mutexes.map(async (mutex) => {
      for (let n = 0; n < 4; n += 1) await holding(mutex, "shared", turn);
    });
    await Promise.all(turns);
    assert.equal(tokens.length, 20);
    assert.deepEqual(tokens, rising(tokens));
  },

  async "tryAcquire gives the lock to one, and again when it is released"({ subject }) {
    const [a, b] = await two(subject);
    const lock = await a.acquire("try");
    assert.equal(await b.tryAcquire("try"), null);
    assert.equal(lock.held, true);
    await lock.release();
    const next = await b.tryAcquire("try");
    assert.ok(next !== null && next.fencingToken > lock.fencingToken);
    await next.release();
  },

  async "a renewed lock outlives its lease"({ subject }) {
    const [a, b] = await two(subject);
    const lock = await a.acquire("renewed", { leaseMs: 6_000 });
    await sleep(8_000);
    lock.assertHeld();
    assert.equal(await b.tryAcquire("renewed"), null);
    await lock.release();
  },

  async "the lease of a holder that has gone is taken over, not before its end, with a higher token"({ subject }) {
    const [gone, heir] = await two(subject, { lockTimeoutMs: LEASE_MS });
    const before = await gone.acquire("left");
    await before.release();
    const takenAtMs = performance.now();
    assert.equal(await gone.acquireLock("left"), true);
    const lock = await heir.acquire("left", { timeoutMs: LONG_MS });
    const waitedMs = performance.now() - takenAtMs;
    assert.ok(waitedMs >= LEASE_MS, `a lease of ${LEASE_MS} ms was taken over after ${waitedMs.toFixed(0)} ms`);
    assert.ok(lock.fencingToken > before.fencingToken);
    assert.equal(await gone.refreshLock("left"), false);
    await lock.release();
  },

  async "a holder is told when it loses the lock"({ subject }) {
    const [holder, other] = await two(subject);
    const lock = await holder.acquire("lost", { leaseMs: 6_000 });
    assert.equal(await other.releaseLock("lost", true), true);
    const told = new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
    await Promise.race([told, sleep(12_000)]);
    assert.equal((lock.signal.reason as S3MutexError | undefined)?.reason, "force-released");
    assert.equal(lock.held, false);
  },

  async "waiting ends with its time or its signal, and leaves nothing behind"({ subject }) {
    const [holder, waiter] = await two(subject);
    const lock = await holder.acquire("busy");
    await rejects(waiter.acquire("busy", { timeoutMs: SHORT_MS }), "timed-out");
    await rejects(waiter.acquire("busy", { signal: AbortSignal.timeout(SHORT_MS) }), "aborted");
    await lock.release();
    const again = await holder.tryAcquire("busy");
    assert.ok(again !== null, "a caller that had given up was still in the queue");
    await again.release();
  },

  async "waiters are served by priority, then by arrival"({ subject }) {
    const right = ["boss", "first", "second"];
    let served = await servedInTurn(subject, "queue-0");
    // A waiter that is too slow to take a free lock is passed over, which on a busy machine happens to any.
    for (let n = 1; n < 4 && served.join() !== right.join(); n += 1) served = await servedInTurn(subject, `queue-${n}`);
    assert.deepEqual(served, right);
  },

  async "callers of one instance exclude each other"({ subject }) {
    const mutex = await subject.mutex();
    let inside = 0;
    const turn = async () => {
      inside += 1;
      assert.equal(inside, 1);
      await sleep(2);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => holding(mutex, "local", turn)));
  },

  async "withLock returns what its function returns, and releases whatever happens"({ subject }) {
    const [a, b] = await two(subject);
    assert.equal(await a.withLock("with", () => "result"), "result");
    const failure = new Error("of the function");
    const fail = () => Promise.reject(failure);
    await assert.rejects(a.withLock("with", fail), (error) => error === failure);
    const lock = await b.acquire("with", { timeoutMs: LONG_MS });
    assert.equal(await a.withLock("with", () => "result", { timeoutMs: SHORT_MS }), null);
    await lock.release();
  },

  async "several locks are had together, whatever the order in which they are named"({ subject }) {
    const mutexes = await two(subject);
    const tokens: number[] = [];
    const turns = mutexes.map(async (mutex, n) => {
      const names = n === 0 ? ["one", "two", "three"] : ["three", "two", "one"];
      for (let turn = 0; turn < 3; turn += 1) {
        const set = await mutex.acquireAll(names, { timeoutMs: LONG_MS });
        tokens.push(set.get("two")?.fencingToken ?? 0);
        await set.release();
      }
    });
    await Promise.all(turns);
    assert.deepEqual(tokens, rising(tokens));
  },

  async "of two who wait for each other one gives way"({ subject }) {
    const [a, b] = await two(subject);
    const nested = async (mutex: StoreMutex, outer: string, inner: string) => {
      const take = () => mutex.withLock(inner, () => "done", { timeoutMs: LONG_MS });
      const both = async () => {
        await sleep(1_500);
        return await take();
      };
      return await mutex.withLock(outer, both, { timeoutMs: LONG_MS }).catch((error: unknown) => {
        if (S3MutexError.is(error, "deadlock")) return error.code;
        throw error;
      });
    };
    const results = await Promise.all([nested(a, "left", "right"), nested(b, "right", "left")]);
    assert.deepEqual(results.toSorted(), ["deadlock", "done"]);
  },

  async "different names are different locks"({ subject }) {
    const mutex = await subject.mutex();
    const locks: Lock[] = [];
    for (const name of ["a", "A", "a.b", "a/b", "a b", "a%2Fb", "ä", "\u{1F512}"]) {
      const lock = await mutex.tryAcquire(name);
      assert.ok(lock !== null, `${name} was taken`);
      locks.push(lock);
    }
    for (const lock of locks) await lock.release();
  },

  async "tokens rise when a lock was deleted, and its waiters go on"({ subject }) {
    const [a, b] = await two(subject);
    assert.equal(await a.acquireLock("deleted"), true);
    const before = await tokenOf(b, "kept");
    const waiter = b.acquire("deleted", { timeoutMs: LONG_MS });
    assert.equal(await a.deleteLock("deleted"), true);
    const lock = await waiter;
    await lock.release();
    await a.deleteLock("kept", true);
    assert.ok((await tokenOf(b, "kept")) > before);
  },

  async "cleanup frees what has expired and nothing else"({ subject }) {
    const [gone, other] = await two(subject, { lockTimeoutMs: LEASE_MS });
    assert.equal(await gone.acquireLock("stale"), true);
    const live = await other.acquire("live", { leaseMs: 60_000 });
    await sleep(LEASE_MS + 2_000);
    const report = await other.cleanupStaleLocks();
    const { timing } = await (await subject.store()).read(subject.key("absent"), REQUEST);
    // Without dates it cannot be told from the record alone that a lease has ended.
    const cleaned = timing?.dateMs === undefined ? 0 : 1;
    assert.equal(report.cleaned, cleaned, JSON.stringify(report));
    assert.equal(await other.isLocked("stale"), false);
    assert.equal(await other.isLocked("live"), true);
    await live.release();
  },

  async "closing releases what is held and ends what waits"({ subject }) {
    const [a, b] = await two(subject);
    await a.acquire("closed");
    const waiting = rejects(b.acquire("closed"), "closed");
    await Promise.race([enqueuedIn(b), waiting]);
    await b.close();
    await waiting;
    await a.close({ handles: "release" });
    const last = await subject.mutex();
    assert.ok((await last.tryAcquire("closed")) !== null, "closing left the lock held");
  },

  async "an object that is not a lock record is never overwritten"({ subject }) {
    const [mutex, store] = [await subject.mutex(), await subject.store()];
    await written(store, subject.key("strange.json"), "no record", IF_ABSENT);
    await rejects(mutex.tryAcquire("strange"), "corrupt-record");
  },
};

/** What the README of s3-mutex 1.x promises, and the records that its processes write. */
export const oneXChecks: Checks = {
  async "1.x: a lock is taken, refreshed and released by its name"({ subject }) {
    const [a, b] = await two(subject, { maxRetries: 1, retryDelayMs: SHORT_MS });
    assert.equal(await a.isLocked("resource-lock"), false);
    assert.equal(await a.acquireLock("resource-lock", 60_000, 10), true);
    assert.deepEqual([await b.isLocked("resource-lock"), await a.isOwnedByUs("resource-lock")], [true, true]);
    assert.equal(await b.acquireLock("resource-lock"), false);
    assert.equal(await a.refreshLock("resource-lock"), true);
    assert.equal(await b.releaseLock("resource-lock"), false);
    assert.equal(await b.isOwnedByUs("resource-lock"), false);
    assert.equal(await a.releaseLock("resource-lock"), true);
    assert.equal(await b.acquireLock("resource-lock"), true);
    assert.equal(await a.releaseLock("resource-lock", true), true);
    assert.equal(await b.deleteLock("resource-lock"), false);
    assert.equal(await b.deleteLock("resource-lock", true), true);
    assert.equal(await b.isLocked("resource-lock"), false);
  },

  async "1.x: what one of its processes holds is respected, and what it has left is taken"({ subject }) {
    const [mutex, store] = [await subject.mutex(), await subject.store()];
    const record = (acquiredAt: number, expiresAt: number) =>
      JSON.stringify({ locked: true, owner: "of 1.x", acquiredAt, expiresAt, priority: 0 });
    const nowMs = Date.now();
    await written(store, subject.key("held.json"), record(nowMs, nowMs + 600_000), IF_ABSENT);
    await written(store, subject.key("left.json"), record(nowMs - 62_000, nowMs - 60_000), IF_ABSENT);
    assert.deepEqual([await mutex.isLocked("held"), await mutex.tryAcquire("held")], [true, null]);
    // Where answers have no date, a lease has to be watched to its end.
    await holding(mutex, "left", (lock) => lock.assertHeld());
  },
};

async function two(subject: Subject, options = {}): Promise<[StoreMutex, StoreMutex]> {
  return [await subject.mutex(options), await subject.mutex(options)];
}

/** Names three waiters in the order in which they got a lock that was held while they came. */
async function servedInTurn(subject: Subject, lockName: string): Promise<string[]> {
  const holder = await subject.mutex();
  const lock = await holder.acquire(lockName);
  const served: string[] = [];
  const waiting: Promise<unknown>[] = [];
  for (const [name, priority] of [
    ["first", 0],
    ["second", 0],
    ["boss", 5],
  ] as const) {
    const mutex = await subject.mutex();
    const enqueued = enqueuedIn(mutex);
    const turn = mutex.acquire(lockName, { priority, timeoutMs: LONG_MS }).then((own) => {
      served.push(name);
      return own.release();
    });
    waiting.push(turn);
    // Of those before it, too: one that fails meanwhile fails the check, not the process.
    await Promise.race([enqueued, Promise.all(waiting)]);
  }
  await lock.release();
  await Promise.all(waiting);
  return served;
}

function enqueuedIn(mutex: StoreMutex): Promise<unknown> {
  return new Promise((resolve) => mutex.once("enqueued", resolve));
}

async function holding<T>(mutex: StoreMutex, name: string, turn: (lock: Lock) => T): Promise<Awaited<T>> {
  const lock = await mutex.acquire(name, { timeoutMs: LONG_MS });
  try {
    return await turn(lock);
  } finally {
    await lock.release();
  }
}

function tokenOf(mutex: StoreMutex, name: string): Promise<number> {
  return holding(mutex, name, (lock) => lock.fencingToken);
}

function rising(tokens: readonly number[]): number[] {
  return [...new Set(tokens)].toSorted((a, b) => a - b);
}

async function rejects(promise: Promise<unknown>, code: S3MutexErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => S3MutexError.is(error, code));
}
