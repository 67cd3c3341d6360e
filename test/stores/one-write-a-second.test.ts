import { describe, expect, test } from "vitest";
import type { Fate } from "../../src/testing/virtual/fate.js";
import { NAME, Scene, type Sent } from "../../testkit/scene.js";

/** Cloudflare R2 documents one write a second on a key and answers 429 beyond. In virtual time. */

const CLIENTS = 5;
const TURNS = 5;

interface Run {
  readonly tokens: readonly number[];
  readonly problems: readonly string[];
  readonly seconds: number;
  readonly written: number;
  readonly refused: number;
  readonly reads: number;
}

/** Turns writes away that come within a second of another one of the same key. */
function throttling(counts = { written: 0, refused: 0, reads: 0 }): (request: Sent) => Fate {
  const admittedAtMs = new Map<string, number>();
  return ({ operation, key, atMs }) => {
    if (operation === "read") counts.reads += 1;
    if (operation !== "write") return { kind: "fine" };
    if (atMs < (admittedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + 1_000) {
      counts.refused += 1;
      return { kind: "error", status: 429, applied: false };
    }
    counts.written += 1;
    admittedAtMs.set(key, atMs);
    return { kind: "fine" };
  };
}

async function contention(seed: number): Promise<Run> {
  const scene = new Scene({ seed });
  const counts = { written: 0, refused: 0, reads: 0 };
  scene.fate = throttling(counts);
  const startedAtMs = scene.nowMs;
  const tokens: number[] = [];
  const work = async () => {
    const { mutex, process } = scene.client();
    for (let turn = 0; turn < TURNS; turn += 1) {
      const lock = await mutex.acquire(NAME);
      scene.believe(lock, process);
      tokens.push(lock.fencingToken);
      await scene.world.sleep(100);
      scene.disbelieve(lock);
      await lock.release();
    }
  };
  await scene.until(Promise.all(Array.from({ length: CLIENTS }, work)), 3_600_000);
  return { tokens, problems: scene.problems, seconds: (scene.nowMs - startedAtMs) / 1000, ...counts };
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i: all turns are done, without a storm of requests", async (seed) => {
  const run = await contention(seed);
  expect(run.problems).toEqual([]);
  expect(run.tokens).toHaveLength(CLIENTS * TURNS);
  expect(run.tokens).toEqual(run.tokens.toSorted((a, b) => a - b));
  // Taking the lock, giving it back and queueing are a write each, so that 75 s are what the store itself asks for.
  expect(run.seconds).toBeLessThan(200);
  expect(run.refused / run.written).toBeLessThan(4);
  expect((run.written + run.refused + run.reads) / run.seconds / CLIENTS).toBeLessThan(2);
});

describe.each([0, 300, 1000, 1500, 2500])(
  "with a time-out of %i ms, who loses the race for a free lock",
  (timeoutMs) => {
    test.each(["acquire", "acquireAll"] as const)("is told who has it: %s", async (method) => {
      const codes = new Set<string>();
      for (let seed = 1; seed <= 8; seed += 1) {
        const scene = new Scene({ seed });
        scene.fate = throttling();
        const startedAtMs = scene.nowMs;
        const calls = Array.from({ length: 6 }, (_, index) => {
          const { mutex } = scene.client({ label: `client ${index}` });
          return method === "acquire"
            ? mutex.acquire(NAME, { timeoutMs })
            : mutex.acquireAll([NAME, "another"], { timeoutMs });
        });
        for (const outcome of await scene.until(Promise.allSettled(calls), 60_000)) {
          if (outcome.status === "fulfilled") continue;
          codes.add(outcome.reason.code);
          expect(outcome.reason.message).toMatch(/ It is held by client \d, /);
          expect(outcome.reason.holders).toHaveLength(1);
        }
        expect(scene.nowMs - startedAtMs).toBeLessThan(Math.max(timeoutMs, 2000) + 500);
      }
      expect([...codes]).toEqual(["timed-out"]);
    });
  },
);

test("a try that comes too soon for a write is null as soon as a read shows who has the lock", async () => {
  const scene = new Scene();
  scene.fate = throttling();
  const [first, second] = [scene.client(), scene.client()];
  const startedAtMs = scene.nowMs;
  const both = await scene.until(Promise.all([first.mutex.tryAcquire(NAME), second.mutex.tryAcquire(NAME)]));
  expect(both.filter((lock) => lock === null)).toHaveLength(1);
  expect(scene.nowMs - startedAtMs).toBeLessThan(500);
});
