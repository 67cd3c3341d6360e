import { describe, expect, test } from "vitest";
import { createTestMutex } from "../../src/testing/index.js";

describe("time", () => {
  test("passes only as far as it is told to, from one moment to the next", async () => {
    const { clock } = await createTestMutex();
    const startMs = clock.nowMs;
    const seen: string[] = [];
    const note = async (name: string, ms: number) => {
      await clock.sleep(ms);
      seen.push(`${name} ${clock.nowMs - startMs}`);
    };
    for (const [name, ms] of [
      ["c", 300],
      ["a", 100],
      ["b", 200],
      ["d", 301],
    ] as const)
      void note(name, ms);
    await clock.advance(99);
    expect(seen).toEqual([]);
    await clock.advance(201);
    expect(seen).toEqual(["a 100", "b 200", "c 300"]);
    expect(clock.nowMs - startMs).toBe(300);
    expect(await clock.advanceToNext()).toBe(1);
    expect(seen.at(-1)).toBe("d 301");
  });

  test("of one moment, who was first comes first; and whatever follows from it goes on before the next", async () => {
    const { clock } = await createTestMutex();
    const seen: string[] = [];
    const worker = async (name: string) => {
      await clock.sleep(100);
      seen.push(`${name} wakes`);
      for (let count = 0; count < 1000; count += 1) await Promise.resolve();
      await new Promise((resolve) => process.nextTick(resolve));
      seen.push(`${name} goes on`);
    };
    const all = Promise.all(["one", "two", "three"].map(worker));
    await clock.runUntil(all);
    expect(seen).toEqual(["one", "two", "three"].flatMap((name) => [`${name} wakes`, `${name} goes on`]));
  });

  test("an immediate of the test's own has its turn before time moves", async () => {
    const { clock } = await createTestMutex();
    const startMs = clock.nowMs;
    const seen: number[] = [];
    const work = (async () => {
      await clock.sleep(10);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(clock.nowMs - startMs);
    })();
    void clock.sleep(11);
    await clock.advance(100);
    expect(seen).toEqual([10]);
    await work;
  });

  test("what a wait for it brings about goes on before time moves again", async () => {
    const { clock } = await createTestMutex();
    const startMs = clock.nowMs;
    let woke = Number.NaN;
    const chain = (async () => {
      await clock.sleep(10);
      await clock.sleep(10);
      woke = clock.nowMs - startMs;
    })();
    await clock.advance(1000);
    expect(woke).toBe(20);
    await chain;
  });

  test("moves for the function that the test waits for as well, and never back", async () => {
    const { mutex, clock } = await createTestMutex();
    const startMs = clock.nowMs;
    const moments: number[] = [];
    const work = mutex.withLock("job", async (lock) => {
      await clock.advance(70_000);
      moments.push(clock.nowMs - startMs);
      await clock.runUntil(clock.sleep(5000));
      moments.push(clock.nowMs - startMs);
      return lock.held;
    });
    expect(await clock.runUntil(work)).toBe(true);
    expect(moments).toEqual([70_000, 75_000]);
  });

  test("several may move it at once, each to its own end", async () => {
    const { clock } = await createTestMutex();
    const startMs = clock.nowMs;
    const ends = await Promise.all(
      [500, 100, 300].map(async (ms) => {
        await clock.advance(ms);
        return clock.nowMs - startMs;
      }),
    );
    expect(ends).toEqual([500, 100, 300]);
  });
});

describe("runUntil", () => {
  test("gives what the promise gives, and rejects as it does", async () => {
    const { clock } = await createTestMutex();
    expect(await clock.runUntil(Promise.resolve(4))).toBe(4);
    await expect(clock.runUntil(Promise.reject(new RangeError("no")))).rejects.toThrow(RangeError);
    await expect(clock.runUntil(() => "yes" as never)).rejects.toThrow(/what\(\) is "yes": give true or false/);
    await expect(clock.runUntil(4 as never)).rejects.toThrow(/what is 4: pass a promise/);
    const startMs = clock.nowMs;
    void clock.sleep(1000);
    await clock.runUntil(() => clock.nowMs - startMs >= 1000);
    expect(clock.nowMs - startMs).toBe(1000);
  });

  test("says that nothing is left to happen, instead of hanging, and what to do", async () => {
    const { clock, store, another } = await createTestMutex();
    const never = new Promise(() => {});
    await expect(clock.runUntil(never)).rejects.toThrow(
      /nothing is left to happen.*sees only what the test's mutexes do/,
    );
    await expect(clock.advanceToNext()).rejects.toThrow(/nothing is left to happen/);
    store.faults.add({ fault: "never-answer" });
    await expect(clock.runUntil(never)).rejects.toThrow(/store\.faults has rules: clear\(\) ends them/);
    store.faults.clear();
    const frozen = another();
    frozen.freeze();
    await expect(clock.runUntil(frozen.mutex.acquire("job"))).rejects.toThrow("process-2 is frozen: thaw() it.");
  });

  test("has a limit where something always happens, as with a lock that is renewed", async () => {
    const { mutex, clock } = await createTestMutex();
    await mutex.acquire("job");
    const startMs = clock.nowMs;
    await expect(clock.runUntil(new Promise(() => {}), { limitMs: 90_000 })).rejects.toThrow(
      /not come within 90000 ms of the test's time, which was the limit: pass { limitMs }/,
    );
    expect(clock.nowMs - startMs).toBe(90_000);
    await expect(clock.runUntil(new Promise(() => {}))).rejects.toThrow(/within 3600000 ms/);
  });

  test("a loop that lets no time pass ends in an error", async () => {
    const { clock } = await createTestMutex();
    let isOver = false;
    void (async () => {
      while (!isOver) await clock.sleep(0);
    })();
    await expect(clock.advance(1)).rejects.toThrow(/cannot move on.*a loop that waits for 0 ms/);
    isOver = true;
    await clock.settle();
  });
});
