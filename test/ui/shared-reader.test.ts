import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LockSource, SharedReader } from "../../src/cli/ui/shared-reader.js";
import type { Delta, Snapshot } from "../../src/cli/ui/wire.js";
import type { LockReport, LocksView, S3MutexError } from "../../src/index.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const report = (lockName: string): LockReport => ({
  lockName,
  key: `locks/${lockName}.json`,
  state: "free",
  reportedAt: Date.now(),
  fencingToken: 1,
  limit: 1,
  holders: [],
  waiters: [],
  recentTurns: [],
  writtenAt: Date.now(),
});

/** A source that looks when it is told to. */
class FakeSource implements LockSource {
  begun = 0;
  looks = 0;
  readonly locks = new Set(["a"]);
  error: Error | undefined;
  #next = () => {};

  async *watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<LocksView> {
    this.begun += 1;
    let seen = new Set<string>();
    signal.addEventListener("abort", () => this.#next());
    while (!signal.aborted) {
      if (this.error !== undefined) throw this.error;
      this.looks += 1;
      const changed = [...this.locks].filter((name) => !seen.has(name));
      const removed = [...seen].filter((name) => !this.locks.has(name));
      seen = new Set(this.locks);
      yield { locks: [...seen].map(report), changed, removed, requests: { list: this.looks, get: 0 }, tookMs: 5 };
      await new Promise<void>((resolve) => {
        this.#next = resolve;
      });
    }
  }

  async look(): Promise<void> {
    this.#next();
    await vi.advanceTimersByTimeAsync(0);
  }
}

function readerOf(source: LockSource): SharedReader {
  return new SharedReader({ ...OPTIONS, source, intervalMs: 1000 });
}

function viewer() {
  const told: (Snapshot | Delta)[] = [];
  return { told, tell: (_event: string, data: Snapshot | Delta) => void told.push(data) };
}

test("it reads while there are viewers, once for all, and stops a moment after the last has left", async () => {
  const source = new FakeSource();
  const reader = readerOf(source);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(source.begun).toBe(0);
  const leaves = [viewer(), viewer(), viewer()].map((one) => reader.add(one));
  await vi.advanceTimersByTimeAsync(0);
  expect(source).toMatchObject({ begun: 1, looks: 1 });
  for (const leave of leaves) leave();
  await vi.advanceTimersByTimeAsync(4000);
  await source.look();
  expect(source.looks).toBe(2);
  await vi.advanceTimersByTimeAsync(2000);
  // The look that was due is the last.
  for (let time = 0; time < 3; time += 1) await source.look();
  expect(source.looks).toBe(3);
  reader.close();
});

test("a page that is loaded again finds everything as it was", async () => {
  const source = new FakeSource();
  const reader = readerOf(source);
  const leave = reader.add(viewer());
  await vi.advanceTimersByTimeAsync(0);
  leave();
  await vi.advanceTimersByTimeAsync(1000);
  const again = viewer();
  reader.add(again);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(again.told[0]).toMatchObject({ locks: [{ name: "a" }], status: { isRead: true, viewers: 1 } });
  expect(source.begun).toBe(1);
  reader.close();
});

test("after a pause nothing old is shown as new, and only what has changed is read", async () => {
  const source = new FakeSource();
  const reader = readerOf(source);
  const leave = reader.add(viewer());
  await vi.advanceTimersByTimeAsync(0);
  leave();
  await vi.advanceTimersByTimeAsync(6000);
  source.locks.clear();
  source.locks.add("b");
  await source.look();
  const later = viewer();
  reader.add(later);
  expect(later.told).toMatchObject([{ locks: [], status: { isRead: false } }]);
  await vi.advanceTimersByTimeAsync(0);
  await source.look();
  expect(later.told.at(-1)).toMatchObject({ locks: [{ name: "b" }], status: { isRead: true } });
  expect(source.begun).toBe(1);
  reader.close();
});

test("a source that fails outright is begun again, and what is gone meanwhile is removed", async () => {
  const source = new FakeSource();
  const reader = readerOf(source);
  const one = viewer();
  reader.add(one);
  await vi.advanceTimersByTimeAsync(0);
  source.error = new Error("denied");
  await source.look();
  expect(one.told.at(-1)).toMatchObject({ changed: [], removed: [], status: { error: "denied", isRead: true } });
  source.error = undefined;
  source.locks.clear();
  source.locks.add("b");
  await vi.advanceTimersByTimeAsync(2000);
  expect(one.told.at(-1)).toMatchObject({ locks: [{ name: "b" }] });
  expect(one.told.at(-1)?.status.error).toBeUndefined();
  reader.close();
});

test("a lock that was deleted and not removed yet is gone", async () => {
  const reader = readerOf(
    views(
      { locks: [report("a"), report("b")], changed: ["a", "b"], removed: [] },
      { locks: [report("b")], changed: ["a"], removed: [] },
    ),
  );
  const one = viewer();
  reader.add(one);
  await vi.advanceTimersByTimeAsync(0);
  expect(one.told.at(-1)).toMatchObject({ changed: [], removed: ["a"] });
  reader.close();
});

test("a look that fails says so and changes nothing", async () => {
  const error = new Error("503") as S3MutexError;
  const reader = readerOf(
    views(
      { locks: [report("a")], changed: ["a"], removed: [] },
      { locks: [report("a")], changed: [], removed: [], error },
    ),
  );
  const one = viewer();
  reader.add(one);
  await vi.advanceTimersByTimeAsync(0);
  expect(one.told.at(-1)).toMatchObject({ changed: [], removed: [], status: { error: "503", isRead: true } });
  reader.close();
});

/** Makes a source that has seen this, and sees nothing new. */
function views(...seen: readonly Omit<LocksView, "requests" | "tookMs">[]): LockSource {
  return {
    async *watch({ signal }) {
      for (const [index, view] of seen.entries()) yield { ...view, requests: { list: index + 1, get: 0 }, tookMs: 1 };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
}

test("requests a second are those of the last seconds, all viewers together", async () => {
  vi.useRealTimers();
  const source: LockSource = {
    async *watch({ signal }) {
      for (let list = 1; !signal.aborted; list += 1) {
        yield { locks: [], changed: [], removed: [], requests: { list, get: list }, tookMs: 1 };
        await sleep(50);
      }
    },
  };
  const reader = new SharedReader({ ...OPTIONS, source, intervalMs: 50 });
  const one = viewer();
  reader.add(one);
  await vi.waitUntil(() => one.told.length > 12);
  reader.close();
  // Two requests every 50 ms.
  expect(one.told.at(-1)?.status.requestsPerSecond).toBeGreaterThan(15);
  expect(one.told.at(-1)?.status.requestsPerSecond).toBeLessThanOrEqual(41);
});

const OPTIONS = { storeName: "s3://b/", isReadOnly: false, lingerMs: 5000, retryMs: 2000 };
