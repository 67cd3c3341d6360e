import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../src/testing/virtual/random.js";
import { pairsOutOfOrder, sum } from "../../../testkit/statistics.js";
import { type Bench, type BenchCase, freshName, varied } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contender, Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { pushingLimit } from "../../contestants/pushing-limit.js";
import { atMost, figure } from "../../figures.js";
import { between } from "../../server/request-rate.js";
import { warmUp } from "../../turns.js";

const LATENCY_MS = 10;
const WAITERS = 12;
const APART_MS = 100;
const FIRST_HOLD_MS = 8000;
/** The issue leaves open how long the waiters hold it themselves. */
const HOLD_MS = 50;

interface Queue {
  /** The waiters' places of arrival in the order in which they were served. */
  readonly served: readonly number[];
  readonly drainedMs: number;
  readonly requestsAGrant: number;
  readonly requestsAWaiterSecond: number;
}

export const order: BenchCase = {
  name: "order",
  issue: 3,
  title: "12 waiters arriving 100 ms apart behind an 8 s hold, then 50 ms each, 10 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, libraryOn(server), bench.rounds(7, 2));
    const theirs = await measure(bench, ancestorOn(server), bench.rounds(2));
    const limit = await measure(bench, pushingLimit(LATENCY_MS), 1);
    return figuresOf(ours, theirs, limit);
  },
};

async function measure(bench: Bench, contestant: Contestant, rounds: number): Promise<Queue[]> {
  const runs: Queue[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const run = await oneQueue(contestant, bench.random(`order ${round}`));
    bench.say(`${contestant.name}: served ${run.served.join(" ")}, drained in ${Math.round(run.drainedMs)} ms`);
    runs.push(run);
  }
  return runs;
}

async function oneQueue(contestant: Contestant, random: Random): Promise<Queue> {
  const contenders = Array.from({ length: WAITERS + 1 }, () => contestant.contender());
  await warmUp(contenders);
  await contestant.reset();
  const [holder, ...waiters] = contenders as [Contender, ...Contender[]];
  const lockName = freshName("order");
  const served: number[] = [];
  const held = await holder.acquire(lockName, new AbortController().signal);
  const startedAtMs = Date.now();
  const holdMs = varied(random, FIRST_HOLD_MS);
  const turns = waiters.map(async (waiter, place) => {
    const ownHoldMs = varied(random, HOLD_MS);
    await sleep(place * APART_MS);
    const its = await waiter.acquire(lockName, new AbortController().signal);
    served.push(place);
    await sleep(ownHoldMs);
    await its.release();
  });
  await sleep(holdMs);
  const releasedAtMs = Date.now();
  await held.release();
  await Promise.all(turns);
  const drainedMs = Date.now() - releasedAtMs;
  const requests = await contestant.requests();
  await Promise.all(contenders.map((contender) => contender.close()));
  const waiterSeconds = sum(waiters.map((_, place) => releasedAtMs - startedAtMs - place * APART_MS)) / 1000;
  return {
    served,
    drainedMs,
    requestsAGrant: between(requests, releasedAtMs, Number.POSITIVE_INFINITY).length / WAITERS,
    requestsAWaiterSecond: between(requests, startedAtMs, releasedAtMs).length / waiterSeconds,
  };
}

function figuresOf(ours: readonly Queue[], theirs: readonly Queue[], limit: readonly Queue[]) {
  const all = (of: (queue: Queue) => number) => ({
    measured: ours.map(of),
    ancestor: theirs.map(of),
    limit: limit.map(of),
    better: "lower" as const,
  });
  const outOfOrder = (queue: Queue) => pairsOutOfOrder(queue.served);
  return [
    figure({ name: "pairs out of order", unit: "of 66", ...all(outOfOrder), target: atMost(0), strict: true }),
    figure({ name: "drained in", unit: "ms", ...all(({ drainedMs }) => drainedMs), target: atMost(3000) }),
    figure({
      name: "requests a grant",
      unit: "",
      ...all(({ requestsAGrant }) => requestsAGrant),
      target: atMost(5),
      note: "from the first release on, the releases included",
    }),
    figure({
      name: "requests a second and waiter",
      unit: "",
      ...all(({ requestsAWaiterSecond }) => requestsAWaiterSecond),
      target: atMost(0.8),
      note: "while the first holder has it, joining the queue included",
    }),
  ];
}
