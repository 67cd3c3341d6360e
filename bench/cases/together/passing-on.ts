import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../src/testing/virtual/random.js";
import { median } from "../../../testkit/statistics.js";
import { type Bench, type BenchCase, type Figure, freshName, varied } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { pushingLimit } from "../../contestants/pushing-limit.js";
import { atMost, figure } from "../../figures.js";
import { warmUp } from "../../turns.js";

const LATENCY_MS = 20;
const HOLDS_MS = [300, 1000, 2500, 4000];

interface PassingOn {
  readonly holdMs: number;
  readonly idleMs: number;
}

export const passingOn: BenchCase = {
  name: "passing-on",
  issue: 3,
  title: "One holder, one waiter, 20 ms round trip: from the call of release until the waiter has the lock",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const figures: Figure[] = [];
    for (const holdMs of HOLDS_MS) {
      const ours = await measure(bench, libraryOn(server), holdMs);
      const theirs = await measure(bench, ancestorOn(server), holdMs);
      const limit = await measure(bench, pushingLimit(LATENCY_MS), holdMs);
      figures.push(figureOf(holdMs, ours, theirs, limit));
    }
    return figures;
  },
};

/** Measures one round after the other: five at once on two cores would measure how they get in each other's way. */
async function measure(bench: Bench, contestant: Contestant, holdMs: number): Promise<PassingOn[]> {
  const runs: PassingOn[] = [];
  for (let round = 0; round < bench.rounds(5, 3); round += 1) {
    runs.push(await onePassingOn(contestant, holdMs, bench.random(`${holdMs} ${round}`)));
  }
  return runs;
}

async function onePassingOn(contestant: Contestant, nominalMs: number, random: Random): Promise<PassingOn> {
  const [holder, waiter] = [contestant.contender(), contestant.contender()];
  await warmUp([holder, waiter]);
  const lockName = freshName("passing-on");
  const { signal } = new AbortController();
  const held = await holder.acquire(lockName, signal);
  const heldAtMs = performance.now();
  const waiting = waiter.acquire(lockName, signal).then((its) => ({ its, atMs: performance.now() }));
  await sleep(varied(random, nominalMs));
  const releasedAtMs = performance.now();
  await held.release();
  const { its, atMs } = await waiting;
  await its.release();
  await Promise.all([holder.close(), waiter.close()]);
  return { holdMs: releasedAtMs - heldAtMs, idleMs: atMs - releasedAtMs };
}

function figureOf(
  holdMs: number,
  ours: readonly PassingOn[],
  theirs: readonly PassingOn[],
  limit: readonly PassingOn[],
): Figure {
  const idle = (runs: readonly PassingOn[]) => runs.map(({ idleMs }) => idleMs);
  // Of the holds as they were, not as they were meant to be.
  const allowedMs = median(ours.map((run) => run.holdMs / 10 + 5 * LATENCY_MS));
  return figure({
    name: `passing on after a hold of ${holdMs / 1000} s`,
    unit: "ms",
    better: "lower",
    measured: idle(ours),
    ancestor: idle(theirs),
    limit: idle(limit),
    target: atMost(allowedMs, `at most 10 % of the hold + 5 round trips (${Math.round(allowedMs)} ms)`),
  });
}
