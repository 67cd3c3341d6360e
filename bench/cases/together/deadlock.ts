import type { Bench, BenchCase, Figure } from "../../case.js";
import { atMost, exactly, figure } from "../../figures.js";
import { ancestorRing, libraryRing, PATIENCE_MS, type Ring, type RingRun } from "../../rings.js";

const LATENCY_MS = 20;
const SIZES = [2, 3, 5];

export const deadlock: BenchCase = {
  name: "deadlock",
  issue: 3,
  title: "Rings of 2, 3 and 5 processes, each holding what the next one wants, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const ours = await measure(bench, bench.rounds(3), () => libraryRing(server, size));
      const theirs = await measure(bench, 1, () => ancestorRing(server, size));
      figures.push(...figuresOf(size, ours, theirs));
    }
    return figures;
  },
};

async function measure(bench: Bench, rounds: number, ring: () => Ring): Promise<RingRun[]> {
  const runs: RingRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const run = await ring().run();
    const outcome = run.allServedMs === undefined ? "not resolved" : `resolved in ${Math.round(run.allServedMs)} ms`;
    bench.say(`ring of ${run.size}: ${outcome}, gave way: ${run.victims.join(" ") || "none"}`);
    runs.push(run);
  }
  return runs;
}

function figuresOf(size: number, ours: readonly RingRun[], theirs: readonly RingRun[]): Figure[] {
  // Where no process gives way there is nothing to measure; where one does in vain, that took all the patience
  // there was.
  const detects = ours.some(({ victims }) => victims.length > 0);
  const measured = (of: (run: RingRun) => number) => (detects ? ours.map(of) : []);
  const theirTimes = theirs.flatMap(({ allServedMs }) => allServedMs ?? []);
  const notes = [
    ...(detects ? [] : ["no process gave way: deadlocks are not detected"]),
    ...(theirTimes.length > 0 ? [] : ["the ancestor does not resolve it: all waiters give up"]),
  ];
  const highest = (run: RingRun) => (run.highestServed ? 1 : 0);
  const rightVictim = (run: RingRun) => (run.victims.length === 1 && run.victims[0] === 0 ? 1 : 0);
  return [
    figure({
      name: `ring of ${size}: resolved in`,
      unit: "ms",
      better: "lower",
      measured: measured(({ allServedMs }) => allServedMs ?? PATIENCE_MS),
      ancestor: theirTimes,
      target: atMost(3000),
      strict: true,
      ...(notes.length === 0 ? {} : { note: notes.join("; ") }),
    }),
    figure({
      name: `ring of ${size}: the highest priority got both`,
      unit: "",
      measured: measured(highest),
      ancestor: theirs.map(highest),
      target: exactly(1, "in every round"),
    }),
    figure({
      name: `ring of ${size}: only the lowest priority gave way`,
      unit: "",
      measured: measured(rightVictim),
      target: exactly(1, "in every round"),
    }),
  ];
}
