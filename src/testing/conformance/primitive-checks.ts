import assert from "node:assert/strict";
import { S3MutexError } from "../../errors.js";
import type { StoreMutex } from "../../mutex.js";
import type { Semaphore } from "../../primitives/semaphore/semaphore.js";
import type { Checks } from "./check.js";
import { type Subject, sleep } from "./subject.js";

const OPTIONS = { timeoutMs: 60_000 };

/** What is made of locks. */
export const primitiveChecks: Checks = {
  async "a semaphore gives out all of its permits, and never more"({ subject }) {
    const semaphores = (await mutexesOf(subject, 4)).map((mutex) => mutex.semaphore("permits", { permits: 2 }));
    const [a, b, c] = semaphores as [Semaphore, Semaphore, Semaphore];
    const permits = [await a.acquire(OPTIONS), await b.acquire(OPTIONS)];
    assert.equal(await c.tryAcquire(), null);
    await Promise.all(permits.map((permit) => permit.release()));
    let inside = 0;
    const turns = semaphores.map(async (semaphore) => {
      for (let n = 0; n < 3; n += 1) {
        const permit = await semaphore.acquire(OPTIONS);
        inside += 1;
        assert.ok(inside <= 2, `${inside} had one of 2 permits`);
        await sleep(30);
        inside -= 1;
        await permit.release();
      }
    });
    await Promise.all(turns);
  },

  async "readers share a lock, and no writer is among them"({ subject }) {
    const [a, b, c] = await mutexesOf(subject, 3);
    const reading = await a.acquire("shared", { mode: "shared" });
    const alsoReading = await b.acquire("shared", { mode: "shared", ...OPTIONS });
    assert.equal(await c.tryAcquire("shared"), null);
    await Promise.all([reading.release(), alsoReading.release()]);
    const writing = await c.acquire("shared", OPTIONS);
    assert.equal(await a.tryAcquire("shared", { mode: "shared" }), null);
    await writing.release();
  },

  async "of several candidates one leads, and another when it resigns"({ subject }) {
    const [a, b] = await mutexesOf(subject, 2);
    const [first, second] = [a.election("leader"), b.election("leader")];
    const leading = await first.campaign(OPTIONS);
    await assert.rejects(second.campaign({ timeoutMs: 2_000 }), (error) => S3MutexError.is(error, "timed-out"));
    assert.equal(await first.resign(), true);
    const next = await second.campaign(OPTIONS);
    assert.ok(next.fencingToken > leading.fencingToken);
    await second.resign();
  },

  async "once runs its function once, whichever process calls"({ subject }) {
    const mutexes = await mutexesOf(subject, 3);
    let runs = 0;
    const work = async () => {
      runs += 1;
      await sleep(30);
      return { answer: 42 };
    };
    const results = await Promise.all(mutexes.map((mutex) => mutex.runOnce("task", work, OPTIONS)));
    assert.equal(runs, 1);
    assert.deepEqual(
      results.map(({ result }) => result),
      Array.from({ length: 3 }, () => ({ answer: 42 })),
    );
  },

  async "a holder of an older token changes no fenced object"({ subject }) {
    const [a, b] = await mutexesOf(subject, 2);
    const key = subject.key("fenced.json");
    const older = await a.acquire("owner");
    const before = await older.fencedObject({ key });
    await before.write({ from: "the older" });
    await b.releaseLock("owner", true);
    const newer = await b.acquire("owner", OPTIONS);
    const after = await newer.fencedObject({ key });
    await assert.rejects(before.write({ from: "the older, late" }), (error) => error instanceof S3MutexError);
    assert.deepEqual(await after.read(), { from: "the older" });
    await newer.release();
  },
};

/** Opens mutexes that keep all that they make under the keys of the check. */
async function mutexesOf<Count extends 2 | 3 | 4>(
  subject: Subject,
  count: Count,
): Promise<{ 2: [StoreMutex, StoreMutex]; 3: [StoreMutex, StoreMutex, StoreMutex]; 4: StoreMutex[] }[Count]> {
  const prefixes = { semaphorePrefix: subject.key("semaphores/"), oncePrefix: subject.key("once/") };
  const mutexes = await subject.mutexes(count, { keyPrefix: subject.key("locks/"), ...prefixes });
  return mutexes as { 2: [StoreMutex, StoreMutex]; 3: [StoreMutex, StoreMutex, StoreMutex]; 4: StoreMutex[] }[Count];
}
