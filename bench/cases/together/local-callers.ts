import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../src/testing/virtual/random.js";
import { sum } from "../../../testkit/statistics.js";
import { type Bench, type BenchCase, varied } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { atLeast, atMost, figure } from "../../figures.js";
import { requestsByKind, type Turns, takeTurns } from "../../turns.js";

const LATENCY_MS = 10;
const CALLERS = 40;
const HOLD_MS = 5;

export const localCallers: BenchCase = {
  name: "local-callers",
  issue: 3,
  title: "40 callers in one process on one instance, 5 ms hold, 10 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, libraryOn(server), bench.rounds(5, 2));
    const theirs = await measure(bench, ancestorOn(server), 1);
    return figuresOf(ours, theirs, await measureLimit(bench.random("local limit")));
  },
};

async function measure(bench: Bench, contestant: Contestant, rounds: number): Promise<Turns[]> {
  const limitMs = bench.quick ? 30_000 : 120_000;
  const plan = { clients: CALLERS, turnsEach: 1, holdMs: HOLD_MS, oneInstance: true, limitMs };
  const runs: Turns[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turns = await takeTurns(contestant, plan, bench.random(`local ${round}`));
    bench.say(`${contestant.name}: ${turns.done} turns in ${(turns.elapsedMs / 1000).toFixed(2)} s`);
    runs.push(turns);
  }
  return runs;
}

/** Measures the limit: nothing has to be pushed within a process, so a turn is a hold and one write that passes the lock on. */
async function measureLimit(random: Random): Promise<number> {
  const startedAtMs = performance.now();
  for (let turn = 0; turn < CALLERS; turn += 1) {
    await sleep(varied(random, HOLD_MS));
    await sleep(LATENCY_MS / 2);
    await sleep(LATENCY_MS / 2);
  }
  return (CALLERS * 1000) / (performance.now() - startedAtMs);
}

function figuresOf(ours: readonly Turns[], theirs: readonly Turns[], limit: number) {
  const overlaps = (turns: Turns) => turns.overlaps;
  return [
    figure({
      name: "two inside",
      unit: "",
      measured: ours.map(overlaps),
      ancestor: theirs.map(overlaps),
      target: atMost(0),
      strict: true,
    }),
    figure({
      name: "requests a turn",
      unit: "",
      better: "lower",
      measured: ours.map(requestsATurn),
      ancestor: theirs.map(requestsATurn),
      limit: 1,
      target: atMost(1.2),
      note: requestsByKind(ours),
    }),
    figure({
      name: "turns",
      unit: "/s",
      better: "higher",
      measured: ours.map(perSecond),
      ancestor: theirs.map(perSecond),
      limit,
    }),
    figure({
      name: "of one turn per hold and round trip",
      unit: "",
      measured: ours.map(share),
      ancestor: theirs.map(share),
      better: "higher",
      target: atLeast(0.7),
    }),
  ];
}

const requestsATurn = ({ requests, done }: Turns) => requests.length / Math.max(1, done);
const perSecond = ({ done, elapsedMs }: Turns) => (done * 1000) / elapsedMs;
/** By the holds as they were meant: what timers add to them is the machine's, and counted against the library. */
const share = ({ done, elapsedMs, holdsMs }: Turns) =>
  (done * (Math.min(HOLD_MS, sum(holdsMs) / Math.max(1, done)) + LATENCY_MS)) / elapsedMs;
