import { median } from "../../../testkit/statistics.js";
import type { BenchCase } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { pushingLimit } from "../../contestants/pushing-limit.js";
import { atLeast, atMost, figure } from "../../figures.js";
import { requestsByKind, type Turns, takeTurns } from "../../turns.js";

const LATENCY_MS = 20;
const PLAN = { clients: 8, turnsEach: 5, holdMs: 20, limitMs: 120_000 };

export const contention: BenchCase = {
  name: "contention",
  issue: 3,
  title: "8 clients in separate instances, 5 turns each, 20 ms hold, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const measure = async (contestant: Contestant, rounds: number) => {
      const runs: Turns[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // The same holds for all contestants.
        runs.push(await takeTurns(contestant, PLAN, bench.random(`contention ${round}`)));
        bench.say(`${contestant.name}: ${perSecond(runs.at(-1) as Turns).toFixed(1)} turns a second`);
      }
      return runs;
    };
    const limit = await measure(pushingLimit(LATENCY_MS), bench.rounds(3));
    const ours = await measure(libraryOn(server), bench.rounds(9, 3));
    const theirs = await measure(ancestorOn(server), bench.rounds(5, 2));
    return figuresOf(ours, theirs, limit);
  },
};

function figuresOf(ours: readonly Turns[], theirs: readonly Turns[], limit: readonly Turns[]) {
  const share = median(ours.map(perSecond)) / median(limit.map(perSecond));
  const times = median(ours.map(perSecond)) / median(theirs.map(perSecond));
  const all = (of: (turns: Turns) => number) => ({
    measured: ours.map(of),
    ancestor: theirs.map(of),
    limit: limit.map(of),
  });
  return [
    figure({ name: "turns", unit: "/s", better: "higher", ...all(perSecond) }),
    figure({ name: "share of the pushing limit", unit: "", measured: share, target: atLeast(0.55) }),
    figure({ name: "times the ancestor's turns", unit: "", measured: times, target: atLeast(3) }),
    figure({
      name: "requests a turn",
      unit: "",
      better: "lower",
      ...all(requestsATurn),
      target: atMost(8),
      note: requestsByKind(ours),
    }),
    figure({ name: "slowest wait", unit: "ms", better: "lower", ...all(slowestWait), target: atMost(1500) }),
    figure({
      name: "two inside",
      unit: "",
      measured: ours.map(overlaps),
      ancestor: theirs.map(overlaps),
      target: atMost(0),
      strict: true,
    }),
  ];
}

const perSecond = ({ done, elapsedMs }: Turns) => (done * 1000) / elapsedMs;
const requestsATurn = ({ done, requests }: Turns) => requests.length / done;
const slowestWait = ({ waitsMs }: Turns) => Math.max(...waitsMs);
const overlaps = (turns: Turns) => turns.overlaps;
