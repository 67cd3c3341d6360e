import type { Bench, BenchCase, Figure } from "../case.js";
import { atMost, exactly, figure } from "../figures.js";
import { ancestorRing, libraryRing, type Ring, type RingRun } from "../rings.js";

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
    bench.say(`ring of ${run.size}: ${outcome}, gave way: ${run.victims.join(" ") || "nobody"}`);
    runs.push(run);
  }
  return runs;
}

function figuresOf(size: number, ours: readonly RingRun[], theirs: readonly RingRun[]): Figure[] {
  const resolved = (runs: readonly RingRun[]) => runs.flatMap(({ allServedMs }) => allServedMs ?? []);
  const unresolved = ours.length - resolved(ours).length;
  const theirFailures = theirs.length - resolved(theirs).length;
  const notes = [
    ...(unresolved === 0 ? [] : [`${unresolved} of ${ours.length} rounds ended in time-outs`]),
    ...(theirFailures === 0
      ? []
      : [`with the ancestor nobody but those who gave up got on in ${theirFailures} of ${theirs.length}`]),
  ];
  const highest = (run: RingRun) => (run.highestServed ? 1 : 0);
  const rightVictim = (run: RingRun) => (run.victims.length === 1 && run.victims[0] === 0 ? 1 : 0);
  return [
    figure({
      name: `ring of ${size}: resolved in`,
      unit: "ms",
      better: "lower",
      // A round that was not resolved makes the figure one that is not there, not a better one.
      measured: unresolved === 0 ? resolved(ours) : [],
      ancestor: resolved(theirs),
      target: atMost(3000),
      ...(notes.length === 0 ? {} : { note: notes.join("; ") }),
    }),
    figure({
      name: `ring of ${size}: the highest priority got both`,
      unit: "",
      measured: ours.map(highest),
      ancestor: theirs.map(highest),
      target: exactly(1, "in every round"),
    }),
    figure({
      name: `ring of ${size}: only the lowest priority gave way`,
      unit: "",
      measured: ours.map(rightVictim),
      target: exactly(1, "in every round"),
    }),
  ];
}
