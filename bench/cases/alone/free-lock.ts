import { setTimeout as sleep } from "node:timers/promises";
import type { Lock } from "../../../src/index.js";
import { type BenchCase, freshName } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contender, Contestant } from "../../contestants/contestant.js";
import { libraryOn, newMutex } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { timed } from "../../turns.js";

const LATENCY_MS = 20;
/** For requests that no caller waits for: they count too. */
const SETTLE_MS = 300;

interface Counts {
  readonly warm: number[];
  readonly newLock: number[];
  readonly others: number[];
  readonly warmMs: number[];
}

export const freeLock: BenchCase = {
  name: "free-lock",
  issue: 2,
  title: "Acquire and release of a free lock, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(libraryOn(server), bench.rounds(5, 2));
    const unchecked = await measure(libraryOn(server, { verify: "never" }), bench.rounds(5, 2));
    const bare = await measure(
      libraryOn(await bench.server(LATENCY_MS, { etagForm: "unquoted-only" })),
      bench.rounds(5, 2),
    );
    const first = await measureFirst(server, bench.rounds(5, 2));
    const theirs = await measure(ancestorOn(server), bench.rounds(5, 2));
    const requests = { unit: "requests", better: "lower", limit: 2, strict: true } as const;
    return [
      figure({
        name: "this process used it last",
        ...requests,
        measured: ours.warm,
        ancestor: theirs.warm,
        target: atMost(2),
      }),
      figure({
        name: "another process used it last",
        ...requests,
        measured: ours.others,
        ancestor: theirs.others,
        target: atMost(3),
      }),
      figure({
        name: "a new lock, by a new process",
        ...requests,
        measured: ours.newLock,
        ancestor: theirs.newLock,
        target: atMost(4),
      }),
      figure({
        name: 'the same with verify: "never"',
        ...requests,
        measured: unchecked.newLock,
        target: atMost(3),
      }),
      figure({
        name: "where ETags count without their quotes only (Ceph 16): another process used it last",
        ...requests,
        measured: bare.others,
        target: atMost(3),
      }),
      figure({
        name: "a new lock there, by a new process",
        ...requests,
        measured: bare.newLock,
        target: atMost(4),
      }),
      figure({
        name: "the very first lock of a prefix, until the grant",
        unit: "requests",
        better: "lower",
        limit: 2,
        strict: true,
        measured: first.untilGrant,
        target: atMost(6),
      }),
      figure({
        name: "after it, besides the release",
        unit: "requests",
        better: "lower",
        measured: first.after,
        target: atMost(4),
      }),
      figure({
        name: "time until that grant",
        unit: "ms",
        better: "lower",
        measured: first.untilGrantMs,
        limit: 2 * LATENCY_MS,
      }),
      figure({
        name: "time when this process used it last",
        unit: "ms",
        better: "lower",
        measured: ours.warmMs,
        ancestor: theirs.warmMs,
        limit: 2 * LATENCY_MS,
      }),
    ];
  },
};

async function measure(contestant: Contestant, rounds: number): Promise<Counts> {
  const counts: Counts = { warm: [], newLock: [], others: [], warmMs: [] };
  // The very first lock of the bucket is a case of its own.
  const before = contestant.contender();
  await requestsOf(contestant, () => useOnce(before, freshName("before")));
  await before.close();
  for (let round = 0; round < rounds; round += 1) {
    const lockName = freshName("free");
    // New instances with new clients each time: neither knows the lock, the store's clock, nor what the store can do.
    const [one, other] = [contestant.contender(), contestant.contender()];
    counts.newLock.push(await requestsOf(contestant, () => useOnce(one, lockName)));
    counts.others.push(await requestsOf(contestant, () => useOnce(other, lockName)));
    const warm = async () => {
      counts.warmMs.push(await timed(() => useOnce(other, lockName)));
    };
    counts.warm.push(await requestsOf(contestant, warm));
    await Promise.all([one.close(), other.close()]);
  }
  return counts;
}

/** Measures the first lock under a prefix that was not used yet, for which the store is checked. */
async function measureFirst(server: BenchServer, rounds: number) {
  const counts = { untilGrant: [] as number[], after: [] as number[], untilGrantMs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const mutex = newMutex(server, { keyPrefix: `${freshName("prefix")}/` });
    // The first connections of a process take longer than anything that is measured here.
    await Promise.all([1, 2, 3, 4].map(() => mutex.isLocked("warm")));
    await server.call.reset();
    let lock: Lock | undefined;
    const tookMs = await timed(async () => {
      lock = await mutex.acquire("first");
    });
    counts.untilGrantMs.push(tookMs);
    // Those that are over: what goes on after the grant is still under way.
    counts.untilGrant.push((await server.requests()).length);
    await sleep(SETTLE_MS);
    counts.after.push((await server.requests()).length - (counts.untilGrant.at(-1) as number));
    await lock?.release();
    await mutex.close();
  }
  return counts;
}

async function requestsOf(contestant: Contestant, work: () => Promise<void>): Promise<number> {
  await contestant.reset();
  await work();
  await sleep(SETTLE_MS);
  return (await contestant.requests()).length;
}

async function useOnce(contender: Contender, lockName: string): Promise<void> {
  const { signal } = new AbortController();
  const held = await contender.acquire(lockName, signal);
  await held.release();
}
