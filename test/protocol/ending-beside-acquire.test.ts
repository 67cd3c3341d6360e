import { AsyncResource } from "node:async_hooks";
import { expect, it } from "vitest";
import { FINE, NAME, nth, Scene, writesOf } from "../../testkit/scene.js";
import { pause } from "../waiting/place.js";

/** What ends holds in a process, by force or by name, whose own callers acquire at the same time. */

it.each(["deleteLock", "releaseLock"] as const)(
  "a %s by force spares who was granted the lock since",
  async (method) => {
    const scene = new Scene();
    await scene.until(scene.client().mutex.acquire(NAME));
    const { process, mutex } = scene.client();
    scene.fate = nth(0, writesOf(process), { kind: "answer-lost" });
    const ending = mutex[method](NAME, true);
    await scene.pass(200);
    const lock = await scene.until(mutex.acquire(NAME));
    expect(await scene.until(ending)).toBe(true);
    expect(lock.held).toBe(true);
    await scene.pass(60_000);
    expect(lock.held).toBe(true);
    expect(scene.record()?.holders).toMatchObject([{ token: lock.fencingToken }]);
  },
);

it.each(["deleteLock", "releaseLock"] as const)("a %s by force reaches its holder here at once", async (method) => {
  const scene = new Scene();
  const { mutex } = scene.client();
  const lock = await scene.until(mutex.acquire(NAME));
  expect(await scene.until(mutex[method](NAME, true))).toBe(true);
  expect(lock.held).toBe(false);
});

it.each(["deleteLock", "releaseLock"] as const)(
  "force with what was seen: a %s spares who came to hold the lock after the look",
  async (method) => {
    const scene = new Scene();
    const first = scene.client();
    const lock = await scene.until(first.mutex.acquire(NAME));
    const operator = scene.client();
    const report = await scene.until(operator.mutex.inspect(NAME));
    const holderIds = report?.holders.map(({ acquisitionId }) => acquisitionId) ?? [];
    await scene.until(lock.release());
    const next = await scene.until(scene.client().mutex.acquire(NAME));
    expect(await scene.until(operator.mutex[method](NAME, { force: true, holderIds }))).toBe(false);
    await scene.pass(60_000);
    expect(next.held).toBe(true);
    expect(scene.record()?.holders).toMatchObject([{ token: next.fencingToken }]);
    const again = { force: true, holderIds: [scene.record()?.holders[0]?.id ?? ""] };
    expect(await scene.until(operator.mutex[method](NAME, again))).toBe(true);
    expect(scene.record()?.holders).toEqual([]);
  },
);

it.each(["deleteLock", "releaseLock"] as const)(
  "force with what was seen: a %s whose answer is lost is known to have been made, though the next one holds the lock",
  async (method) => {
    const scene = new Scene();
    const lock = await scene.until(scene.client().mutex.acquire(NAME));
    const operator = scene.client();
    const holderIds = [scene.record()?.holders[0]?.id ?? ""];
    scene.fate = nth(0, writesOf(operator.process), { kind: "answer-lost" });
    const ending = operator.mutex[method](NAME, { force: true, holderIds });
    await scene.pass(200);
    const next = await scene.until(scene.client().mutex.acquire(NAME));
    expect(await scene.until(ending)).toBe(true);
    await scene.pass(60_000);
    expect([lock.held, next.held]).toEqual([false, true]);
  },
);

// Two tasks of a process share a name: the first calls late, when its lease is over, and the store is slow to answer.
it.each([
  { method: "deleteLock", hasAskedBefore: false },
  { method: "deleteLock", hasAskedBefore: true },
  { method: "releaseLock", hasAskedBefore: true },
  { method: "refreshLock", hasAskedBefore: true },
] as const)(
  "a late $method by name spares who was granted the lock since (lease known to be lost: $hasAskedBefore)",
  async ({ method, hasAskedBefore }) => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 2000 });
    expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
    await scene.pass(4000);
    if (hasAskedBefore) expect(await scene.until(mutex.refreshLock(NAME))).toBe(false);
    scene.fate = ({ operation }) => (operation === "read" ? { kind: "lost" } : FINE);
    const late = mutex[method](NAME);
    await scene.pass(100);
    scene.fate = () => FINE;
    expect(await scene.until(mutex.acquireLock(NAME))).toBe(true);
    const granted = scene.record()?.holders[0];
    expect(await scene.until(late)).toBe(false);
    expect(scene.record()?.holders).toEqual([granted]);
  },
);

/** Runs in an asynchronous context of its own, as requests that a server handles at the same time do. */
function separately<T>(work: () => Promise<T>): Promise<T> {
  return new AsyncResource("line of work").runInAsyncScope(work);
}

// Rule 18, within one process: the first was slow, its lease is over, and another one has the lock by the same name.
it.each(["releaseLock", "deleteLock", "refreshLock"] as const)(
  "a %s by name is about what its own line of work took, not about what another one has taken since",
  async (method) => {
    const scene = new Scene();
    const { mutex, process } = scene.client({ lockTimeoutMs: 2000 });
    const late = separately(async () => {
      expect(await mutex.acquireLock(NAME)).toBe(true);
      await pause(process, 4000);
      return mutex[method](NAME);
    });
    const other = separately(async () => {
      await pause(process, 3500);
      expect(await mutex.acquireLock(NAME)).toBe(true);
      await pause(process, 1000);
      const has = scene.record()?.holders.length;
      return { has, released: await mutex.releaseLock(NAME) };
    });
    expect(await scene.until(late)).toBe(false);
    expect(await scene.until(other)).toEqual({ has: 1, released: true });
  },
);

it("a releaseLock by name in a line of work that took nothing is about what another one took", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  expect(await scene.until(separately(() => mutex.acquireLock(NAME)))).toBe(true);
  expect(await scene.until(separately(() => mutex.releaseLock(NAME)))).toBe(true);
  expect(scene.record()?.holders).toEqual([]);
});

// What the deletion saw was true when it asked, and no longer when it was told.
it("a deleteLock that found nothing spares who was granted the lock while the answer was under way", async () => {
  const scene = new Scene();
  const { mutex } = scene.client();
  scene.fate = nth(0, ({ operation }) => operation === "read", { kind: "slow", thereMs: 0, backMs: 200 });
  const deleting = mutex.deleteLock(NAME, true);
  const lock = await scene.until(mutex.acquire(NAME));
  expect(await scene.until(deleting)).toBe(true);
  expect(lock.held).toBe(true);
  expect(await scene.until(lock.release())).toBe(true);
});
