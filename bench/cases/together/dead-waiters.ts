import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type BenchCase, type Figure, freshName } from "../../case.js";
import type { waiterMethods } from "../../children/waiters.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contender } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import { startRemote } from "../../remote.js";
import type { BenchServer } from "../../server/bench-server.js";
import { warmUp } from "../../turns.js";

const LATENCY_MS = 20;
const DEAD = 50;
/** How long entries live by default, and the default tolerance. */
const EXPIRY_MS = 15_000;
const TOLERANCE_MS = 1000;
const QUEUE_PATIENCE_MS = 60_000;

export const deadWaiters: BenchCase = {
  name: "dead-waiters",
  issue: 3,
  title: "50 waiters whose process was killed are in the queue when the lock is released, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const lockName = freshName("dead");
    const library = libraryOn(server);
    const [holder, newcomer] = [library.contender(), library.contender()];
    await warmUp([holder, newcomer]);
    const { signal } = new AbortController();
    const held = await holder.acquire(lockName, signal);
    const enqueued = await enqueueAndDie(bench, server, lockName);
    if (enqueued < DEAD) bench.say(`only ${enqueued} of ${DEAD} were in the queue`);
    if (enqueued === 0)
      return [figure({ name: "new client has the lock after", unit: "ms", note: "no waiter has an entry" })];
    await server.call.watchQueue(`locks/${lockName}.json`);
    const releasing = held.release();
    const tookMs = await timeToAcquire(newcomer, lockName);
    await releasing;
    return figuresOf({ server, enqueued, tookMs, theirsMs: await ancestorTime(server, lockName) });
  },
};

/** Starts a process with one instance a waiter, kills it with SIGKILL once all of them are in the record, and counts them. */
async function enqueueAndDie(bench: Bench, server: BenchServer, lockName: string): Promise<number> {
  const child = await startRemote<typeof waiterMethods>(new URL("../../children/waiters.ts", import.meta.url));
  await child.call.enqueue(server.clientConfig, lockName, DEAD);
  const startedAtMs = performance.now();
  const count = () => server.call.waiters(`locks/${lockName}.json`);
  while ((await count()) < DEAD && performance.now() - startedAtMs < QUEUE_PATIENCE_MS) await sleep(50);
  await child.kill();
  bench.say(`${await count()} enqueued within ${Math.round(performance.now() - startedAtMs)} ms, then killed`);
  return count();
}

async function timeToAcquire(contender: Contender, lockName: string): Promise<number> {
  const startedAtMs = performance.now();
  const { signal } = new AbortController();
  const held = await contender.acquire(lockName, signal);
  const tookMs = performance.now() - startedAtMs;
  await held.release();
  return tookMs;
}

/** Measures the ancestor: it has no queue, so that no death is noticed; the same lock name with another ending, as free as ours was. */
async function ancestorTime(server: BenchServer, lockName: string): Promise<number> {
  const contender = ancestorOn(server).contender();
  await warmUp([contender]);
  return timeToAcquire(contender, `${lockName}-ancestor`);
}

async function figuresOf(run: {
  server: BenchServer;
  enqueued: number;
  tookMs: number;
  theirsMs: number;
}): Promise<Figure[]> {
  const lengths = (await run.server.call.queueSeen()).map(({ waiters }) => waiters);
  // The newcomer's own entry comes and goes as well; a write that drops one waiter may be about that.
  const dropping = lengths.filter((length, at) => (lengths[at - 1] ?? run.enqueued) - length > 1);
  const left = lengths.at(-1) ?? run.enqueued;
  return [
    figure({ name: "dead waiters in the queue", unit: "", measured: run.enqueued, target: exactly(DEAD) }),
    figure({
      name: "new client has the lock after",
      unit: "ms",
      better: "lower",
      measured: run.tookMs,
      ancestor: run.theirsMs,
      limit: LATENCY_MS,
      target: atMost(EXPIRY_MS + TOLERANCE_MS, "at most the entries' expiry + tolerance (16000 ms)"),
      note: "the ancestor has no queue that could hold dead waiters; the limit is one conditional write",
    }),
    figure({
      name: "writes that drop them",
      unit: "",
      measured: dropping.length,
      target: exactly(1),
      ...(left === 0 ? {} : { note: `${left} of them were still there when the new client had released` }),
    }),
  ];
}
